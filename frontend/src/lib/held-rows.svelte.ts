/**
 * The rows of a table in an order that does not run away. A live table that re-sorts under the pointer makes people press the wrong row, so the shown order
 * changes at most every five seconds and not at all while somebody points, types or reads further down; what would change is counted and offered instead.
 * Values inside the rows are not held: those always are the newest.
 *
 * What changed is collected and placed (lib/placing.ts) when the order may follow, in slices: placed with each painting, the order of a hundred thousand rows
 * would be copied twenty times for each time it is shown.
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
  #madeAt = Number.NEGATIVE_INFINITY;
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- looked up, never shown
  #rows: ReadonlyMap<string, Row> = new Map();
  /** Keys that changed and are not placed yet. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- looked up, never shown
  #touched = new Set<string>();
  #busy = false;
  #stopWork: (() => void) | null = null;
  #held = false;
  /** Somebody asked for the newest order. */
  #asked = false;

  /** Sorts everything anew, for another filter or another order, and shows it as soon as that is done. */
  ask(rows: ReadonlyMap<string, Row>, sorting: Sorting<Row>, now: () => number): void {
    this.stop();
    this.#rows = rows;
    const placing = new Placing<Row>(sorting);
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- looked up, never shown
    this.#touched = new Set();
    this.sorting = true;
    this.#work(this.#build(placing, rows), () => {
      this.#placing = placing;
      this.sorting = false;
      this.#show(now());
    });
  }

  /** Rows changed, came or left. */
  touch(keys: Iterable<string>): void {
    for (const key of keys) {
      this.#touched.add(key);
      const row = this.#rows.get(key);
      if (row !== undefined) this.#placing?.renew(key, row);
    }
  }

  /**
   * Lets the order follow, if it is time.
   *
   * @param held somebody points at the table, is inside it, or reads further down
   */
  settle(held: boolean, now: number): void {
    this.#held = held;
    if (now - this.#madeAt < REORDER_EVERY) return;
    const waits = this.waiting.rows > 0 || this.waiting.moved;
    if (this.#touched.size > 0 || (waits && !held)) this.#follow(now);
  }

  /** Shows the newest order now: somebody asked for it. */
  reorder(now: number): void {
    this.#asked = true;
    this.#follow(now);
  }

  /** Calls off what is being placed. */
  stop(): void {
    this.#stopWork?.();
    this.#stopWork = null;
    this.#busy = false;
  }

  *#build(placing: Placing<Row>, rows: ReadonlyMap<string, Row>): Generator<void, void> {
    yield* placing.build(rows);
    yield* placing.place(this.#taken(), (key) => rows.get(key));
  }

  /** Places what was touched, and then shows the order or counts what waits. */
  #follow(now: number): void {
    const placing = this.#placing;
    if (!placing || this.#busy) return;
    const before = placing.placed;
    this.#work(this.#place(placing), () => {
      const waits = this.waiting.rows > 0 || this.waiting.moved;
      if (this.#asked || (!this.#held && (waits || placing.placed !== before))) this.#show(now);
      else if (placing.placed !== before) this.#count(placing.placed, now);
    });
  }

  *#place(placing: Placing<Row>): Generator<void, void> {
    const { came, left } = yield* placing.place(this.#taken(), (key) => this.#rows.get(key));
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
  }

  #taken(): ReadonlySet<string> {
    const taken = this.#touched;
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- looked up, never shown
    this.#touched = new Set();
    return taken;
  }

  #work(steps: Iterator<void, void>, done: () => void): void {
    this.#busy = true;
    this.#stopWork = inSlices(steps, () => {
      this.#busy = false;
      done();
    });
  }

  #show(now: number): void {
    const placed = this.#placing?.placed ?? [];
    for (let at = 0; at < placed.length; at++) (placed[at] as Placed<Row>).shownAt = at;
    this.#gone.clear();
    this.#fresh = 0;
    this.#asked = false;
    this.#madeAt = now;
    this.shown = placed;
    this.waiting = NOTHING;
  }

  #count(placed: readonly Placed<Row>[], now: number): void {
    this.#madeAt = now;
    this.waiting = { rows: this.#fresh + this.#gone.size, moved: this.#moved(placed) };
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
