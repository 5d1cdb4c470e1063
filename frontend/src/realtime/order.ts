// The order of rows (P4.3), kept up cheaply.
//
// Each row gets a rank once: a list of plain values that `<` puts right. So 100,000 rows sort by native comparisons,
// and a change of a few rows costs one walk over the sorted list and not another sort.
//
// What a field's text means is known by its name, as spec/rows.md has it: money compares by value, a moment by time.

import type { Client, Subscription } from "./client";
import type { Json, ViewRequest, WireRow } from "./protocol";
import type { ViewChange } from "./replica";

type Rank = string | number | bigint | boolean | null;

interface Placed<R> {
  readonly key: string;
  readonly row: R;
  readonly rank: readonly Rank[];
}

const MOMENT = /(_at|since|_of|^start)$/;
const MONEY = /(_sales|_cost|_value|^(gross|discounts?|shipping|tax|total|credited|returns|value|previous))$/;
const DECIMAL = /^-?\d+(\.\d+)?$/;

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
    return BigInt(whole + fraction.padEnd(12, "0"));
  }
  // Without its Z, a moment with a fraction comes after the same second without one.
  return byCodePoint(MOMENT.test(field) ? value.replace(/Z$/, "") : value);
}

/** Compares ranks of rows in `order`. What follows its fields is the key. */
function compare(a: readonly Rank[], b: readonly Rank[], order: readonly string[]): number {
  for (let index = 0; index < a.length; index++) {
    const left = a[index] ?? null;
    const right = b[index] ?? null;
    if (left === right) continue;
    if (left === null || right === null) return left === null ? 1 : -1;
    return left < right !== (order[index]?.startsWith("-") ?? false) ? -1 : 1;
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
  const from = rankOf(field, before);
  const to = rankOf(field, after);
  const measured = [from, to].every((rank) => /number|bigint/.test(typeof rank) || (rank && MOMENT.test(field)));
  if (!measured || from === null || to === null) return "set";
  return to > from ? "up" : to < from ? "down" : undefined;
}

/** Rows in one order. Tell it which keys changed (`touch`), read `rows`: the same array until something changed. */
export class Ranking<R extends WireRow = WireRow> {
  readonly #order: readonly string[];
  #placed: readonly Placed<R>[] = [];
  #rows: readonly R[] = [];
  #touched: Set<string> | undefined;

  constructor(order: readonly string[] = []) {
    this.#order = order;
  }

  /** Says that these keys' rows changed, came or left; without keys: all. */
  touch(keys?: Iterable<string>): void {
    if (!keys) this.#touched = undefined;
    else if (this.#touched) for (const key of keys) this.#touched.add(key);
  }

  /** The rows of `table` in order. */
  rows(table: ReadonlyMap<string, R>): readonly R[] {
    const touched = this.#touched;
    if (touched?.size === 0) return this.#rows;
    const placed = touched ? this.#placed.filter(({ key }) => !touched.has(key)) : [];
    for (const key of touched ?? table.keys()) {
      const row = table.get(key);
      if (row) placed.push({ key, row, rank: this.#rank(key, row) });
    }
    // What was in order and a few at the end: a sort that knows runs walks it once.
    this.#placed = placed.sort((a, b) => compare(a.rank, b.rank, this.#order));
    this.#touched = new Set();
    return (this.#rows = placed.map(({ row }) => row));
  }

  #rank(key: string, row: R): Rank[] {
    return [
      ...this.#order.map((name) => rankOf(name.replace("-", ""), row[name.replace("-", "")])),
      ...key.split("\0").map(byCodePoint),
    ];
  }
}

/** A view that somebody holds, in order. */
export interface RankedSubscription<R extends WireRow = WireRow> extends Omit<Subscription<R>, "rows"> {
  /** All rows in the view's order: the same array until something changed. */
  readonly rows: readonly R[];
  /** All rows by key, in no order; changed in place. */
  readonly all: ReadonlyMap<string, R>;
  get(key: string | readonly string[]): R | undefined;
}

/** Subscribes as `client.subscribe` does, and keeps the rows in the order that was asked for. */
export function ranked<R extends WireRow = WireRow>(
  client: Pick<Client, "subscribe">,
  request: ViewRequest,
  changed?: (change: ViewChange) => void,
): RankedSubscription<R> {
  const ranking = new Ranking<R>(request.order);
  const held = client.subscribe<R>(request, (change) => {
    ranking.touch(change.kind === "delta" ? change.changes.map(({ key }) => key) : undefined);
    changed?.(change);
  });
  return {
    get rows() {
      return ranking.rows(held.rows);
    },
    get all() {
      return held.rows;
    },
    get loaded() {
      return held.loaded;
    },
    get cursor() {
      return held.cursor;
    },
    get key() {
      return held.key;
    },
    get error() {
      return held.error;
    },
    get: (key) => held.rows.get(typeof key === "string" ? key : key.join("\0")),
    stop: () => {
      held.stop();
    },
  };
}
