// The order of rows (P4.3), kept up cheaply.
//
// Each row gets a rank once: a list of plain values that `<` puts right. So 100,000 rows sort by native comparisons,
// and a change of a few rows costs one walk over the sorted list and not another sort.
//
// What a field's text means is known by its name, as spec/rows.md has it: money compares by value, a moment by time.

import type { Json, WireRow } from "./protocol";

type Rank = string | number | bigint | boolean | null;

interface Placed<R> {
  readonly key: string;
  readonly row: R;
  readonly rank: readonly Rank[];
}

const MOMENT = /(_at|since|_of|^start)$/;
const MONEY = /(_sales|_cost|_value|^(gross|discounts?|shipping|tax|total|credited|returns|value|previous))$/;
const DECIMAL = /^-?\d+(\.\d+)?$/;
const SCALE = 12;

/** UTF-16 puts the upper private planes before U+E000; moving these apart gives the order of code points. */
const HIGH = /[\ud800-\uffff]/g;
const byCodePoint = (text: string): string =>
  text.replace(HIGH, (unit) => {
    const code = unit.charCodeAt(0);
    return String.fromCharCode(code < 0xe000 ? code + 0x2000 : code - 0x800);
  });

function rankOf(field: string, value: Json | undefined): Rank {
  if (typeof value !== "string") return typeof value === "object" ? null : (value ?? null);
  if (MONEY.test(field) && DECIMAL.test(value)) {
    const [whole = "", fraction = ""] = value.split(".");
    return BigInt(whole + fraction.padEnd(SCALE, "0"));
  }
  // Without its Z, a moment with a fraction comes after the same second without one.
  return byCodePoint(MOMENT.test(field) ? value.replace(/Z$/, "") : value);
}

/** Compares ranks; `descending` tells for each field whether it runs down. What follows the fields is the key. */
function compare(a: readonly Rank[], b: readonly Rank[], descending: readonly boolean[]): number {
  for (let index = 0; index < a.length; index++) {
    const left = a[index] ?? null;
    const right = b[index] ?? null;
    if (left === right) continue;
    if (left === null) return 1;
    if (right === null) return -1;
    return left < right !== (descending[index] ?? false) ? -1 : 1;
  }
  return 0;
}

/** How a field's value moved: numbers, money and moments rise or fall, all else is set; undefined: not at all. */
export function compareField(
  field: string,
  before: Json | undefined,
  after: Json | undefined,
): "up" | "down" | "set" | undefined {
  if (before === after || JSON.stringify(before) === JSON.stringify(after)) return undefined;
  const [from, to] = [rankOf(field, before), rankOf(field, after)];
  const measured = (rank: Rank): boolean => typeof rank === "number" || typeof rank === "bigint" || MOMENT.test(field);
  if (from === null || to === null || !measured(from) || !measured(to)) return "set";
  return to > from ? "up" : to < from ? "down" : undefined;
}

/** Rows in one order. Tell it which keys changed (`touch`), read `rows`: the same array until something changed. */
export class Ranking<R extends WireRow = WireRow> {
  #fields: readonly string[];
  #descending: readonly boolean[];
  #placed: readonly Placed<R>[] = [];
  #rows: readonly R[] = [];
  #touched: Set<string> | "all" = "all";

  constructor(order: readonly string[] = []) {
    this.#fields = order.map((name) => name.replace(/^-/, ""));
    this.#descending = order.map((name) => name.startsWith("-"));
  }

  /** Says that these keys' rows changed, came or left; without keys: all. */
  touch(keys?: Iterable<string>): void {
    if (!keys) this.#touched = "all";
    else if (this.#touched !== "all") for (const key of keys) this.#touched.add(key);
  }

  /** The rows of `table` in order. */
  rows(table: ReadonlyMap<string, R>): readonly R[] {
    const touched = this.#touched;
    if (touched !== "all" && touched.size === 0) return this.#rows;
    const descending = this.#descending;
    const by = (a: Placed<R>, b: Placed<R>): number => compare(a.rank, b.rank, descending);
    const fresh: Placed<R>[] = [];
    for (const key of touched === "all" ? table.keys() : touched) {
      const row = table.get(key);
      if (row) fresh.push(this.#place(key, row));
    }
    fresh.sort(by);
    this.#placed = touched === "all" ? fresh : merge(this.#placed, touched, fresh, by);
    this.#rows = this.#placed.map((each) => each.row);
    this.#touched = new Set();
    return this.#rows;
  }

  #place(key: string, row: R): Placed<R> {
    const rank = this.#fields.map((field) => rankOf(field, row[field]));
    for (const text of key.split("\0")) rank.push(byCodePoint(text));
    return { key, row, rank };
  }
}

function merge<R>(
  placed: readonly Placed<R>[],
  touched: ReadonlySet<string>,
  fresh: readonly Placed<R>[],
  by: (a: Placed<R>, b: Placed<R>) => number,
): Placed<R>[] {
  const merged: Placed<R>[] = [];
  let index = 0;
  for (const each of placed) {
    if (touched.has(each.key)) continue;
    for (let come = fresh[index]; come && by(come, each) < 0; come = fresh[++index]) merged.push(come);
    merged.push(each);
  }
  for (; index < fresh.length; index++) merged.push(fresh[index] as Placed<R>);
  return merged;
}
