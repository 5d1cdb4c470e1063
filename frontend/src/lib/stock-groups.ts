/**
 * Stock added up by product or by location: for each group one row of totals that reads like a stock row. Kept up from what changed, by what a row adds now less
 * what it added before; the sums are whole thousandths, so they stay exact however often that is. What has no total (days of cover, a price) is null.
 */

import type { InventoryRow } from "../stores/rows";
import { MOVED } from "./reads";

export type Grouping = "sku" | "location";

/** A group's name, which no stock row has for a key: theirs hold a NUL between two names. */
export type GroupKey = string;

const SUMMED = [...MOVED, "available"] as const satisfies readonly (keyof InventoryRow)[];

/** From what needs somebody first to what needs nobody; a group is as its worst row. */
const WORST: readonly InventoryRow["stock_status"][] = [
  "oversold",
  "out_of_stock",
  "low",
  "overstock",
  "ok",
  "untracked",
];

const THOUSANDTHS = 1_000;
/** How many rows are taken in between two chances to pause. */
const SLICE = 2_000;

interface Sums {
  rows: number;
  readonly quantities: number[];
  readonly statuses: number[];
  /** Of the rows that have one. */
  reorderPoint: number;
  reorderPoints: number;
  newest: string;
}

export class StockGroups {
  readonly #by: Grouping;
  readonly #known = new Map<string, InventoryRow>();
  readonly #sums = new Map<GroupKey, Sums>();
  /** What the rows of a group call it; by SKU all have the product's name. */
  readonly #names = new Map<GroupKey, string>();
  /** The totals of each group, by its key. */
  readonly totals = new Map<GroupKey, InventoryRow>();

  constructor(by: Grouping) {
    this.#by = by;
  }

  groupOf(row: InventoryRow): GroupKey {
    return row[this.#by];
  }

  /** Of how many rows a group is. */
  sizeOf(group: GroupKey): number {
    return this.#sums.get(group)?.rows ?? 0;
  }

  /** Takes all rows in; each step is a slice of the work. */
  *build(rows: ReadonlyMap<string, InventoryRow>): Generator<void, void> {
    let taken = 0;
    for (const [key, row] of rows) {
      this.#put(key, row);
      if (++taken % SLICE === 0) yield;
    }
    taken = 0;
    for (const group of this.#sums.keys()) {
      this.#total(group);
      if (++taken % SLICE === 0) yield;
    }
  }

  /** Takes over what became of some rows. Gives the groups whose totals are others now. */
  take(keys: Iterable<string>, find: (key: string) => InventoryRow | undefined): Set<GroupKey> {
    const touched = new Set<GroupKey>();
    for (const key of keys) {
      const before = this.#known.get(key);
      const row = find(key);
      if (before === row) continue;
      if (before) touched.add(this.groupOf(before));
      if (row) touched.add(this.groupOf(row));
      this.#put(key, row);
    }
    for (const group of touched) this.#total(group);
    return touched;
  }

  #put(key: string, row: InventoryRow | undefined): void {
    const before = this.#known.get(key);
    if (before) this.#count(before, -1);
    if (row) {
      this.#known.set(key, row);
      this.#count(row, 1);
    } else this.#known.delete(key);
  }

  #count(row: InventoryRow, by: 1 | -1): void {
    const group = this.groupOf(row);
    let sums = this.#sums.get(group);
    if (!sums) {
      sums = {
        rows: 0,
        quantities: SUMMED.map(() => 0),
        statuses: WORST.map(() => 0),
        reorderPoint: 0,
        reorderPoints: 0,
        newest: "",
      };
      this.#sums.set(group, sums);
    }
    sums.rows += by;
    for (const [at, field] of SUMMED.entries())
      sums.quantities[at] = (sums.quantities[at] ?? 0) + by * Math.round(row[field] * THOUSANDTHS);
    const status = WORST.indexOf(row.stock_status);
    sums.statuses[status] = (sums.statuses[status] ?? 0) + by;
    if (row.reorder_point !== null) {
      sums.reorderPoint += by * Math.round(row.reorder_point * THOUSANDTHS);
      sums.reorderPoints += by;
    }
    if (by > 0 && row.updated_at > sums.newest) sums.newest = row.updated_at;
    if (by > 0) this.#names.set(group, row.name);
  }

  #total(group: GroupKey): void {
    const sums = this.#sums.get(group);
    if (!sums || sums.rows === 0) {
      this.#sums.delete(group);
      this.#names.delete(group);
      this.totals.delete(group);
      return;
    }
    const quantity = (at: number): number => (sums.quantities[at] ?? 0) / THOUSANDTHS;
    const bySku = this.#by === "sku";
    this.totals.set(group, {
      version: 0,
      sku: bySku ? group : "",
      location: bySku ? "" : group,
      name: bySku ? (this.#names.get(group) ?? "") : group,
      on_hand: quantity(0),
      committed: quantity(1),
      reserved: quantity(2),
      damaged: quantity(3),
      quality_control: quantity(4),
      safety_stock: quantity(5),
      incoming: quantity(6),
      available: quantity(7),
      reorder_point: sums.reorderPoints > 0 ? sums.reorderPoint / THOUSANDTHS : null,
      reorder_quantity: null,
      unit_cost: null,
      currency: null,
      days_of_cover: null,
      stock_status: WORST[sums.statuses.findIndex((count) => count > 0)] ?? "untracked",
      source: "",
      source_updated_at: sums.newest,
      counted_at: null,
      updated_at: sums.newest,
    });
  }
}
