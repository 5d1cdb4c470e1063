import { afterEach, describe, expect, it } from "vitest";

import { formatsFor } from "../../src/lib/format";
import { language } from "../../src/lib/language.svelte";
import {
  atLeast,
  KINDS,
  nextMorning,
  noticeAddress,
  noticeText,
  noticeTitle,
  snoozes,
  standing,
} from "../../src/lib/notices";
import { notice } from "../fixtures/notices";

const formats = formatsFor("GBP", "Europe/London");
const mug = {
  kind: "oversold",
  subject: "stock/MUG-01/leeds",
  sku: "MUG-01",
  location: "leeds",
  name: "Blue mug",
} as const;

describe("a notification", () => {
  it("is one sentence and a line of figures", () => {
    const row = notice({ ...mug, value: "-3", occurrences: 2 });
    expect(noticeTitle(row)).toBe("Blue mug is oversold at leeds");
    expect(noticeText(row, formats)).toBe("Now −3 · MUG-01 · 2 times");
  });

  it("of something without a name is about its SKU, also as the one member of a group", () => {
    expect(noticeTitle(notice({ ...mug, name: "" }))).toBe("MUG-01 is oversold at leeds");
    const group = { subject: "location/leeds", sku: null, name: "", members: ["stock/MUG-01/leeds"] };
    expect(noticeTitle(notice({ ...mug, ...group }))).toBe("MUG-01 is oversold at leeds");
  });

  it("of several says how many, and names some", () => {
    const row = notice({
      kind: "out_of_stock",
      subject: "location/leeds",
      count: 12,
      value: "0",
      threshold: "2",
      members: ["stock/A/leeds", "stock/B/leeds", "stock/C/leeds", "stock/D/leeds"],
    });
    expect(noticeTitle(row)).toBe("12 products are out of stock at leeds");
    expect(noticeText(row, formats)).toBe("Among them A, B, C");
  });

  it("of an order says where that came to", () => {
    const row = notice({
      kind: "order_status",
      subject: "order/1001",
      order_id: "1001",
      name: "1001",
      value: "shipped",
    });
    expect(noticeTitle(row)).toBe("Order 1001: Shipped");
  });

  it("of a metric writes its values in the metric's unit", () => {
    const row = notice({
      kind: "metric",
      subject: "metric/net_sales/today",
      metric: "net_sales",
      value: "812.4",
      threshold: "1160",
    });
    expect(noticeTitle(row)).toBe("Net sales needs a look");
    expect(noticeText(row, formats)).toBe("Now £812.40, limit £1,160.00");
  });

  it("leads to what it is about", () => {
    expect(noticeAddress(notice(mug))).toBe("/inventory?sku=MUG-01&in=leeds");
    expect(noticeAddress(notice({ kind: "order_stuck", subject: "order/10/1", order_id: "10/1" }))).toBe(
      "/orders/10%2F1",
    );
    expect(noticeAddress(notice({ kind: "oversold", subject: "location/leeds" }))).toBe(
      "/inventory?location=leeds&status=oversold",
    );
    expect(noticeAddress(notice({ kind: "metric", subject: "metric/x/today", metric: "x" }))).toBe("/metrics");
    expect(noticeAddress(notice({ kind: "drift", subject: "log" }))).toBe("/");
  });

  it("says who sees to it, until when it is put off, and how it ended", () => {
    const now = Date.parse("2026-03-02T14:00:00Z");
    const said = (of: object): string => standing(notice({ ...mug, ...of }), formats, now);
    expect(said({ state: "acknowledged", acknowledged_by: "mia" })).toBe("acknowledged by mia");
    expect(said({ state: "snoozed", snoozed_until: "2026-03-02T14:15:00Z" })).toBe("snoozed until 14:15");
    expect(said({ state: "resolved", resolved_by: "" })).toBe("over by itself");
    expect(said({ state: "resolved", resolved_by: "mia" })).toBe("resolved by mia");
  });

  it("is as grave as asked for, or graver", () => {
    expect(atLeast("critical", "warning")).toBe(true);
    expect(atLeast("info", "warning")).toBe(false);
  });

  describe("in every language", () => {
    afterEach(() => language.choose("en"));

    it.each(["en", "de"])("has a sentence for each kind, of one and of several (%s)", async (code) => {
      await language.choose(code);
      for (const kind of KINDS)
        for (const count of [1, 3])
          expect(noticeTitle(notice({ kind, subject: "location/x", name: "Mug", count }))).toMatch(/^[^{}.]{8,}$/);
    });
  });
});

describe("putting off", () => {
  it("is for a quarter of an hour, an hour, or until tomorrow morning at the shop", () => {
    const now = Date.parse("2026-03-02T23:30:00Z");
    expect(snoozes(now, "Europe/Berlin").map(({ until }) => new Date(until).toISOString())).toEqual([
      "2026-03-02T23:45:00.000Z",
      "2026-03-03T00:30:00.000Z",
      "2026-03-04T07:00:00.000Z",
    ]);
  });

  it("until the morning after the clocks change is until eight by the changed clock", () => {
    const at = (moment: string, zone: string): string => new Date(nextMorning(Date.parse(moment), zone)).toISOString();
    expect(at("2026-03-28T12:00:00Z", "Europe/London")).toBe("2026-03-29T07:00:00.000Z");
    expect(at("2026-10-24T12:00:00Z", "Europe/London")).toBe("2026-10-25T08:00:00.000Z");
    expect(at("2026-03-02T12:00:00Z", "America/New_York")).toBe("2026-03-03T13:00:00.000Z");
  });
});
