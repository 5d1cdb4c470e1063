import { describe, expect, it } from "vitest";

import { aged, linkRung, sourcesRung, tabIcon, titleMark, type Freshness, type Level } from "../../src/lib/ladder";

const NOW = 1_000_000;
const NEVER: Omit<Freshness, "level"> = { ageMs: undefined, waiting: 0 };
const NO_TRY = { nextTryAt: undefined, reason: undefined };

function rung(level: Level, more: Partial<Freshness> = {}, link: { nextTryAt?: number; reason?: string } = {}) {
  const freshness: Freshness = { level, ageMs: 190_000, waiting: 0, ...more };
  return linkRung(freshness, { nextTryAt: link.nextTryAt, reason: link.reason }, NOW, "14:02:11");
}

describe("the link", () => {
  it("is live with an age", () => {
    expect(rung("live", { ageMs: 2100 })).toMatchObject({ word: "Live", age: "2 s ago", shape: "dot" });
  });

  it("is delayed", () => {
    expect(rung("delayed", { ageMs: 42_000 })).toMatchObject({ word: "Delayed", age: "42 s ago" });
  });

  it("is stale with the time its values are of", () => {
    expect(rung("stale")).toMatchObject({ word: "Stale", age: "as of 14:02:11, 3 min ago" });
  });

  it("counts down to the next try", () => {
    expect(rung("reconnecting", {}, { nextTryAt: NOW + 4400 }).age).toBe("next try in 4 s");
    expect(rung("reconnecting", {}, { nextTryAt: NOW + 200 }).age).toBe("trying now");
  });

  it("is offline with the last values' time", () => {
    expect(rung("offline")).toMatchObject({ word: "Offline", age: "as of 14:02:11, 3 min ago" });
  });

  it("is paused by the person, with what waits", () => {
    expect(rung("paused", { waiting: 128 })).toMatchObject({ word: "Paused by you", age: "128 changes waiting" });
    expect(rung("paused", { waiting: 0 }).age).toBe("nothing waiting");
  });

  it("tells the age of values that were kept from before the page was loaded", () => {
    const kept = (level: Level) => linkRung({ ...NEVER, level, ageMs: 190_000 }, NO_TRY, NOW, null);
    for (const level of ["connecting", "reconnecting", "offline"] as const)
      expect(kept(level).age).toBe("kept 3 min ago");
    expect(kept("reconnecting").sentence).toContain("Values kept 3 min ago");
    expect(linkRung({ ...NEVER, level: "offline" }, NO_TRY, NOW, null).age).toBe("no network");
  });

  it("says why it was refused", () => {
    expect(rung("error", {}, { reason: "not_allowed" })).toMatchObject({ word: "Not connected", age: "not allowed" });
  });

  it("asks politely for a reload when the page and the server are too far apart", () => {
    const { age, sentence } = rung("error", {}, { reason: "version" });
    expect(age).toBe("please reload");
    expect(sentence).toMatch(/no data is lost\. Please reload the page\.$/);
  });

  it("has a shape of its own on every rung", () => {
    const levels: Level[] = ["live", "delayed", "stale", "reconnecting", "offline", "paused", "error", "connecting"];
    expect(new Set(levels.map((level) => rung(level).shape)).size).toBe(levels.length);
  });
});

describe("the sources", () => {
  it("are as good as the worst of them", () => {
    const found = sourcesRung([
      { source: "shop", ageMs: 3000, state: "ok" },
      { source: "warehouse", ageMs: 1_320_000, state: "silent" },
    ]);
    expect(found).toMatchObject({ word: "warehouse silent", age: "22 min ago", tone: "critical" });
  });

  it("are told apart from the link: a silent shop over a good link is not fine", () => {
    expect(sourcesRung([{ source: "shop", ageMs: 600_000, state: "late" }])).toMatchObject({
      word: "shop late",
      tone: "warning",
    });
  });

  it("may not exist yet", () => {
    expect(sourcesRung([]).word).toBe("No source yet");
  });
});

it("marks the tab when what it shows is not live", () => {
  expect(titleMark("live")).toBe("");
  expect(titleMark("stale")).not.toBe("");
  expect(tabIcon("offline")).not.toBe(tabIcon("live"));
  expect(aged("paused")).toBe(false);
  expect(aged("reconnecting")).toBe(true);
});
