import { describe, expect, it } from "vitest";

import { freshness, type Moment } from "../../src/realtime/freshness";
import { slowest } from "../../src/realtime/pauses";
import type { PaceReason } from "../../src/realtime/protocol";

const NOW = 10_000_000;

/** A live link, but for what is given. Ages in seconds. */
function level(change: Partial<Moment> & { age?: number }): string {
  const { age = 1, ...moment } = change;
  return freshness({
    link: "open",
    lostAt: undefined,
    lastFrameAt: NOW - age * 1_000,
    interval: 0,
    heartbeat: 20_000,
    paused: false,
    waiting: 0,
    now: NOW,
    ...moment,
  }).level;
}

describe("how fresh things are", () => {
  it.each([
    ["live", "while frames come within twice the heartbeat", { age: 40 }],
    ["delayed", "when they are later than that", { age: 41 }],
    ["delayed", "until half a minute late", { age: 70 }],
    ["stale", "when they are later still", { age: 71 }],
    ["live", "by a slow pace's own measure", { age: 59, interval: 30_000 }],
    ["delayed", "by a slow pace's own measure too", { age: 61, interval: 30_000 }],
    ["delayed", "when the link answers nothing", { age: 25, link: "stalled" }],
    ["live", "for the first three seconds of a loss", { link: "waiting", lostAt: NOW - 3_000, age: 4 }],
    ["reconnecting", "after three seconds of it", { link: "waiting", lostAt: NOW - 3_001, age: 4 }],
    ["reconnecting", "also during a try", { link: "reconnecting", lostAt: NOW - 9_000, age: 10 }],
    ["offline", "when the machine has no network", { link: "offline", lostAt: NOW - 10 }],
    ["error", "when it was ended on purpose", { link: "closed" }],
    ["paused", "when the person paused it", { link: "paused", paused: true }],
    ["paused", "for the first three seconds of a loss", { link: "waiting", paused: true, lostAt: NOW - 3_000 }],
    ["delayed", "when a paused link answers nothing", { link: "stalled", paused: true }],
    ["reconnecting", "after nobody looked, until the link is back", { link: "hidden", lostAt: NOW - 60_000 }],
    [
      "reconnecting",
      "rather than paused, when the link is lost",
      { paused: true, link: "waiting", lostAt: NOW - 9_000 },
    ],
    ["error", "when the server refused", { link: "refused" }],
    ["connecting", "at the very beginning", { link: "connecting", lastFrameAt: undefined }],
    ["connecting", "before anybody asked", { link: "idle", lastFrameAt: undefined }],
    ["reconnecting", "when the first try failed", { link: "waiting", lastFrameAt: undefined }],
  ] as const)("%s %s", (expected, _, change) => {
    expect(level(change)).toBe(expected);
  });

  it("has an age that never runs backwards with the machine's clock", () => {
    const moment: Moment = {
      link: "paused",
      lostAt: undefined,
      lastFrameAt: NOW + 5_000,
      interval: 0,
      heartbeat: 20_000,
      paused: true,
      waiting: 128,
      now: NOW,
    };
    expect(freshness(moment)).toEqual({ level: "paused", ageMs: 0, waiting: 128 });
  });
});

describe("the pace to ask for", () => {
  it.each([
    [0, {}, { interval: 0, paused: false, reason: "chosen" }],
    [5_000, { metered: 5_000 }, { interval: 5_000, paused: false, reason: "chosen" }],
    [1_000, { slow: 5_000 }, { interval: 5_000, paused: false, reason: "slow" }],
    [1_000, { battery: 10_000, hidden: 30_000 }, { interval: 30_000, paused: false, reason: "hidden" }],
    [60_000, { hidden: 30_000 }, { interval: 60_000, paused: false, reason: "chosen" }],
    ["paused", { slow: 5_000 }, { interval: 0, paused: true, reason: "chosen" }],
  ] as const)("chosen %j, under %j: the slowest wins", (chosen, reasons, pace) => {
    expect(slowest(chosen, new Map(Object.entries(reasons) as [PaceReason, number][]))).toEqual(pace);
  });
});
