// The person who looks: what they have read, how they want to be told, what they watch and which views they keep.
//
// All of it is one row of the feed `people`, so it is the same in every tab and on every device. A server that has no such
// feed for this reader leaves `served` false; who can go on without it does so by what this browser keeps.

import { createSubscriber } from "svelte/reactivity";

import { ask, path } from "../services/notifications.service";
import type { PersonRow, Preferences } from "./rows";
import { createView, type View } from "./view.store";

/** What a person wants who never said so: nothing shouts. */
export const USUAL: Preferences = {
  quiet: null,
  digest: false,
  muted_rules: [],
  rules: {},
  channels: {},
  toast_severity: "critical",
};

/** The row as far as something can be read of it that is asked for and not yet answered. */
type Source = Pick<View<PersonRow>, "rows" | "loaded" | "error">;

export class Person {
  readonly #view: Source;
  readonly #look: () => void;
  readonly #updates = new Set<() => void>();
  /** Orders that were asked to be watched, or no more, until the row says so. */
  readonly #wishes = new Map<string, boolean>();

  constructor(view: Source) {
    this.#view = view;
    this.#look = createSubscriber((update) => {
      this.#updates.add(update);
      return () => this.#updates.delete(update);
    });
  }

  /** Undefined until it is there, and for who has not done anything of their own yet. */
  get row(): PersonRow | undefined {
    return this.#view.rows[0];
  }

  /** Whether the server keeps a row for this reader; undefined until it is known. */
  get served(): boolean | undefined {
    return this.#view.error ? false : this.#view.loaded || undefined;
  }

  get preferences(): Preferences {
    return this.row?.preferences ?? USUAL;
  }

  get readThrough(): number {
    return this.row?.read_through ?? 0;
  }

  /** Whether what fired at that version, under that id, was read. */
  hasRead(id: string, firedVersion: number | null): boolean {
    return firedVersion === null || firedVersion <= this.readThrough || (this.row?.read.includes(id) ?? false);
  }

  /** The orders that this person watches, with those just asked for. */
  get watched(): readonly string[] {
    this.#look();
    const kept = this.row?.watched ?? [];
    const more = [...this.#wishes].filter(([id, wished]) => wished && !kept.includes(id)).map(([id]) => id);
    return [...kept.filter((id) => this.#wishes.get(id) !== false), ...more];
  }

  viewsOf(screen: string): Readonly<Record<string, string>> {
    return this.row?.views[screen] ?? {};
  }

  read(ids: readonly string[]): Promise<unknown> {
    return ask("POST", "notifications/read", { ids });
  }

  readAll(through: number): Promise<unknown> {
    return ask("POST", "notifications/read", { through });
  }

  prefer(preferences: Preferences): Promise<unknown> {
    return ask("PUT", "me/preferences", preferences);
  }

  /** Watches the order, or no more. It counts at once, and no more when it was refused. */
  async watch(id: string, wished: boolean): Promise<void> {
    this.#wish(id, wished);
    try {
      await ask(wished ? "PUT" : "DELETE", `me/watched/${path(id)}`);
    } catch (error) {
      this.#wish(id, undefined);
      throw error;
    }
  }

  keepView(screen: string, name: string, query: string): Promise<unknown> {
    return ask("PUT", `me/views/${path(screen, name)}`, { query });
  }

  forgetView(screen: string, name: string): Promise<unknown> {
    return ask("DELETE", `me/views/${path(screen, name)}`);
  }

  #wish(id: string, wished: boolean | undefined): void {
    if (wished === undefined) this.#wishes.delete(id);
    else this.#wishes.set(id, wished);
    for (const update of this.#updates) update();
  }
}

export const person = new Person(createView<PersonRow>({ feed: "people" }));
