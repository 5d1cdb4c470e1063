/** What kind of screen this is: below 720 pixels a phone, with cards instead of wide tables. The number is the one of the styles. */

import { MediaQuery } from "svelte/reactivity";

export const phone = new MediaQuery("(max-width: 719px)");
