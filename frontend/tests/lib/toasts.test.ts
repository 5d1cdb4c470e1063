import { describe, expect, it, vi } from "vitest";

import { Toasts, type Told } from "../../src/lib/toasts";
import { clock } from "../fixtures/clock";

const told = (key: string, severity: Told["severity"] = "info"): Told => ({ key, severity, title: key, text: "" });
const keys = (toasts: Toasts): string[] => toasts.shown.map(({ key }) => key);

describe("toasts", () => {
  it("are three at most, the newest first, and the rest is a number", () => {
    const toasts = new Toasts(clock());
    for (const key of ["a", "b", "c", "d", "e"]) toasts.tell(told(key, "warning"));
    expect(keys(toasts)).toEqual(["e", "d", "c"]);
    expect(toasts.more).toBe(2);
  });

  it("go after five seconds when they are for information only", () => {
    const timers = clock();
    const toasts = new Toasts(timers);
    toasts.tell(told("info"));
    timers.go(4_999);
    expect(keys(toasts)).toEqual(["info"]);
    timers.go(1);
    expect(keys(toasts)).toEqual([]);
  });

  it("stay when they warn, or were asked for", () => {
    const timers = clock();
    const toasts = new Toasts(timers);
    toasts.tell(told("warning", "warning"));
    toasts.tell(told("critical", "critical"));
    toasts.tell({ ...told("watched"), stays: true });
    timers.go(3_600_000);
    expect(keys(toasts)).toEqual(["watched", "critical", "warning"]);
  });

  it("do not count the time somebody points at them", () => {
    const timers = clock();
    const toasts = new Toasts(timers);
    toasts.tell(told("info"));
    timers.go(3_000);
    toasts.hold(true);
    timers.go(60_000);
    expect(keys(toasts)).toEqual(["info"]);
    toasts.hold(false);
    timers.go(1_999);
    expect(keys(toasts)).toEqual(["info"]);
    timers.go(1);
    expect(keys(toasts)).toEqual([]);
  });

  it("begin to count when they come into sight", () => {
    const timers = clock();
    const toasts = new Toasts(timers);
    toasts.tell(told("first"));
    for (const key of ["a", "b", "c"]) toasts.tell(told(key, "warning"));
    toasts.putAway("c");
    expect(keys(toasts)).toEqual(["b", "a", "first"]);
    timers.go(5_000);
    expect(keys(toasts)).toEqual(["b", "a"]);
  });

  it("count up in their place when the same is told again, and stand anew", () => {
    const timers = clock();
    const toasts = new Toasts(timers);
    toasts.tell(told("a"));
    toasts.tell(told("b", "warning"));
    timers.go(4_000);
    toasts.tell({ ...told("a"), text: "newest" });
    expect(toasts.shown.map(({ key, count, text }) => [key, count, text])).toEqual([
      ["b", 1, ""],
      ["a", 2, "newest"],
    ]);
    timers.go(4_000);
    expect(keys(toasts)).toEqual(["b", "a"]);
    timers.go(1_000);
    expect(keys(toasts)).toEqual(["b"]);
  });

  it("tell who told them when a person is done with them, and not when they go by themselves", () => {
    const timers = clock();
    const toasts = new Toasts(timers);
    const seen = vi.fn();
    toasts.tell({ ...told("a"), seen });
    timers.go(5_000);
    expect(seen).not.toHaveBeenCalled();
    toasts.tell({ ...told("a"), seen });
    toasts.putAway("a");
    expect(seen).toHaveBeenCalledOnce();
  });

  it("leave no timer behind", () => {
    const timers = clock();
    const toasts = new Toasts(timers);
    toasts.tell(told("a"));
    toasts.tell(told("b"));
    toasts.putAllAway();
    expect([keys(toasts), timers.waiting]).toEqual([[], 0]);
  });
});
