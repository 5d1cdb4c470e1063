import { beforeEach, describe, expect, it } from "vitest";

import { QUIET, SUMMARY, Telling, type Looking, type Mark } from "../../src/lib/telling";
import { Toasts } from "../../src/lib/toasts";
import type { NotificationRow } from "../../src/stores/rows";
import { clock } from "../fixtures/clock";
import { notice } from "../fixtures/notices";

let timers: ReturnType<typeof clock>;
let toasts: Toasts;
let kept: number;
let telling: Telling;
const mark: Mark = { get: () => kept, set: (version) => (kept = version) };

/** Another page of the same browser. */
function page(): Telling {
  return new Telling(toasts, timers, mark, {
    one: (row) => ({ key: row.dedupe_key, severity: row.severity, title: row.name, text: "" }),
    many: (rows) => ({ severity: "info", title: `${rows.length} new`, text: "" }),
  });
}

const at = (version: number, of: Partial<NotificationRow> = {}): NotificationRow =>
  notice({ kind: "oversold", subject: `stock/${version}/main`, name: String(version), fired_version: version, ...of });

function looking(unread: readonly NotificationRow[], more: Partial<Looking> = {}): Looking {
  const newest = Math.max(0, ...unread.map((row) => row.fired_version ?? 0));
  return { unread, newest, least: "warning", sees: () => false, ...more };
}
const titles = (): string[] => toasts.shown.map(({ title }) => title);

beforeEach(() => {
  timers = clock();
  toasts = new Toasts(timers);
  kept = 0;
  telling = page();
});

/** The page was loaded and its quiet time is over. */
function loaded(): void {
  telling.connected();
  timers.go(QUIET);
}

describe("what fires away from where the person looks", () => {
  it("pops up", () => {
    loaded();
    telling.heed(looking([at(5)]));
    telling.heed(looking([at(6), at(5)]));
    expect(titles()).toEqual(["6", "5"]);
  });

  it("does not while the person has it before them", () => {
    loaded();
    telling.heed(looking([at(5)], { sees: () => true }));
    telling.heed(looking([at(5)]));
    expect(titles()).toEqual([]);
  });

  it("does not when it is less grave than the person wants, or already seen to", () => {
    loaded();
    telling.heed(looking([at(7, { state: "acknowledged" }), at(6, { severity: "info" }), at(5)]));
    expect(titles()).toEqual(["5"]);
  });

  it("goes when it was read in another tab or by another device", () => {
    loaded();
    telling.heed(looking([at(6), at(5)]));
    telling.heed(looking([at(6)], { newest: 6 }));
    expect(titles()).toEqual(["6"]);
  });
});

describe("for ten seconds after loading or reconnecting", () => {
  it("nothing pops up, and one summary says what came", () => {
    telling.connected();
    telling.heed(looking([at(6), at(5)]));
    timers.go(QUIET - 1);
    expect(titles()).toEqual([]);
    timers.go(1);
    expect(titles()).toEqual(["2 new"]);
    expect(toasts.shown[0]?.key).toBe(SUMMARY);
  });

  it("there is no summary of nothing, nor of what was told before", () => {
    loaded();
    telling.heed(looking([at(5)]));
    toasts.putAllAway();
    telling.connected();
    timers.go(QUIET);
    expect(titles()).toEqual([]);
    telling.connected();
    telling.heed(looking([at(8), at(5)]));
    timers.go(QUIET);
    expect(titles()).toEqual(["1 new"]);
  });
});

describe("a page that nobody sees", () => {
  it("tells nothing, and sums up when it is looked at", () => {
    loaded();
    telling.seen(false);
    telling.heed(looking([at(6), at(5)]));
    expect(titles()).toEqual([]);
    telling.seen(true);
    expect(titles()).toEqual(["2 new"]);
  });

  it("says nothing of what another window told meanwhile", () => {
    loaded();
    telling.seen(false);
    const other = page();
    other.connected();
    timers.go(QUIET);
    other.heed(looking([at(5)]));
    toasts.putAllAway();
    telling.heed(looking([at(5)]));
    telling.seen(true);
    expect(titles()).toEqual([]);
  });
});

it("another history of the log begins anew", () => {
  kept = 5_000;
  loaded();
  telling.heed(looking([at(5)]));
  expect(titles()).toEqual(["5"]);
});

it("a page that is left leaves no timer behind", () => {
  telling.connected();
  telling.stop();
  expect(timers.waiting).toBe(0);
});
