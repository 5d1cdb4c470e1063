/**
 * A part of the page that is fetched when it is first shown and is at hand from then on, without a promise. A `{#await}` that waits leaves a little behind in
 * Svelte each time its promise is kept (the value is written between two effects, into a list that no effect empties), so a tab that walks through the
 * screens for weeks waits once for each. What it has to say comes with it.
 */

import { language } from "./language.svelte";

/**
 * @param fetch brings the part; asked again as long as it fails
 * @returns what gives the part itself once it was brought, and the promise of it before
 */
export function atHand<Part>(fetch: () => Promise<Part>): () => Part | Promise<Part> {
  let brought: { readonly part: Part } | null = null;
  return () => {
    if (brought) return brought.part;
    return Promise.all([fetch(), language.whole()]).then(([part]) => {
      brought = { part };
      return part;
    });
  };
}
