// Rules of the screens that are kept by styles alone, where no layout is there to measure.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const source = (name: string): string =>
  readFileSync(join(import.meta.dirname, "../../src", name), "utf8").replace(/\s+/g, " ");

describe("the mark of a changed cell", () => {
  const grid = source("components/grid/DataGrid.svelte");

  it("fades and does not move", () => {
    const frames = /@keyframes fade \{(.*?\}) \}/.exec(grid)?.[1] ?? "";
    expect([...frames.matchAll(/([\w-]+):/g)].map(([, property]) => property)).toEqual(["opacity", "opacity"]);
    expect(grid).toContain("animation: fade 1500ms");
  });

  it("stands still for who wants less motion", () => {
    expect(grid).toMatch(/prefers-reduced-motion: reduce\) \{ \.mark \{ opacity: 1; background: none; \}/);
    expect(source("styles/base.css")).toMatch(/prefers-reduced-motion: reduce\) \{[^@]*animation/);
  });
});

describe("figures", () => {
  it("are equally wide everywhere", () => {
    expect(source("styles/base.css")).toMatch(/(body|html|:root) \{[^}]*font-variant-numeric: tabular-nums/);
  });
});
