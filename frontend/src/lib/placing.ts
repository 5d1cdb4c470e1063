/**
 * The order of a long table, kept up. A change costs what changed: a row whose sorted value stayed keeps its place without a comparison, one that moved is
 * looked up by halving, and the rest is copied. Only another column or another filter sorts everything. Both are generators, to be run in slices: a copy of a
 * hundred thousand places is a good part of a frame.
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

  /** Puts all rows in order; each step is a slice of the work. Rows that change meanwhile are to be placed afterwards. */
  *build(rows: ReadonlyMap<string, Row>): Generator<void, void> {
    const all: Placed<Row>[] = [];
    for (const [key, row] of rows) {
      if (this.#byKey.has(key)) continue; // it left and came back meanwhile, and is met again
      const one = { key, row, rank: this.#rankOf(row), shownAt: -1 };
      this.#byKey.set(key, one);
      all.push(one);
      if (all.length % SLICE === 0) yield;
    }
    this.#placed = yield* this.#sorted(all);
  }

  /** Keeps the newest of a row that is placed, so that this is what stands where it was once it is gone. Its place stays until `place`. */
  renew(key: string, row: Row): void {
    const one = this.#byKey.get(key);
    if (one) one.row = row;
  }

  /**
   * Takes over what became of some rows; each step is a slice of the work, and the order is the new one after the last.
   *
   * @param find the row of a key; undefined when it is gone
   * @returns the rows that came, and those that left
   */
  *place(
    keys: ReadonlySet<string>,
    find: (key: string) => Row | undefined,
  ): Generator<void, { readonly came: Placed<Row>[]; readonly left: Placed<Row>[] }> {
    const came: Placed<Row>[] = [];
    const left: Placed<Row>[] = [];
    const moving: Placed<Row>[] = [];
    let taken = 0;
    for (const key of keys) {
      const row = find(key);
      const one = this.#byKey.get(key);
      if (one && row !== undefined) {
        const rank = this.#rankOf(row);
        one.row = row;
        if (rank !== one.rank) moving.push(one);
        one.rank = rank;
      } else if (one) {
        left.push(one);
        this.#byKey.delete(key);
      } else if (row !== undefined) {
        const fresh = { key, row, rank: this.#rankOf(row), shownAt: -1 };
        came.push(fresh);
        this.#byKey.set(key, fresh);
      }
      if (++taken % SLICE === 0) yield;
    }
    if (came.length + left.length + moving.length > 0) {
      const rest = yield* this.#without(new Set([...left, ...moving]));
      this.#placed = yield* this.#woven(rest, yield* this.#sorted([...came, ...moving]));
    }
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

  /** All rows in order but those. */
  *#without(out: ReadonlySet<Placed<Row>>): Generator<void, readonly Placed<Row>[]> {
    if (out.size === 0) return this.#placed;
    const rest: Placed<Row>[] = [];
    for (const one of this.#placed) {
      if (out.has(one)) continue;
      rest.push(one);
      if (rest.length % SLICE === 0) yield;
    }
    return rest;
  }

  /** Rows in order with a few others, in order too, put between. */
  *#woven(rest: readonly Placed<Row>[], into: readonly Placed<Row>[]): Generator<void, Placed<Row>[]> {
    const woven: Placed<Row>[] = [];
    let from = 0;
    for (const one of into) {
      const place = this.#halve(rest, one);
      yield* this.#copy(rest, from, place, woven);
      woven.push(one);
      from = place;
    }
    yield* this.#copy(rest, from, rest.length, woven);
    return woven;
  }

  *#copy(from: readonly Placed<Row>[], start: number, end: number, to: Placed<Row>[]): Generator<void, void> {
    for (let at = start; at < end; at++) {
      to.push(from[at] as Placed<Row>);
      if (to.length % SLICE === 0) yield;
    }
  }

  *#sorted(all: readonly Placed<Row>[]): Generator<void, Placed<Row>[]> {
    let runs: Placed<Row>[][] = [];
    for (let at = 0; at < all.length; at += SLICE) {
      if (at > 0) yield;
      runs.push(all.slice(at, at + SLICE).sort(this.#compare));
    }
    while (runs.length > 1) {
      const merged: Placed<Row>[][] = [];
      for (let at = 0; at < runs.length; at += 2) merged.push(yield* this.#merge(runs[at] ?? [], runs[at + 1] ?? []));
      runs = merged;
    }
    return runs[0] ?? [];
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
