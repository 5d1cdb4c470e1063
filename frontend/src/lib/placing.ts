/**
 * The order of a long table, kept up. A change costs what changed: a row whose sorted value stayed keeps its place without a comparison, one that moved is
 * looked up by halving, and the rest is copied. Only another column or another filter sorts everything, and that is a generator, to be run in slices.
 *
 * The order is total: rows of one value stand by key, so that each row has exactly one place. Null comes last either way, as in rule P4.3 of the protocol.
 * Sorting anew at each painting was rejected: a hundred thousand rows are a fifth of a second of nothing else.
 */

import { rankOf, type Direction, type Kind } from "./sorting";

type Rank = string | number | null;

/** A row at its place. */
export interface Placed<Row> {
  readonly key: string;
  /** The row as it was when it was last placed. */
  row: Row;
  rank: Rank;
  /** Where it is shown; below 0: it is not shown. */
  shownAt: number;
}

/** What a table is sorted by. */
export interface Sorting<Row> {
  readonly valueOf: (row: Row) => string | number | null;
  readonly kind: Kind;
  readonly direction: Direction;
}

/** How many rows are sorted between two chances to pause. */
const SLICE = 2_000;

export class Placing<Row> {
  /** How many comparisons were made so far. */
  comparisons = 0;
  readonly #sorting: Sorting<Row>;
  readonly #sign: number;
  #placed: readonly Placed<Row>[] = [];
  readonly #byKey = new Map<string, Placed<Row>>();

  constructor(sorting: Sorting<Row>) {
    this.#sorting = sorting;
    this.#sign = sorting.direction === "ascending" ? 1 : -1;
  }

  /** All rows in order; another array after each change of the order. */
  get placed(): readonly Placed<Row>[] {
    return this.#placed;
  }

  get(key: string): Placed<Row> | undefined {
    return this.#byKey.get(key);
  }

  /** Puts all rows in order; each step is a slice of the work. */
  *build(rows: ReadonlyMap<string, Row>): Generator<void, void> {
    let runs: Placed<Row>[][] = [];
    let run: Placed<Row>[] = [];
    for (const [key, row] of [...rows]) {
      const one = { key, row, rank: this.#rankOf(row), shownAt: -1 };
      this.#byKey.set(key, one);
      run.push(one);
      if (run.length < SLICE) continue;
      runs.push(run.sort(this.#compare));
      run = [];
      yield;
    }
    runs.push(run.sort(this.#compare));
    while (runs.length > 1) {
      const merged: Placed<Row>[][] = [];
      for (let at = 0; at < runs.length; at += 2) merged.push(yield* this.#merge(runs[at] ?? [], runs[at + 1] ?? []));
      runs = merged;
    }
    this.#placed = runs[0] ?? [];
  }

  /**
   * Takes over what became of some rows.
   *
   * @param find the row of a key; undefined when it is gone
   * @returns the rows that came, and those that left
   */
  place(
    keys: Iterable<string>,
    find: (key: string) => Row | undefined,
  ): { readonly came: Placed<Row>[]; readonly left: Placed<Row>[] } {
    const came: Placed<Row>[] = [];
    const left: Placed<Row>[] = [];
    const moving: { readonly one: Placed<Row>; readonly rank: Rank }[] = [];
    const out: number[] = [];
    for (const key of new Set(keys)) {
      const row = find(key);
      const one = this.#byKey.get(key);
      if (one && row !== undefined) {
        const rank = this.#rankOf(row);
        one.row = row;
        if (rank === one.rank) continue;
        out.push(this.#halve(this.#placed, one));
        moving.push({ one, rank });
      } else if (one) {
        out.push(this.#halve(this.#placed, one));
        left.push(one);
      } else if (row !== undefined) {
        came.push({ key, row, rank: this.#rankOf(row), shownAt: -1 });
      }
    }
    // Only from here on do ranks and members change: halving above needs the order as it was.
    for (const { one, rank } of moving) one.rank = rank;
    for (const { key } of left) this.#byKey.delete(key);
    for (const one of came) this.#byKey.set(one.key, one);
    const into = [...came, ...moving.map(({ one }) => one)];
    if (out.length + into.length > 0) this.#placed = this.#woven(without(this.#placed, out), into.sort(this.#compare));
    return { came, left };
  }

  #rankOf(row: Row): Rank {
    const value = this.#sorting.valueOf(row);
    return value === null ? null : rankOf(value, this.#sorting.kind);
  }

  readonly #compare = (a: Placed<Row>, b: Placed<Row>): number => {
    this.comparisons += 1;
    if (a.rank !== b.rank) {
      if (a.rank === null) return 1;
      if (b.rank === null) return -1;
      return a.rank < b.rank ? -this.#sign : this.#sign;
    }
    return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
  };

  /** Where `one` is, or belongs, among rows in order. */
  #halve(among: readonly Placed<Row>[], one: Placed<Row>): number {
    let low = 0;
    let high = among.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(among[middle] as Placed<Row>, one) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Rows in order with a few others, in order too, put between. */
  #woven(rest: readonly Placed<Row>[], into: readonly Placed<Row>[]): Placed<Row>[] {
    const woven: Placed<Row>[] = [];
    let from = 0;
    for (const one of into) {
      const place = this.#halve(rest, one);
      while (from < place) woven.push(rest[from++] as Placed<Row>);
      woven.push(one);
    }
    while (from < rest.length) woven.push(rest[from++] as Placed<Row>);
    return woven;
  }

  *#merge(left: readonly Placed<Row>[], right: readonly Placed<Row>[]): Generator<void, Placed<Row>[]> {
    const merged: Placed<Row>[] = [];
    let atLeft = 0;
    let atRight = 0;
    while (atLeft < left.length && atRight < right.length) {
      const one = left[atLeft] as Placed<Row>;
      const other = right[atRight] as Placed<Row>;
      if (this.#compare(one, other) <= 0) {
        merged.push(one);
        atLeft += 1;
      } else {
        merged.push(other);
        atRight += 1;
      }
      if (merged.length % SLICE === 0) yield;
    }
    while (atLeft < left.length) merged.push(left[atLeft++] as Placed<Row>);
    while (atRight < right.length) merged.push(right[atRight++] as Placed<Row>);
    return merged;
  }
}

function without<One>(all: readonly One[], places: number[]): One[] {
  const out = new Set(places);
  return out.size === 0 ? (all as One[]) : all.filter((_, place) => !out.has(place));
}
