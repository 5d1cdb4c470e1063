import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { HeldRows, waitingWords } from "../../src/lib/held-rows.svelte";
import { marks } from "../../src/lib/highlights";
import { sorted } from "../../src/lib/sorting";
import { drawn, scrollToSee, Slots, windowAt } from "../../src/lib/windowing";

describe("windowing", () => {
  it("draws every row that can be seen, and only a few more", () => {
    fc.assert(
      fc.property(fc.nat(500_000), fc.nat(2000), fc.nat(4_000_000), (count, height, scrolled) => {
        const { first, end } = windowAt(scrolled, height, 40, count);
        expect(end).toBeLessThanOrEqual(count);
        for (const seen of [Math.floor(scrolled / 40), Math.floor((scrolled + height) / 40)]) {
          if (seen < count) expect(first <= seen && seen < end).toBe(true);
        }
        expect(end - first).toBeLessThan(height / 40 + 20);
      }),
    );
  });

  it("keeps the focused row in the document wherever the window is", () => {
    expect(drawn({ first: 10, end: 12 }, 3, 100)).toEqual([3, 10, 11]);
    expect(drawn({ first: 10, end: 12 }, 40, 100)).toEqual([10, 11, 40]);
    expect(drawn({ first: 10, end: 12 }, 11, 100)).toEqual([10, 11]);
  });

  it("scrolls no further than needed to see a row", () => {
    expect(scrollToSee(5, 0, 400, 40)).toBe(0);
    expect(scrollToSee(2, 200, 400, 40)).toBe(80);
    expect(scrollToSee(20, 0, 400, 40, 40)).toBe(480);
  });

  it("gives a row that stays its own element, and each row one of its own", () => {
    const slots = new Slots();
    const [first, second] = slots.take([4, 5]);
    const later = slots.take([5, 6, 7]);
    expect(later[0]).toBe(second);
    expect(later[1]).toBe(first);
    expect(new Set(later).size).toBe(3);
  });
});

describe("the order of rows", () => {
  const rows = [{ v: "10.5" }, { v: null }, { v: "9" }, { v: "-1" }];

  it("is by value for numbers and money", () => {
    expect(sorted(rows, (row) => row.v, "number", "ascending").map((row) => row.v)).toEqual(["-1", "9", "10.5", null]);
  });

  it("has null last either way", () => {
    expect(sorted(rows, (row) => row.v, "number", "descending").map((row) => row.v)).toEqual(["10.5", "9", "-1", null]);
  });
});

describe("the held order", () => {
  const order = (rows: readonly string[]): readonly string[] => [...rows].sort();
  const table = (): HeldRows<string> => new HeldRows<string>((row) => row);

  it("is there at once, and at once for another question", () => {
    const held = table();
    held.offer("a", ["y", "x"], order, true, 0);
    expect(held.shown).toEqual(["x", "y"]);
    held.offer("b", ["z"], order, true, 1);
    expect(held.shown).toEqual(["z"]);
  });

  it("changes at most every five seconds", () => {
    const held = table();
    held.offer("a", ["x"], order, false, 0);
    const more = ["x", "b"];
    held.offer("a", more, order, false, 4000);
    expect(held.shown).toEqual(["x"]);
    held.offer("a", more, order, false, 5000);
    expect(held.shown).toEqual(["b", "x"]);
  });

  it("does not change under the pointer, and says what waits", () => {
    const held = table();
    held.offer("a", ["x"], order, true, 0);
    held.offer("a", ["x", "b", "c"], order, true, 6000);
    expect(held.shown).toEqual(["x"]);
    expect(waitingWords(held.waiting)).toBe("2 new or gone, reorder");
    held.reorder(6001);
    expect(held.shown).toEqual(["b", "c", "x"]);
    expect(held.waiting.rows).toBe(0);
  });

  it("takes over what waited once the pointer has left", () => {
    const held = table();
    const more = ["x", "b"];
    held.offer("a", ["x"], order, true, 0);
    held.offer("a", more, order, true, 6000);
    held.offer("a", more, order, false, 12_000);
    expect(held.shown).toEqual(["b", "x"]);
  });
});

describe("marks of changed cells", () => {
  const keys = Array.from({ length: 20 }, (_, index) => String(index));
  const change = { fields: { available: "up" as const }, at: 1000 };

  it("stand on the few cells that changed", () => {
    const found = marks(keys, ["available", "on_hand"], (key) => (key === "3" ? change : undefined), 1200);
    expect([...found.keys()]).toEqual(["3"]);
  });

  it("are left out when over a tenth of the visible cells change", () => {
    const found = marks(keys, ["available", "on_hand"], (key) => (Number(key) < 5 ? change : undefined), 1200);
    expect(found.size).toBe(0);
  });

  it("end after a second and a half", () => {
    expect(marks(keys, ["available"], () => change, 2500).size).toBe(0);
  });

  it("ignore changes of fields that are not shown", () => {
    expect(marks(keys, ["on_hand"], () => change, 1200).size).toBe(0);
  });
});
