/**
 * The keys of the page. They are plain letters and therefore silent while somebody types; `g` waits a moment for the second letter. Only the palette's key is
 * held with Ctrl or Cmd, and heard everywhere.
 */

import type { Key } from "./language.svelte";

type Does = Extract<Key, `keys.${string}`>;

export type Act = { readonly go: string } | "search" | "help" | "palette";

/** How long `g` waits for its second letter. */
const PATIENCE = 1_500;

const PLACES: Readonly<Partial<Record<string, string>>> = {
  o: "/",
  i: "/inventory",
  r: "/orders",
  m: "/metrics",
  n: "/notifications",
};

/** What the help says: a letter, or the message with the key's name, and the message of what it does. */
export const KEYS: readonly { readonly keys: readonly string[]; readonly does: Does }[] = [
  { keys: ["g", "o"], does: "keys.overview" },
  { keys: ["g", "i"], does: "keys.inventory" },
  { keys: ["g", "r"], does: "keys.orders" },
  { keys: ["g", "m"], does: "keys.metrics" },
  { keys: ["g", "n"], does: "keys.notifications" },
  { keys: ["/"], does: "keys.search" },
  { keys: ["key.ctrl", "k"], does: "keys.palette" },
  { keys: ["?"], does: "keys.help" },
  { keys: ["key.arrows"], does: "keys.arrows" },
  { keys: ["key.enter"], does: "keys.enter" },
  { keys: ["key.ctrl", "key.end"], does: "keys.end" },
  { keys: ["key.escape"], does: "keys.escape" },
];

export interface Press {
  readonly key: string;
  readonly modified: boolean;
  /** Ctrl or Cmd, and nothing else. */
  readonly commanded: boolean;
  readonly typing: boolean;
  readonly at: number;
}

/** Follows the presses and says what each means. */
export class KeyMap {
  #since = Number.NEGATIVE_INFINITY;

  press({ key, modified, commanded, typing, at }: Press): Act | null {
    const going = at - this.#since <= PATIENCE;
    this.#since = Number.NEGATIVE_INFINITY;
    if (commanded && key.toLowerCase() === "k") return "palette";
    if (modified || typing) return null;
    if (going) {
      const go = PLACES[key];
      return go === undefined ? null : { go };
    }
    if (key === "g") this.#since = at;
    if (key === "/") return "search";
    return key === "?" ? "help" : null;
  }
}

/** The press of an event, as far as it matters here. */
export function pressOf(event: KeyboardEvent): Press {
  const target = event.target instanceof Element ? event.target : null;
  return {
    key: event.key,
    modified: event.ctrlKey || event.metaKey || event.altKey,
    commanded: event.ctrlKey !== event.metaKey && !event.altKey && !event.shiftKey,
    typing: !!target?.closest("input, select, textarea, [contenteditable], dialog"),
    at: event.timeStamp,
  };
}
