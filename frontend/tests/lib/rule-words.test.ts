import { afterEach, describe, expect, it } from "vitest";

import { formatsFor } from "../../src/lib/format";
import { language } from "../../src/lib/language.svelte";
import { KINDS } from "../../src/lib/notices";
import { baselines, FIELDS, firstLimit, ruleNotes, ruleSentence } from "../../src/lib/rule-words";
import type { RuleRow } from "../../src/stores/rows";
import { rule } from "../fixtures/notices";

const says = (of: Partial<RuleRow> & Pick<RuleRow, "kind">): string =>
  ruleSentence(rule(of), formatsFor("GBP", "Europe/London"));

describe("a rule", () => {
  it("is a plain sentence with where and for how long", () => {
    expect(says({ kind: "low_stock", scope: { location: "Leeds" }, for_seconds: 600 })).toBe(
      "Tell me when available is at or below the reorder point at Leeds, for 10 min.",
    );
    expect(says({ kind: "low_stock", threshold: 5, scope: { sku: "MUG-01" } })).toBe(
      "Tell me when available is at or below 5 of MUG-01.",
    );
    expect(says({ kind: "out_of_stock" })).toBe("Tell me when nothing is available.");
  });

  it("names the orders that it is about", () => {
    expect(says({ kind: "order_status", scope: { watched: true } })).toBe(
      "Tell me when an order that I watch changes its status.",
    );
    expect(says({ kind: "order_status", scope: { statuses: ["cancelled", "returned"], channel: "web" } })).toBe(
      "Tell me when any order becomes cancelled or returned from the channel web.",
    );
    expect(says({ kind: "order_stuck", threshold: 100 })).toBe("Tell me when an order is late.");
    expect(says({ kind: "order_stuck", threshold: 80 })).toBe(
      "Tell me when an order is at risk of being late, or late.",
    );
    expect(says({ kind: "large_order", threshold: 500, scope: { currency: "EUR" } })).toBe(
      "Tell me when an order of €500.00 or more is placed.",
    );
  });

  it("writes the limit of a metric in the metric's unit", () => {
    const metric = { kind: "metric", period: "today" } as const;
    expect(says({ ...metric, metric: "net_sales", comparison: "below", threshold: 1200 })).toBe(
      "Tell me when net sales today is below £1,200.00.",
    );
    expect(says({ ...metric, metric: "orders_placed", comparison: "changed", threshold: 30 })).toBe(
      "Tell me when orders placed today differs by more than 30 % from the same time before.",
    );
    expect(says({ ...metric, metric: "net_sales", comparison: "below", against: "week_before", threshold: 25 })).toBe(
      "Tell me when net sales today is more than 25 % below the same time last week.",
    );
    expect(
      says({ kind: "rate_spike", metric: "return_rate", period: "today", comparison: "above", threshold: 20 }),
    ).toBe("Tell me when return rate today is above 20 %.");
  });

  it("is compared with what there is to compare with", () => {
    const placed = { metric: "orders_placed", period: "today" };
    expect(baselines({ ...placed, comparison: "below" })).toEqual([null, "period_before", "week_before"]);
    expect(baselines({ ...placed, comparison: "changed" })).toEqual(["period_before", "week_before"]);
    expect(baselines({ metric: "orders_open", period: "now", comparison: "changed" })).toEqual(["week_before"]);
    expect(baselines({ metric: "source_lag", period: "now", comparison: "above" })).toEqual([null]);
  });

  it("says beside it how it ends and when it comes again", () => {
    const notes = ruleNotes(
      rule({ kind: "low_stock", clear: 3, keep_seconds: 300, cooldown_seconds: 3600 }),
      formatsFor("GBP", "Europe/London"),
    );
    expect(notes).toEqual(["ends 3 beyond the limit", "goes on for 5 min", "again after 1 h at the earliest"]);
  });

  describe("in every language", () => {
    afterEach(() => language.choose("en"));

    it.each([
      ["en", "last week"],
      ["de", "der Vorwoche"],
    ])("says what a metric is compared with (%s)", async (code, words) => {
      await language.choose(code);
      const metric = { kind: "metric", metric: "return_rate", period: "today", threshold: 30 } as const;
      for (const comparison of ["above", "below", "changed"] as const) {
        expect(says({ ...metric, comparison, against: "week_before" })).toContain(words);
        expect(says({ ...metric, comparison, against: "period_before" })).toMatch(/time before|gleichen Zeit davor/);
      }
    });

    it.each(["en", "de"])("has a sentence for each kind, with every blank filled (%s)", async (code) => {
      await language.choose(code);
      for (const kind of KINDS) {
        const spike = kind === "rate_spike" || kind === "metric";
        const about = spike ? ({ metric: "return_rate", period: "today", comparison: "above" } as const) : {};
        for (const threshold of [firstLimit(kind), FIELDS[kind].limit === "units" ? 7 : firstLimit(kind)])
          expect(says({ kind, threshold, ...about })).toMatch(/^(Tell me|Melden,) [^{}]{10,}\.$/);
      }
    });
  });
});
