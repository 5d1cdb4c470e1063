// What every test of the page starts with: matchers that speak of the document, and time for a busy machine.
import "@testing-library/jest-dom/vitest";

import { configure } from "@testing-library/svelte";

import { language } from "../src/lib/language.svelte";

configure({ asyncUtilTimeout: 60_000 });

// Parts of the page are tested by themselves, without the frame that waits for their words.
await language.whole();
