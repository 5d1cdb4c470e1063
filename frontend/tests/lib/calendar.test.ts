import { describe, expect, it } from "vitest";

import { localText, momentOf } from "../../src/lib/calendar";

const LONDON = "Europe/London";

describe("the shop's wall clock", () => {
  it("names a moment in the shop's time zone and finds it again", () => {
    for (const [moment, local, timezone] of [
      ["2026-03-02T14:02:00Z", "2026-03-02T14:02", LONDON],
      ["2026-07-02T14:02:00Z", "2026-07-02T15:02", LONDON],
      ["2026-03-02T23:30:00Z", "2026-03-03T05:00", "Asia/Kolkata"],
      ["2026-01-01T02:00:00Z", "2025-12-31T21:00", "America/New_York"],
    ] as const) {
      expect(localText(Date.parse(moment), timezone)).toBe(local);
      expect(momentOf(local, timezone)).toBe(Date.parse(moment));
    }
  });

  it("takes a time that the clocks skip as one an hour on, and of two equal ones the first", () => {
    expect(localText(momentOf("2026-03-29T01:30", LONDON), LONDON)).toBe("2026-03-29T02:30");
    expect(momentOf("2026-10-25T01:30", LONDON)).toBe(Date.parse("2026-10-25T00:30:00Z"));
  });

  it("knows no moment for what is no time", () => {
    expect(momentOf("", LONDON)).toBeNaN();
  });
});
