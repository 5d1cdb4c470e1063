import { describe, expect, it } from "vitest";

import { ago, bytes, duration, formatsFor } from "../../src/lib/format";

const formats = formatsFor("GBP", "Europe/London", "en-GB");

describe("money", () => {
  it("keeps every digit of its text", () => {
    expect(formats.money("12345678901234567.89")).toBe("£12,345,678,901,234,567.89");
    expect(formats.money("0.0015")).toBe("£0.0015");
  });

  it("has at least the digits of its currency", () => {
    expect(formats.money("6.9")).toBe("£6.90");
    expect(formats.money("7", "JPY")).toBe("¥7");
  });

  it("has a sign where it is a change", () => {
    expect(formats.moneyChange("3")).toBe("+£3.00");
    expect(formats.moneyChange("-3")).toBe("\u2212£3.00");
    expect(formats.moneyChange("0.00")).toBe("£0.00");
  });
});

describe("times", () => {
  it("are the shop's, whatever the reader's zone is", () => {
    expect(formats.timeOfDay("2026-07-01T12:00:05Z")).toBe("13:00:05");
    expect(formatsFor("USD", "America/New_York", "en-US").time("2026-07-01T18:02:00Z")).toBe("14:02");
  });

  it("say the day when it is not today", () => {
    const now = Date.parse("2026-03-02T14:00:00Z");
    expect(formats.moment("2026-03-02T09:30:00Z", now)).toBe("09:30");
    expect(formats.moment("2026-03-01T23:30:00Z", now)).toBe("1 Mar, 23:30");
    expect(formats.moment("2024-03-01T23:30:00Z", now)).toContain("2024");
  });
});

describe("lengths of time", () => {
  it.each([
    [400, "0 s"],
    [59_999, "59 s"],
    [180_000, "3 min"],
    [7_500_000, "2 h 5 min"],
    [7_200_000, "2 h"],
    [90_000_000, "1 day 1 h"],
    [4 * 86_400_000, "4 days"],
    [-5000, "0 s"],
  ])("reads %i ms as %s", (ms, words) => {
    expect(duration(ms)).toBe(words);
  });

  it("are ago, or now", () => {
    expect(ago(900)).toBe("now");
    expect(ago(2100)).toBe("2 s ago");
  });
});

it("rounds bytes to what a person reads", () => {
  expect(bytes(999)).toBe("999 B");
  expect(bytes(381_204)).toBe("381.2 kB");
  expect(bytes(2_500_000)).toBe("2.5 MB");
});
