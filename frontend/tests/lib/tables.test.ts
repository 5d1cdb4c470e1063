import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { HeldRows, waitingWords } from "../../src/lib/held-rows.svelte";
import { marks } from "../../src/lib/highlights";
import { Placing } from "../../src/lib/placing";
import type { Direction, Kind } from "../../src/lib/sorting";
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
    const [first, second] = slots.take(["a", "b"]);
    const later = slots.take(["c", "b", "d"]);
    expect(later[1]).toBe(second);
    expect(later[0]).toBe(first);
    expect(new Set(later).size).toBe(3);
  });
});

/** Runs all the steps of some work. */
function whole(work: Iterator<unknown, unknown>): void {
  while (!work.next().done);
}

/** A placing of values by key, wholly built. */
function placed(rows: ReadonlyMap<string, string | null>, kind: Kind = "number", direction: Direction = "ascending") {
  const placing = new Placing<string | null>({ valueOf: (row) => row, kind, direction });
  whole(placing.build(rows));
  return placing;
}

describe("the order of rows", () => {
  const rows = new Map([
    ["a", "10.5"],
    ["b", null],
    ["c", "9"],
    ["d", "-1"],
  ]);

  it("is by value for numbers and money", () => {
    expect(placed(rows).placed.map(({ row }) => row)).toEqual(["-1", "9", "10.5", null]);
  });

  it("has null last either way", () => {
    expect(placed(rows, "number", "descending").placed.map(({ row }) => row)).toEqual(["10.5", "9", "-1", null]);
  });

  it("is after any changes what sorting anew would give", () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.option(fc.integer({ min: 0, max: 9 })));
    fc.assert(
      fc.property(fc.array(fc.array(change)), fc.boolean(), (rounds, falling) => {
        const direction = falling ? "descending" : "ascending";
        const table = new Map<string, string | null>();
        const kept = placed(table, "number", direction);
        for (const round of rounds) {
          for (const [key, value] of round) {
            if (value === 0) table.delete(String(key));
            else table.set(String(key), value === null ? null : String(value));
          }
          const keys = new Set(round.map(([key]) => String(key)));
          whole(kept.place(keys, (key) => table.get(key)));
          const anew = placed(table, "number", direction);
          expect(kept.placed.map(({ key }) => key)).toEqual(anew.placed.map(({ key }) => key));
        }
      }),
    );
  });

  it("compares only what changed: of 100,000 rows some dozens for each that moves, none for one that stays", () => {
    const table = new Map(Array.from({ length: 100_000 }, (_, index) => [`S-${String(index)}`, String(index * 10)]));
    const placing = placed(table);
    const built = placing.comparisons;
    const moving = new Set(Array.from({ length: 250 }, (_, index) => `S-${String(index * 400)}`));
    for (const key of moving) table.set(key, String(Number(table.get(key)) + 123_455));
    whole(placing.place(moving, (key) => table.get(key)));
    expect(placing.comparisons - built).toBeLessThan(250 * 50);
    const before = placing.comparisons;
    whole(placing.place(moving, (key) => table.get(key)));
    expect(placing.comparisons).toBe(before);
  });

  it("is made in slices of at most 2,000 rows", () => {
    const table = new Map(
      Array.from({ length: 20_000 }, (_, index) => [`S-${String(index)}`, String((index * 7919) % 20_000)]),
    );
    const placing = new Placing<string>({ valueOf: (row) => row, kind: "number", direction: "ascending" });
    let before = 0;
    for (const _ of placing.build(table)) {
      expect(placing.comparisons - before).toBeLessThanOrEqual(2_000 * 11);
      before = placing.comparisons;
    }
    expect(placing.placed.map(({ rank }) => rank)).toEqual(Array.from({ length: 20_000 }, (_, index) => index));
  });
});

describe("the held order", () => {
  const sorting = { valueOf: (row: string) => row, kind: "text", direction: "ascending" } as const;
  const table = (
    ...keys: string[]
  ): { held: HeldRows<string>; rows: Map<string, string>; add: (key: string) => void } => {
    const held = new HeldRows<string>();
    const rows = new Map(keys.map((key) => [key, key]));
    held.ask(rows, sorting, () => 0);
    const add = (key: string): void => {
      rows.set(key, key);
      held.touch([key]);
    };
    return { held, rows, add };
  };
  const shown = (held: HeldRows<string>): string[] => held.shown.map(({ key }) => key);

  it("is there at once, and at once for another question", () => {
    const { held } = table("y", "x");
    expect(shown(held)).toEqual(["x", "y"]);
    held.ask(new Map([["z", "z"]]), sorting, () => 1);
    expect(shown(held)).toEqual(["z"]);
  });

  it("changes at most every five seconds", () => {
    const { held, add } = table("x");
    add("b");
    held.settle(false, 4000);
    expect(shown(held)).toEqual(["x"]);
    held.settle(false, 5000);
    expect(shown(held)).toEqual(["b", "x"]);
  });

  it("does not change under the pointer, and says what waits", () => {
    const { held, add } = table("x");
    add("b");
    add("c");
    held.settle(true, 6000);
    expect(shown(held)).toEqual(["x"]);
    expect(waitingWords(held.waiting)).toBe("2 new or gone, reorder");
    held.reorder(6001);
    expect(shown(held)).toEqual(["b", "c", "x"]);
    expect(held.waiting.rows).toBe(0);
  });

  it("counts a row that left and came back as no news", () => {
    const { held, rows, add } = table("x", "b");
    rows.delete("b");
    held.touch(["b"]);
    add("b");
    held.settle(true, 6000);
    expect(held.waiting).toEqual({ rows: 0, moved: false });
  });

  it("places a row once for each time the order may follow, however often it changed", () => {
    let looks = 0;
    const held = new HeldRows<string>();
    const rows = new Map([["x", "x"]]);
    const counting = { ...sorting, valueOf: (row: string) => ((looks += 1), row) };
    held.ask(rows, counting, () => 0);
    looks = 0;
    for (let change = 0; change < 20; change++) {
      rows.set("x", `x${String(change)}`);
      held.touch(["x"]);
      held.settle(false, 4_000);
    }
    held.settle(false, 5_000);
    expect(looks).toBe(1);
  });

  it("has of a row that is gone what it was last", () => {
    const { held, rows } = table("x", "y");
    rows.set("x", "x, changed");
    held.touch(["x"]);
    rows.delete("x");
    held.touch(["x"]);
    expect(held.shown[0]?.row).toBe("x, changed");
  });

  it("takes over what waited once the pointer has left", () => {
    const { held, add } = table("x");
    add("b");
    held.settle(true, 6000);
    held.settle(false, 12_000);
    expect(shown(held)).toEqual(["b", "x"]);
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
