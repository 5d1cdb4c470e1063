import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { StockGroups } from "../../src/lib/stock-groups";
import type { InventoryRow } from "../../src/stores/rows";
import { stockRows } from "../fixtures/shop";

const [sample] = stockRows(1, 0);
if (!sample) throw new Error("The made-up shop is empty.");
const made: InventoryRow = sample;

function row(sku: string, location: string, on_hand: number, more: Partial<InventoryRow> = {}): InventoryRow {
  return { ...made, sku, location, name: `${sku} mug`, on_hand, available: on_hand, reorder_point: null, ...more };
}

function built(by: "sku" | "location", rows: ReadonlyMap<string, InventoryRow>): StockGroups {
  const groups = new StockGroups(by);
  for (const _ of groups.build(rows));
  return groups;
}

const keyOf = ({ sku, location }: InventoryRow): string => `${sku}\u0000${location}`;
const table = (...rows: InventoryRow[]): Map<string, InventoryRow> => new Map(rows.map((one) => [keyOf(one), one]));

describe("stock in groups", () => {
  const rows = table(
    row("A", "leeds", 0.1, { stock_status: "ok", reorder_point: 2 }),
    row("A", "york", 0.2, { stock_status: "low" }),
    row("B", "leeds", -3, { stock_status: "oversold" }),
  );

  it("has one row of totals for each product, as bad as the worst of its places", () => {
    const { totals } = built("sku", rows);
    expect(totals.get("A")).toMatchObject({ sku: "A", location: "", name: "A mug", on_hand: 0.3, stock_status: "low" });
    expect(totals.get("A")).toMatchObject({ reorder_point: 2, days_of_cover: null, unit_cost: null });
    expect(totals.get("B")).toMatchObject({ on_hand: -3, stock_status: "oversold", reorder_point: null });
  });

  it("has one for each location too", () => {
    const groups = built("location", rows);
    expect(groups.totals.get("leeds")).toMatchObject({ location: "leeds", sku: "", on_hand: -2.9 });
    expect(groups.sizeOf("leeds")).toBe(2);
  });

  it("is after any changes what adding up anew gives, to the thousandth", () => {
    const change = fc.tuple(
      fc.constantFrom("A", "B", "C"),
      fc.constantFrom("leeds", "york"),
      fc.option(fc.integer({ min: -5_000, max: 5_000 })),
    );
    fc.assert(
      fc.property(fc.array(fc.array(change)), fc.constantFrom("sku" as const, "location" as const), (rounds, by) => {
        const rows = new Map<string, InventoryRow>();
        const groups = built(by, rows);
        for (const round of rounds) {
          for (const [sku, location, amount] of round) {
            const one = row(sku, location, (amount ?? 0) / 1_000, {
              stock_status: (amount ?? 0) < 0 ? "oversold" : "ok",
            });
            if (amount === null) rows.delete(keyOf(one));
            else rows.set(keyOf(one), one);
          }
          groups.take(
            round.map(([sku, location]) => `${sku}\u0000${location}`),
            (key) => rows.get(key),
          );
          expect(new Map([...groups.totals].sort())).toEqual(new Map([...built(by, rows).totals].sort()));
        }
      }),
    );
  });

  it("tells which groups a change moved, and touches no other", () => {
    const groups = built("sku", rows);
    const before = groups.totals.get("B");
    const next = row("A", "york", 5);
    const touched = groups.take([keyOf(next)], () => next);
    expect([...touched]).toEqual(["A"]);
    expect(groups.totals.get("B")).toBe(before);
  });

  it("is added up in slices of at most 2,000 rows", () => {
    const many = table(...Array.from({ length: 9_000 }, (_, index) => row(`S-${String(index)}`, "leeds", 1)));
    let slices = 0;
    for (const _ of new StockGroups("sku").build(many)) slices += 1;
    expect(slices).toBe(8);
  });
});
