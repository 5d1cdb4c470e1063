import { afterEach, describe, expect, it } from "vitest";

import { commands, fitting } from "../../src/lib/commands";
import { language } from "../../src/lib/language.svelte";

afterEach(() => language.choose("en"));

describe("the command palette", () => {
  it("finds by every typed word, in any order and case", () => {
    expect(fitting(commands(), "theme DARK").map(({ deed }) => deed)).toEqual([{ theme: "dark" }]);
    expect(fitting(commands(), "5 s").map(({ deed }) => deed)).toEqual([{ pace: 5000 }]);
  });

  it("offers everything while nothing is typed, and nothing for what it does not know", () => {
    expect(fitting(commands(), " ")).toHaveLength(commands().length);
    expect(fitting(commands(), "teapot")).toEqual([]);
  });

  it("speaks the page's language, and finds without its accents", async () => {
    await language.choose("de");
    expect(fitting(commands(), "ubersicht").map(({ deed }) => deed)).toEqual([{ go: "/" }]);
  });
});
