import { describe, expect, it } from "vitest";

import { bounded, daysIn, daysOf, DAYS_MOST } from "../../src/lib/days";
import { bucketsOf, type Sold } from "../../src/lib/series";

const TODAY = "2026-03-25";
const asked = (query: string) => daysOf(new URLSearchParams(query), TODAY);

describe("days that the address names", () => {
  it("are those days, both included", () => {
    expect(asked("from=2026-03-01&to=2026-03-15")).toEqual({ from: "2026-03-01", to: "2026-03-15" });
    expect(daysIn(asked("from=2026-03-01&to=2026-03-15"))).toBe(15);
  });

  it("are put right when they are the wrong way round, lie ahead or are too many", () => {
    expect(asked("from=2026-03-15&to=2026-03-01")).toEqual({ from: "2026-03-01", to: "2026-03-15" });
    expect(asked("from=2026-03-20&to=2027-01-01")).toEqual({ from: "2026-03-20", to: TODAY });
    expect(daysIn(bounded({ from: "2001-01-01", to: TODAY }, TODAY))).toBe(DAYS_MOST);
  });

  it("are the last two weeks when nothing useful is named, and one day when one is", () => {
    expect(asked("")).toEqual({ from: "2026-03-12", to: TODAY });
    expect(asked("from=soon&to=2026-02-31x")).toEqual({ from: "2026-03-12", to: TODAY });
    expect(asked("from=2026-03-02")).toEqual({ from: "2026-03-02", to: "2026-03-02" });
  });
});

describe("buckets of chosen days", () => {
  const now = Date.parse("2026-03-25T14:20:00Z");
  const sold = (start: string, orders_placed: number): Sold => ({
    start,
    orders_placed,
    net_sales: String(orders_placed * 10),
    units_sold: orders_placed,
  });

  it("are days with the same days before behind them, through a change of the clocks", () => {
    const rows = [sold("2026-03-28T00:00:00Z", 1), sold("2026-03-29T00:00:00Z", 2), sold("2026-03-29T23:00:00Z", 3)];
    const days = { from: "2026-03-29", to: "2026-03-30" };
    const buckets = bucketsOf(rows, days, Date.parse("2026-04-10T00:00:00Z"), "Europe/London");
    expect(buckets.map(({ day, now, before }) => [day, now.orders, before.orders])).toEqual([
      ["2026-03-29", 2, null],
      ["2026-03-30", 3, 1],
    ]);
  });

  it("are hours when it is one day, the running one marked", () => {
    const buckets = bucketsOf([sold("2026-03-25T14:00:00Z", 4)], { from: TODAY, to: TODAY }, now, "UTC");
    expect(buckets).toHaveLength(24);
    expect(buckets[14]).toMatchObject({ now: { orders: 4, sales: "40" }, incomplete: true });
    expect(buckets[15]).toMatchObject({ now: { orders: null }, ahead: true });
  });
});
