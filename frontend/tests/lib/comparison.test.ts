import { describe, expect, it } from "vitest";

import { comparison, spoken, type Liking } from "../../src/lib/comparison";
import { formatsFor, type Unit } from "../../src/lib/format";

const formats = formatsFor("GBP", "Europe/London", "en-GB");
const against = "yesterday by 14:02";

function compare(
  now: string | number | null,
  before: string | number | null,
  unit: Unit = "money",
  liking: Liking = "more",
) {
  return comparison(now, before, against, { unit, liking, formats });
}

describe("a headline number beside its twin", () => {
  it("says how much more, with sign and glyph", () => {
    const found = compare("112.40", "100.00");
    expect(found).toEqual({ glyph: "▲", change: "+12.4 %", words: "more than yesterday by 14:02", tone: "good" });
    expect(spoken(found)).toBe("+12.4 % more than yesterday by 14:02");
  });

  it("says how much less, with a real minus", () => {
    expect(compare("90", "100")).toMatchObject({ glyph: "▼", change: "\u221210.0 %", tone: "bad" });
  });

  it("says the same when it is", () => {
    expect(compare("5.0", "5.00")).toMatchObject({
      glyph: "=",
      change: "",
      words: "the same as yesterday by 14:02",
      tone: "plain",
    });
  });

  it("counts small numbers instead of giving shares of them", () => {
    expect(compare(3, 1, "count", "less")).toMatchObject({ change: "+2", tone: "bad" });
  });

  it("gives the difference when there was nothing before", () => {
    expect(compare("50.00", "0.00")).toMatchObject({ change: "+£50.00", glyph: "▲" });
  });

  it("says that there is nothing to compare with", () => {
    expect(compare("50.00", null).words).toBe("nothing to compare with yesterday by 14:02");
    expect(compare(null, "1").tone).toBe("plain");
  });

  it("takes fewer late orders for good news", () => {
    expect(compare(1, 4, "count", "less")).toMatchObject({ glyph: "▼", change: "\u22123", tone: "good" });
  });
});
