import { describe, expect, it } from "vitest";

import { panelAt, PANELS, wallPlan } from "../../src/lib/wall";

const plan = (query: string) => wallPlan(new URLSearchParams(query));

describe("a wall display", () => {
  it("is planned by its address", () => {
    expect(plan("panels=stock,orders&rotate=60&privacy=1")).toEqual({
      panels: ["stock", "orders"],
      turn: 60_000,
      privacy: true,
    });
  });

  it("shows everything by turns when the address says nothing it knows", () => {
    expect(plan("panels=weather&rotate=soon")).toEqual({ panels: PANELS, turn: 30_000, privacy: false });
  });

  it("turns no faster than one can read", () => {
    expect(plan("rotate=0").turn).toBe(5_000);
  });

  it("turns with the clock, round and round", () => {
    const shown = [0, 29_999, 30_000, 60_000, 90_000].map((now) => panelAt(plan(""), now));
    expect(shown).toEqual(["overview", "overview", "orders", "stock", "overview"]);
  });
});
