import { describe, expect, it } from "vitest";

import { wayOf } from "../../src/offline/ways";

const ORIGIN = "https://shop.test";
const files = new Set(["/assets/index-abc.js", "/favicon.svg"]);
const way = (path: string, more: { mode?: string; method?: string; origin?: string } = {}) =>
  wayOf(
    { method: more.method ?? "GET", mode: more.mode ?? "cors", url: (more.origin ?? ORIGIN) + path },
    ORIGIN,
    files,
  );

describe("the service worker", () => {
  it.each(["/api/v1/inventory", "/api/v1/session", "/api", "/docs", "/docs/start.js"])("lets %s past", (path) => {
    expect(way(path)).toBe("past");
    expect(way(path, { mode: "navigate" })).toBe("past");
  });

  it("never answers what changes something, or another's address", () => {
    expect(way("/", { method: "POST", mode: "navigate" })).toBe("past");
    expect(way("/favicon.svg", { origin: "https://elsewhere.test" })).toBe("past");
  });

  it("asks the network for screens and the store for the build's files", () => {
    expect(way("/orders/1001?x=1", { mode: "navigate" })).toBe("screen");
    expect(way("/sign-in", { mode: "navigate" })).toBe("screen");
    expect(way("/assets/index-abc.js")).toBe("kept");
  });

  it("leaves files of another build to the network", () => {
    expect(way("/assets/index-old.js")).toBe("past");
  });
});
