// A person's own views of a screen: a name for the address's filter, order and layout, as text of the address, so that a
// view that is shared is simply the address. They stand in the person's own row; a browser whose server keeps none for this
// reader keeps them itself, and hands over what it kept as soon as there is such a row.

import { createSubscriber } from "svelte/reactivity";

import { isForeign } from "../services/notifications.service";
import { person, type Person } from "./person.store";

const PLACE = "stockwire.views";
const MOST = 30;

export interface SavedView {
  readonly name: string;
  /** The query of the address, without `?`. */
  readonly query: string;
}

/** What of an address is a view: not the row that is open, nor the moment looked back at. */
export function viewOf(query: URLSearchParams): string {
  const kept = new URLSearchParams(query);
  for (const name of ["sku", "in", "at", "pace"]) kept.delete(name);
  kept.sort();
  return kept.toString();
}

export class SavedViews {
  /** The screen's path. */
  readonly #screen: string;
  readonly #person: Person;
  readonly #look: () => void;
  readonly #updates = new Set<() => void>();
  #local: readonly SavedView[];

  constructor(screen: string, who: Person = person) {
    this.#screen = screen;
    this.#person = who;
    this.#local = all()[screen] ?? [];
    this.#look = createSubscriber((update) => {
      this.#updates.add(update);
      return () => this.#updates.delete(update);
    });
  }

  get views(): readonly SavedView[] {
    this.#look();
    if (!this.#person.served) return this.#local;
    const kept = Object.entries(this.#person.viewsOf(this.#name)).map(([name, query]) => ({ name, query }));
    const names = new Set(kept.map(({ name }) => name));
    return [...kept, ...this.#local.filter(({ name }) => !names.has(name))];
  }

  /** Keeps the address's view under a name; one of that name is replaced. */
  async save(name: string, query: URLSearchParams): Promise<void> {
    const view = { name, query: viewOf(query) };
    const others = this.#local.filter((one) => one.name !== name);
    const here = [...others, view].slice(-MOST);
    if (!this.#person.served) {
      this.#keep(here);
      return;
    }
    try {
      await this.#person.keepView(this.#name, view.name, view.query);
      this.#keep(others);
    } catch (error) {
      if (!isForeign(error)) throw error;
      this.#keep(here);
    }
  }

  async forget(name: string): Promise<void> {
    const kept = this.#person.served === true && name in this.#person.viewsOf(this.#name);
    if (kept) await this.#person.forgetView(this.#name, name);
    this.#keep(this.#local.filter((view) => view.name !== name));
  }

  /** Hands what this browser kept over to the person's row, once; what is refused stays here until the next time. */
  async handOver(): Promise<void> {
    if (!this.#person.served) return;
    try {
      for (const view of [...this.#local]) {
        await this.#person.keepView(this.#name, view.name, view.query);
        this.#keep(this.#local.filter((one) => one.name !== view.name));
      }
    } catch {
      // Nothing is lost: they are kept here as before.
    }
  }

  /** A screen's name is its path without the stroke. */
  get #name(): string {
    return this.#screen.replace(/^\//, "");
  }

  #keep(views: readonly SavedView[]): void {
    this.#local = views;
    for (const update of this.#updates) update();
    try {
      const { [this.#screen]: _, ...others } = all();
      const kept = views.length === 0 ? others : { ...others, [this.#screen]: views };
      window.localStorage.setItem(PLACE, JSON.stringify(kept));
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
