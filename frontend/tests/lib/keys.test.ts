import { describe, expect, it } from "vitest";

import { KeyMap } from "../../src/lib/keys";

const press = (key: string, at = 0, more: { typing?: boolean; modified?: boolean; commanded?: boolean } = {}) => ({
  key,
  at,
  typing: false,
  modified: false,
  commanded: false,
  ...more,
});

describe("the keys", () => {
  it("lead to a screen after g", () => {
    const keys = new KeyMap();
    expect(keys.press(press("g", 0))).toBeNull();
    expect(keys.press(press("i", 400))).toEqual({ go: "/inventory" });
    expect(keys.press(press("i", 500))).toBeNull();
  });

  it("forget g after a while", () => {
    const keys = new KeyMap();
    keys.press(press("g", 0));
    expect(keys.press(press("o", 2_000))).toBeNull();
  });

  it("find the search and the help", () => {
    const keys = new KeyMap();
    expect(keys.press(press("/"))).toBe("search");
    expect(keys.press(press("?"))).toBe("help");
  });

  it("open the palette with Ctrl K, also while somebody types", () => {
    const keys = new KeyMap();
    expect(keys.press(press("k", 0, { modified: true, commanded: true, typing: true }))).toBe("palette");
    expect(keys.press(press("k"))).toBeNull();
  });

  it("are silent while somebody types or means the browser", () => {
    const keys = new KeyMap();
    expect(keys.press(press("/", 0, { typing: true }))).toBeNull();
    expect(keys.press(press("?", 0, { modified: true }))).toBeNull();
  });
});
