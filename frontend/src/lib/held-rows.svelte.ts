/**
 * The rows of a table in an order that does not run away. A live table that re-sorts under the pointer makes people press the wrong row, so the shown order
 * changes at most every five seconds and not at all while somebody points, types or reads further down; what would change is counted and offered instead.
 * Values inside the rows are not held: those always are the newest.
 *
 * The order that would be is kept up all the time from what changed (lib/placing.ts); showing it is one walk.
 */

import { t } from "./language.svelte";
import { Placing, type Placed, type Sorting } from "./placing";
import { inSlices } from "./slices";

const REORDER_EVERY = 5_000;

/** What the held order would become. */
export interface Waiting {
  /** Rows that are not shown yet, and shown ones that are gone. */
  readonly rows: number;
  /** Whether shown rows would change places. */
  readonly moved: boolean;
}

const NOTHING: Waiting = { rows: 0, moved: false };

export class HeldRows<Row> {
  /** The rows in the shown order. */
  shown = $state.raw<readonly Placed<Row>[]>([]);
  waiting = $state.raw<Waiting>(NOTHING);
  /** Whether the shown order is still that of an earlier question. */
  sorting = $state(false);

  #placing: Placing<Row> | null = null;
  /** Rows that are shown and gone, by key: one that comes back is no news. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- looked up, never shown
  readonly #gone = new Map<string, Placed<Row>>();
  #fresh = 0;
  #dirty = false;
  #madeAt = Number.NEGATIVE_INFINITY;
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- looked up, never shown
  #rows: ReadonlyMap<string, Row> = new Map();
  /** Keys that changed while everything is being sorted. */
  #late: Set<string> | null = null;
  #stopSorting: (() => void) | null = null;

  /** Sorts everything anew, for another filter or another order, and shows it as soon as that is done. */
  ask(rows: ReadonlyMap<string, Row>, sorting: Sorting<Row>, now: () => number): void {
    this.stop();
    this.#rows = rows;
    const placing = new Placing<Row>(sorting);
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- looked up, never shown
    this.#late = new Set();
    this.sorting = true;
    this.#stopSorting = inSlices(placing.build(rows), () => {
      this.#placing = placing;
      const late = this.#late ?? [];
      this.#late = null;
      placing.place(late, (key) => rows.get(key));
      this.sorting = false;
      this.#show(now());
    });
  }

  /** Rows changed, came or left. */
  touch(keys: Iterable<string>): void {
    if (this.#late) {
      for (const key of keys) this.#late.add(key);
      return;
    }
    const placing = this.#placing;
    if (!placing) return;
    const before = placing.placed;
    const { came, left } = placing.place(keys, (key) => this.#rows.get(key));
    for (const one of left) {
      if (one.shownAt < 0) this.#fresh -= 1;
      else this.#gone.set(one.key, one);
    }
    for (const one of came) {
      const shown = this.#gone.get(one.key);
      this.#gone.delete(one.key);
      if (shown) one.shownAt = shown.shownAt;
      else this.#fresh += 1;
    }
    if (placing.placed !== before) this.#dirty = true;
  }

  /**
   * Lets the order follow, if it is time.
   *
   * @param held somebody points at the table, is inside it, or reads further down
   */
  settle(held: boolean, now: number): void {
    if (!this.#placing || this.#late || now - this.#madeAt < REORDER_EVERY) return;
    const waits = this.waiting.rows > 0 || this.waiting.moved;
    if (!this.#dirty && (held || !waits)) return;
    if (!held) {
      this.#show(now);
      return;
    }
    this.#madeAt = now;
    this.#dirty = false;
    this.waiting = { rows: this.#fresh + this.#gone.size, moved: this.#moved(this.#placing.placed) };
  }

  /** Shows the newest order now: somebody asked for it. */
  reorder(now: number): void {
    this.#show(now);
  }

  /** Calls off what is being sorted. */
  stop(): void {
    this.#stopSorting?.();
    this.#stopSorting = null;
  }

  #show(now: number): void {
    const placed = this.#placing?.placed ?? [];
    for (let at = 0; at < placed.length; at++) (placed[at] as Placed<Row>).shownAt = at;
    this.#gone.clear();
    this.#fresh = 0;
    this.#dirty = false;
    this.#madeAt = now;
    this.shown = placed;
    this.waiting = NOTHING;
  }

  #moved(placed: readonly Placed<Row>[]): boolean {
    let last = -1;
    for (const { shownAt } of placed) {
      if (shownAt < 0) continue;
      if (shownAt < last) return true;
      last = shownAt;
    }
    return false;
  }
}

/** The words on the offer: `3 new, reorder`. */
export function waitingWords(waiting: Waiting): string {
  return waiting.rows === 0 ? t("table.order_changed") : t("table.waiting", { count: waiting.rows });
}
