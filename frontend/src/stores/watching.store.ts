// The orders a person watches. They stand in the person's own row; a browser whose server keeps none for this reader keeps
// them itself, and hands over what it kept as soon as there is such a row.

import { createSubscriber } from "svelte/reactivity";

import { isForeign } from "../services/notifications.service";
import { person, type Person } from "./person.store";

const PLACE = "stockwire.watched";
const MOST = 50;

export class Watching {
  readonly #person: Person;
  readonly #look: () => void;
  readonly #updates = new Set<() => void>();
  #local: readonly string[] = recalled();
  #handing = false;

  constructor(who: Person) {
    this.#person = who;
    this.#look = createSubscriber((update) => {
      const heed = ({ key }: StorageEvent): void => {
        if (key !== PLACE) return;
        this.#local = recalled();
        update();
      };
      this.#updates.add(update);
      window.addEventListener("storage", heed);
      return () => {
        this.#updates.delete(update);
        window.removeEventListener("storage", heed);
      };
    });
  }

  get ids(): readonly string[] {
    this.#look();
    if (!this.#person.served) return this.#local;
    const kept = this.#person.watched;
    return this.#local.length === 0 ? kept : [...new Set([...kept, ...this.#local])];
  }

  has(id: string): boolean {
    return this.ids.includes(id);
  }

  /** Watches the order, or no more. */
  async toggle(id: string): Promise<void> {
    const wished = !this.has(id);
    const others = this.#local.filter((one) => one !== id);
    const here = wished ? [...others, id].slice(-MOST) : others;
    if (!this.#person.served) {
      this.#keep(here);
      return;
    }
    this.#keep(others);
    try {
      await this.#person.watch(id, wished);
    } catch (error) {
      if (!isForeign(error)) throw error;
      this.#keep(here);
    }
  }

  /** Hands what this browser kept over to the person's row, once; what is refused stays here until the next time. */
  async handOver(): Promise<void> {
    if (this.#handing || !this.#person.served || this.#local.length === 0) return;
    this.#handing = true;
    try {
      for (const id of [...this.#local]) {
        await this.#person.watch(id, true);
        this.#keep(this.#local.filter((one) => one !== id));
      }
    } catch {
      // Nothing is lost: they are watched from here as before.
    } finally {
      this.#handing = false;
    }
  }

  #keep(ids: readonly string[]): void {
    this.#local = ids;
    for (const update of this.#updates) update();
    try {
      if (ids.length === 0) window.localStorage.removeItem(PLACE);
      else window.localStorage.setItem(PLACE, JSON.stringify(ids));
    } catch {
      // A browser that keeps nothing watches for as long as the page is open.
    }
  }
}

function recalled(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(window.localStorage.getItem(PLACE) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id): id is string => typeof id === "string").slice(-MOST) : [];
  } catch {
    return [];
  }
}

export const watching = new Watching(person);
