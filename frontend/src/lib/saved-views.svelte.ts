/**
 * A person's own views of a screen: a name for the address's filter, order and layout. Kept on this browser, by screen, as text of the address, so
 * that a view that is shared is simply the address.
 */

const PLACE = "stockwire.views";
const MOST = 30;

export interface SavedView {
  readonly name: string;
  /** The query of the address, without `?`. */
  readonly query: string;
}

/** What of an address is a view: not the row that is open, nor the moment looked back at. */
export function viewOf(query: URLSearchParams): string {
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- read once
  const kept = new URLSearchParams(query);
  for (const name of ["sku", "in", "at", "pace"]) kept.delete(name);
  kept.sort();
  return kept.toString();
}

export class SavedViews {
  readonly #screen: string;
  #views = $state.raw<readonly SavedView[]>([]);

  constructor(screen: string) {
    this.#screen = screen;
    this.#views = all()[screen] ?? [];
  }

  get views(): readonly SavedView[] {
    return this.#views;
  }

  /** Keeps the address's view under a name; one of that name is replaced. */
  save(name: string, query: URLSearchParams): void {
    const others = this.#views.filter((view) => view.name !== name);
    this.#keep([...others, { name, query: viewOf(query) }].slice(-MOST));
  }

  forget(name: string): void {
    this.#keep(this.#views.filter((view) => view.name !== name));
  }

  #keep(views: readonly SavedView[]): void {
    this.#views = views;
    try {
      window.localStorage.setItem(PLACE, JSON.stringify({ ...all(), [this.#screen]: views }));
    } catch {
      // A browser that keeps nothing has them for as long as the screen is open.
    }
  }
}

const isView = (value: unknown): value is SavedView =>
  typeof value === "object" &&
  value !== null &&
  "name" in value &&
  typeof value.name === "string" &&
  "query" in value &&
  typeof value.query === "string";

function all(): Record<string, readonly SavedView[]> {
  try {
    const kept: unknown = JSON.parse(window.localStorage.getItem(PLACE) ?? "{}");
    if (typeof kept !== "object" || kept === null) return {};
    return Object.fromEntries(
      Object.entries(kept).map(([screen, views]) => [screen, Array.isArray(views) ? views.filter(isView) : []]),
    );
  } catch {
    return {};
  }
}
