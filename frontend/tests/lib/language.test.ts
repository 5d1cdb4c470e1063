import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ago, bytes, duration, formatsFor } from "../../src/lib/format";
import { firstKnown, language, LANGUAGES, localeFor, perhaps, t } from "../../src/lib/language.svelte";
import deFirst from "../../src/lib/messages/de";
import enFirst from "../../src/lib/messages/en";
import deLater from "../../src/lib/messages/later/de";
import enLater from "../../src/lib/messages/later/en";
import { ageing, codeWords } from "../../src/lib/words";

/** The page had this many messages once. A catalogue that comes out empty, or halved, must not pass unseen. */
const MESSAGES = 500;
const SOURCES = join(import.meta.dirname, "../../src");
const filesOf = (folder: string): string[] =>
  readdirSync(join(SOURCES, "lib", folder)).filter((name) => name.endsWith(".ts"));
const en = { ...enFirst, ...enLater };
type Catalogue = Readonly<Record<string, string | Readonly<Record<string, string>>>>;
const catalogues: readonly [string, Catalogue][] = [
  ["en", en],
  ["de", { ...deFirst, ...deLater }],
];

/** The files that come with the page at once, from `file` on. */
function atOnce(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, types, path = ""] of readFileSync(file, "utf8").matchAll(
    /^\s*(?:import|export)\s+(type\s+)?[^;"']*?(?:from\s+)?"(\.[^"]+)"/gm,
  )) {
    const named = resolve(dirname(file), path);
    const next = [named, `${named}.ts`, join(named, "index.ts")].find(
      (one) => /\.(ts|svelte)$/.test(one) && existsSync(one),
    );
    if (!types && next) atOnce(next, found);
  }
  return found;
}

function blanks(message: Catalogue[string] | undefined): string[] {
  const texts = typeof message === "string" ? [message] : Object.values(message ?? {});
  return [...new Set(texts.flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort();
}

describe("the catalogues", () => {
  it("are as many as there are files, and this test knows each", () => {
    for (const folder of ["messages", "messages/later"])
      expect(
        filesOf(folder)
          .map((file) => file.replace(".ts", ""))
          .sort(),
      ).toEqual(catalogues.map(([code]) => code).sort());
    expect(LANGUAGES).toEqual([
      { code: "de", name: "Deutsch" },
      { code: "en", name: "English" },
    ]);
  });

  it.each(catalogues)("%s has every message, and no other", (_, messages) => {
    expect(Object.keys(messages).sort()).toEqual(Object.keys(en).sort());
    expect(Object.keys(messages).length).toBeGreaterThan(MESSAGES);
    expect(Object.values(messages).every((message) => message !== "")).toBe(true);
  });

  it.each(catalogues)("%s leaves the same blanks to be filled as English", (_, messages) => {
    for (const [key, message] of Object.entries(en) as [string, Catalogue[string]][])
      expect([key, blanks(messages[key])]).toEqual([key, blanks(message)]);
  });

  it.each(catalogues)("%s has a form for each way its language counts", (code, messages) => {
    const ways = new Intl.PluralRules(code).resolvedOptions().pluralCategories;
    for (const [key, message] of Object.entries(messages))
      if (typeof message !== "string") expect([key, Object.keys(message).sort()]).toEqual([key, [...ways].sort()]);
  });

  it("bring with the page all that is said on its first screen", () => {
    const first = [...atOnce(join(SOURCES, "main.ts"))].filter((file) => !file.includes("/messages/"));
    const text = first.map((file) => readFileSync(file, "utf8")).join("\n");
    expect(first.length).toBeGreaterThan(40);
    expect(Object.keys(enLater).filter((key) => text.includes(`"${key}"`))).toEqual([]);
    expect(Object.keys(enLater).filter((key) => key in enFirst)).toEqual([]);
  });
});

describe("the first language", () => {
  it("is what the address asks for, then what was chosen, then the browser's", () => {
    expect(firstKnown("de", "en", ["en-US"])).toBe("de");
    expect(firstKnown(null, "de", ["en-US"])).toBe("de");
    expect(firstKnown(null, null, ["fr-FR", "de-AT", "en"])).toBe("de");
  });

  it("is English when nothing else is spoken here", () => {
    expect(firstKnown("tlh", "", ["fr-FR"])).toBe("en");
  });

  it("is written as the browser's region does, else as usual", () => {
    expect(localeFor("de", ["en-US", "de-AT"], "de-DE")).toBe("de-AT");
    expect(localeFor("en", ["de-AT", "en"], "en-GB")).toBe("en-GB");
  });
});

describe("a message", () => {
  it("counts in the forms of its language", () => {
    expect(t("count.orders", { count: 1 })).toBe("1 order");
    expect(t("count.orders", { count: 0 })).toBe("0 orders");
    expect(t("count.orders", { count: 12_345 })).toBe("12,345 orders");
  });

  it("keeps what is put into it as it is", () => {
    expect(t("movement.order", { id: "{id} $& <b>" })).toBe("order {id} $& <b>");
  });

  it("is nothing for a key that there is not", () => {
    expect(perhaps("metric.of_tomorrow")).toBeUndefined();
  });
});

describe("German", () => {
  beforeEach(() => language.choose("de"));
  afterEach(() => language.choose("en"));

  it("is told to the document and remembered on this browser", () => {
    expect(document.documentElement.lang).toBe("de");
    expect(localStorage.getItem("stockwire.language")).toBe("de");
  });

  it("writes numbers, money and moments its own way", () => {
    const formats = formatsFor("EUR", "Europe/Berlin");
    expect(formats.quantity("12345.5")).toBe("12.345,5");
    expect(formats.money("12345678901234567.89").replace(/\s/, " ")).toBe("12.345.678.901.234.567,89 €");
    expect(formats.longDay("2026-03-02T12:00:00Z")).toBe("Montag 2. März");
    expect(bytes(381_204)).toBe("381,2 kB");
  });

  it("declines what follows a preposition", () => {
    expect(duration(4 * 86_400_000)).toBe("4 Tage");
    expect(ago(4 * 86_400_000)).toBe("vor 4 Tagen");
    expect(ago(90_000_000)).toBe("vor 1 Tag 1 h");
  });

  it("says how an order stands, and what codes mean", () => {
    const order = { lateness: "late", due_at: "2026-03-02T13:54:00Z", at_risk_at: null, closed_at: null } as const;
    const now = Date.parse("2026-03-02T14:00:00Z");
    expect(ageing({ ...order, placed_at: "2026-03-02T12:00:00Z" }, now).words).toBe("6 min überfällig");
    expect(codeWords("partially_refunded")).toBe("Teilweise erstattet");
  });
});
