import { describe, expect, it } from "vitest";

import { formatsFor } from "../../src/lib/format";
import { ageing, codeWords, orderLook, ORDER_STATES, STOCK_STATUSES, stockLook, stockWords } from "../../src/lib/words";

const formats = formatsFor("GBP", "UTC", "en-GB");
const NOW = Date.parse("2026-03-02T14:00:00Z");

describe("stock in words", () => {
  it("says by how much a row is oversold", () => {
    expect(stockWords({ stock_status: "oversold", available: -3 }, formats)).toBe("Oversold by 3");
    expect(stockWords({ stock_status: "oversold", available: -0.5 }, formats)).toBe("Oversold by 0.5");
  });

  it("never hides a negative number behind another status", () => {
    expect(stockWords({ stock_status: "untracked", available: -2 }, formats)).toBe("Oversold by 2");
  });

  it("names the status otherwise", () => {
    expect(stockWords({ stock_status: "out_of_stock", available: 0 }, formats)).toBe("Out of stock");
  });

  it("tells every status apart by its shape", () => {
    expect(new Set(STOCK_STATUSES.map((status) => stockLook(status).shape)).size).toBe(STOCK_STATUSES.length);
  });
});

describe("an order's time in words", () => {
  const order = {
    lateness: "on_track",
    due_at: null,
    at_risk_at: null,
    placed_at: "2026-03-02T12:00:00Z",
    closed_at: null,
  } as const;

  it("counts up past what was allowed", () => {
    expect(ageing({ ...order, lateness: "late", due_at: "2026-03-02T13:54:00Z" }, NOW)).toMatchObject({
      words: "6 min over",
      tone: "critical",
    });
  });

  it("counts down to it", () => {
    expect(ageing({ ...order, due_at: "2026-03-02T16:05:00Z" }, NOW)).toMatchObject({
      words: "due in 2 h 5 min",
      tone: "ok",
    });
    expect(ageing({ ...order, lateness: "at_risk", due_at: "2026-03-02T14:12:00Z" }, NOW)).toMatchObject({
      words: "due in 12 min",
      tone: "warning",
    });
  });

  it("is late as soon as the time is over, before the next frame says so", () => {
    expect(ageing({ ...order, due_at: "2026-03-02T13:59:00Z" }, NOW).tone).toBe("critical");
  });

  it("says how long an order took once it is closed", () => {
    expect(ageing({ ...order, closed_at: "2026-03-02T13:30:00Z" }, NOW).words).toBe("took 1 h 30 min");
  });
});

it("has words and a shape for every order status", () => {
  for (const status of ORDER_STATES) expect(orderLook(status).words).not.toBe("");
});

it("writes codes as people do, also one that it never heard of", () => {
  expect(codeWords("partially_refunded")).toBe("Partially refunded");
  expect(codeWords("struck_by.lightning")).toBe("Struck by lightning");
});
