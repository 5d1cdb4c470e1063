import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decimalText, exact, sumOf, tenthsOfPercent } from "../../src/lib/decimal";

describe("exact decimals", () => {
  it("come back as they went in", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (value) => {
        expect(exact(decimalText(value))).toBe(value);
      }),
    );
  });

  it("add without the rounding of binary floats", () => {
    expect(sumOf(["0.10", "0.20"])).toBe("0.3");
    expect(sumOf(["99999999999999.99", "0.01"])).toBe("100000000000000");
    expect(sumOf([1, "2.5", -0.125])).toBe("3.375");
  });

  it("have no sum when there is nothing to add", () => {
    expect(sumOf([null, undefined])).toBeNull();
    expect(sumOf([null, "1"])).toBe("1");
  });

  it("change by tenths of a percent, rounded half away from zero", () => {
    expect(tenthsOfPercent(exact("112.4"), exact("100"))).toBe(124);
    expect(tenthsOfPercent(exact("99.95"), exact("100"))).toBe(-1);
    expect(tenthsOfPercent(exact("5"), 0n)).toBeNull();
    expect(tenthsOfPercent(exact("-50"), exact("-100"))).toBe(500);
  });
});
