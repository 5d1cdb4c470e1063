/**
 * The keys of the page. They are plain letters and therefore silent while somebody types; `g` waits a moment for the second letter.
 */

export type Act = { readonly go: string } | "search" | "help";

/** How long `g` waits for its second letter. */
const PATIENCE = 1_500;

const PLACES: Readonly<Partial<Record<string, string>>> = { o: "/", i: "/inventory", r: "/orders", m: "/metrics" };

/** What the help says. */
export const KEYS: readonly { readonly keys: readonly string[]; readonly does: string }[] = [
  { keys: ["g", "o"], does: "Go to the overview" },
  { keys: ["g", "i"], does: "Go to the inventory" },
  { keys: ["g", "r"], does: "Go to the orders" },
  { keys: ["g", "m"], does: "Go to all metrics" },
  { keys: ["/"], does: "Search this screen" },
  { keys: ["?"], does: "Show these keys" },
  { keys: ["Arrows"], does: "Move in a table" },
  { keys: ["Enter"], does: "Open the row, or sort by the column" },
  { keys: ["Ctrl", "End"], does: "Go to the last row" },
  { keys: ["Escape"], does: "Close what is open" },
];

export interface Press {
  readonly key: string;
  readonly modified: boolean;
  readonly typing: boolean;
  readonly at: number;
}

/** Follows the presses and says what each means. */
export class KeyMap {
  #since = Number.NEGATIVE_INFINITY;

  press({ key, modified, typing, at }: Press): Act | null {
    const going = at - this.#since <= PATIENCE;
    this.#since = Number.NEGATIVE_INFINITY;
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
    typing: !!target?.closest("input, select, textarea, [contenteditable], dialog"),
    at: event.timeStamp,
  };
}
