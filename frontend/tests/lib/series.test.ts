import { describe, expect, it } from "vitest";

import { buckets, gaugeLine, gaugeYesterday } from "../../src/lib/series";
import type { HourRow } from "../../src/stores/rows";

function hour(start: string, sales: string, orders = 1, open: number | null = null): HourRow {
  return {
    version: 1,
    start,
    orders_placed: orders,
    units_sold: orders,
    gross_sales: sales,
    discounts: "0",
    returns: "0",
    net_sales: sales,
    shipping: "0",
    tax: "0",
    total_sales: sales,
    orders_open: open,
    orders_late: null,
    orders_at_risk: null,
    out_of_stock_count: null,
    oversold_count: null,
    low_stock_count: null,
    inventory_value: null,
  };
}

const NOW = Date.parse("2026-07-02T10:30:00Z");

describe("the hours of a day", () => {
  const rows = [
    hour("2026-07-02T08:00:00Z", "10.10", 2),
    hour("2026-07-02T10:00:00Z", "5", 1),
    hour("2026-07-01T08:00:00Z", "7", 3),
  ];
  const found = buckets(rows, "today", NOW, "Europe/London");

  it("stand at the shop's own hours, with the day before behind them", () => {
    expect(found).toHaveLength(24);
    expect(found[9]).toMatchObject({
      day: "2026-07-02",
      hour: 9,
      now: { sales: "10.1", orders: 2 },
      before: { sales: "7", orders: 3 },
    });
  });

  it("leave a gap where the feed has no hour", () => {
    expect(found[10]?.now).toEqual({ sales: null, orders: null, units: null });
  });

  it("mark the one that is still filling and those still to come", () => {
    expect(found[11]).toMatchObject({ incomplete: true, ahead: false });
    expect(found[12]).toMatchObject({ incomplete: false, ahead: true });
  });
});

it("adds the hours of each day over a week", () => {
  const rows = [
    hour("2026-07-01T08:00:00Z", "0.10"),
    hour("2026-07-01T09:00:00Z", "0.20"),
    hour("2026-06-24T09:00:00Z", "4"),
  ];
  const found = buckets(rows, "last_7_days", NOW, "UTC");
  expect(found).toHaveLength(7);
  expect(found[5]).toMatchObject({
    day: "2026-07-01",
    now: { sales: "0.3" },
    before: { sales: "4" },
    incomplete: false,
  });
  expect(found[6]).toMatchObject({ day: "2026-07-02", incomplete: true });
});

it("takes the hour that a clock change repeats as one", () => {
  const rows = [hour("2026-10-25T00:00:00Z", "1"), hour("2026-10-25T01:00:00Z", "2")];
  const found = buckets(rows, "today", Date.parse("2026-10-25T12:00:00Z"), "Europe/London");
  expect(found[1]?.now.sales).toBe("3");
});

describe("how things stood", () => {
  const rows = [
    hour("2026-07-01T10:00:00Z", "0", 0, 41),
    hour("2026-07-02T09:00:00Z", "0", 0, 44),
    hour("2026-07-02T10:00:00Z", "0", 0, 40),
  ];

  it("is followed hour by hour with gaps", () => {
    expect(gaugeLine(rows, ["orders_open"], NOW, 3)).toEqual([null, 44, 40]);
  });

  it("is known for this hour yesterday, or not at all", () => {
    expect(gaugeYesterday(rows, "orders_open", NOW)).toBe(41);
    expect(gaugeYesterday(rows, "orders_late", NOW)).toBeNull();
  });
});
