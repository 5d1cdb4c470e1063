import { describe, expect, it } from "vitest";

import { csv, csvCell } from "../../src/lib/csv";

describe("a cell of an export", () => {
  it.each(["=1+1", "+44 20", "-cmd", "@SUM(A1)", "\tx"])("cannot be taken for a formula: %j", (text) => {
    expect(csvCell(text).replace(/^"/, "")).toMatch(/^'/);
  });

  it("keeps negative numbers and money as they are", () => {
    expect([csvCell(-3), csvCell("-0.10"), csvCell("12345678901234567.89")]).toEqual([
      "-3",
      "-0.10",
      "12345678901234567.89",
    ]);
  });

  it("is quoted when it holds a comma, a quote or a line's end", () => {
    expect(csvCell('Mug, "blue"')).toBe('"Mug, ""blue"""');
    expect(csvCell("two\nlines")).toBe('"two\nlines"');
  });

  it("is empty where there is no value", () => {
    expect(csvCell(null)).toBe("");
  });
});

it("an export has its heads and one line a row", () => {
  const rows = [{ sku: "A", on_hand: 1.5 }];
  expect(csv(["sku", "on_hand"], rows, (row) => [row.sku, row.on_hand])).toBe("sku,on_hand\r\nA,1.5\r\n");
});
