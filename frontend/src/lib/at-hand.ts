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

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

/**
 * A part that nobody asked for and nobody could ask for again: it is tried until it comes, also when the server was away just then.
 *
 * @param fetch brings the part
 * @returns what gives the part in the end
 */
export function eventually<Part>(fetch: () => Promise<Part>): () => Promise<Part> {
  return async () => {
    for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      try {
        return await fetch();
      } catch {
        await new Promise((done) => setTimeout(done, wait));
        askForStylesAgain();
      }
    }
  };
}

/** A style sheet that could not be brought is asked for once more beside it: what loads parts asks for each but once. */
function askForStylesAgain(): void {
  for (const link of document.querySelectorAll<HTMLLinkElement>("link[rel=stylesheet]:not([data-again])")) {
    const before = [...document.querySelectorAll<HTMLLinkElement>("link[data-again]")].find(
      ({ href }) => href === link.href,
    );
    if (link.sheet ?? before?.sheet) continue;
    before?.remove();
    const again = document.createElement("link");
    Object.assign(again, { rel: "stylesheet", href: link.href });
    again.dataset.again = "";
    document.head.append(again);
  }
}
