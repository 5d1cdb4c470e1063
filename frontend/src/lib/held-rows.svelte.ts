/**
 * The rows of a table in an order that does not run away. A live table that re-sorts under the pointer makes people press the wrong row, so the shown order
 * changes at most every five seconds and not at all while somebody points, types or reads further down; what would change is counted and offered instead.
 * Values inside the rows are not held: those always are the newest.
 */

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
  /** The rows in the shown order, as they were when it was made. */
  shown = $state.raw<readonly Row[]>([]);
  waiting = $state.raw<Waiting>(NOTHING);

  readonly #keyOf: (row: Row) => string;
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- looked up, never shown
  #places = new Map<string, number>();
  #question: string | null = null;
  #rows: readonly Row[] | null = null;
  #madeAt = Number.NEGATIVE_INFINITY;
  #next: (() => readonly Row[]) | null = null;

  constructor(keyOf: (row: Row) => string) {
    this.#keyOf = keyOf;
  }

  /**
   * Offers the newest rows.
   *
   * @param question names the filter and the order; another one is answered at once
   * @param rows the same array while nothing changed
   * @param order puts them in order; called only when needed
   * @param held somebody points at the table, is inside it, or reads further down
   */
  offer(
    question: string,
    rows: readonly Row[],
    order: (rows: readonly Row[]) => readonly Row[],
    held: boolean,
    now: number,
  ): void {
    if (question !== this.#question) {
      this.#question = question;
      this.#take(rows, order(rows), now);
      return;
    }
    this.#next = () => order(rows);
    const changed = rows !== this.#rows;
    const waits = this.waiting.rows > 0 || this.waiting.moved;
    if (!changed && !(waits && !held)) return;
    if (now - this.#madeAt < REORDER_EVERY) return;
    const next = order(rows);
    if (!held) {
      this.#take(rows, next, now);
      return;
    }
    this.#rows = rows;
    this.#madeAt = now;
    this.waiting = this.#compare(next);
  }

  /** Shows the newest order now: somebody asked for it. */
  reorder(now: number): void {
    if (this.#next && this.#rows) this.#take(this.#rows, this.#next(), now);
  }

  #take(rows: readonly Row[], ordered: readonly Row[], now: number): void {
    this.#rows = rows;
    this.#madeAt = now;
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- looked up, never shown
    this.#places = new Map(ordered.map((row, place) => [this.#keyOf(row), place]));
    this.shown = ordered;
    this.waiting = NOTHING;
  }

  #compare(next: readonly Row[]): Waiting {
    let fresh = 0;
    let kept = 0;
    let moved = false;
    let last = -1;
    for (const row of next) {
      const place = this.#places.get(this.#keyOf(row));
      if (place === undefined) {
        fresh += 1;
        continue;
      }
      kept += 1;
      if (place < last) moved = true;
      last = place;
    }
    return { rows: fresh + this.#places.size - kept, moved };
  }
}

/** The words on the offer: `3 new, reorder`. */
export function waitingWords(waiting: Waiting): string {
  if (waiting.rows === 0) return "Order changed, reorder";
  return `${waiting.rows.toLocaleString()} new or gone, reorder`;
}
