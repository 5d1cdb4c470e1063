/**
 * The page's language. English comes with the page; every other language is one file in `messages/`, found by its name, loaded when it is chosen
 * and never otherwise. The language is, in this order: what the address asks for (`?language=de`: a wall display is a link), what the person chose
 * on this browser, the first of the browser's languages that there is a file for, English.
 *
 * What changes with the language is read through `t` and `language` while something is drawn, so a new choice redraws it without a reload.
 *
 * A compiler of messages was tried and left: it sends every language to every reader, and needs 600 MB of packages to do it.
 */

import en from "./messages/en";

type Plural = { readonly other: string } & Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>;
type Message = string | Plural;

export type Key = keyof typeof en;

/** What a language has to say. */
export type Catalogue = { readonly [K in Key]: (typeof en)[K] extends string ? string : Plural };

type Blanks<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Blanks<Rest> : never;
type BlanksOf<M> = M extends string ? Blanks<M> : Blanks<M[keyof M]> | "count";
type Filling<Name extends string> = { readonly [N in Name]: N extends "count" ? number : string | number };
type Filled<K extends Key> = [BlanksOf<(typeof en)[K]>] extends [never] ? [] : [Filling<BlanksOf<(typeof en)[K]>>];

const PLACE = "stockwire.language";
const HOME = "en";

const others = import.meta.glob<{ default: Catalogue }>(["./messages/*.ts", "!./messages/en.ts"]);
const codeOf = (path: string): string => path.replace(/^.*\/|\.ts$/g, "");

/** The languages there are, by code, with the name each gives itself. */
export const LANGUAGES: readonly { readonly code: string; readonly name: string }[] = [
  HOME,
  ...Object.keys(others).map(codeOf),
]
  .sort()
  .map((code) => ({ code, name: new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code }));

function known(code: string | null | undefined): string | undefined {
  const language = code?.toLowerCase().split("-")[0];
  return LANGUAGES.find((one) => one.code === language)?.code;
}

/** The language to begin with. Each argument may be nothing or something unknown; the first that is known wins. */
export function firstKnown(asked: string | null, chosen: string | null, browser: readonly string[]): string {
  return [asked, chosen, ...browser].map(known).find((code) => code !== undefined) ?? HOME;
}

/** How the language is written where this reader is: `en-IE` of a browser's own list, else what the catalogue says. */
export function localeFor(code: string, browser: readonly string[], usual: string): string {
  return browser.find((locale) => locale.includes("-") && known(locale) === code) ?? usual;
}

function remembered(): string | null {
  try {
    return window.localStorage.getItem(PLACE);
  } catch {
    return null;
  }
}

interface Spoken {
  readonly code: string;
  readonly locale: string;
  readonly messages: Catalogue;
  readonly number: Intl.NumberFormat;
  readonly plural: Intl.PluralRules;
}

function spoken(code: string, messages: Catalogue): Spoken {
  const locale = localeFor(code, navigator.languages, messages["language.locale"]);
  return {
    code,
    locale,
    messages,
    number: new Intl.NumberFormat(locale, { maximumFractionDigits: 7 }),
    plural: new Intl.PluralRules(locale),
  };
}

let now = $state.raw<Spoken>(spoken(HOME, en));
let wanted: string = HOME;

export const language = {
  /** `de` */
  get code(): string {
    return now.code;
  },

  /** How numbers, money and dates are written: `de-DE`. */
  get locale(): string {
    return now.locale;
  },

  /** Speaks the language of this address, person or browser. When its file cannot be had, the page stays with what it speaks. */
  begin(): Promise<void> {
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- read once
    const asked = new URLSearchParams(window.location.search).get("language");
    return speak(firstKnown(asked, remembered(), navigator.languages));
  },

  /** Speaks another language from now on, and next time too. */
  choose(code: string): Promise<void> {
    try {
      window.localStorage.setItem(PLACE, code);
    } catch {
      // A browser that forbids storage keeps the choice for this page only.
    }
    return speak(code);
  },
};

async function speak(code: string): Promise<void> {
  wanted = code;
  let messages: Catalogue = en;
  const load = others[`./messages/${code}.ts`];
  if (load) {
    try {
      messages = (await load()).default;
    } catch {
      return;
    }
  }
  if (wanted !== code) return;
  now = spoken(code, messages);
  document.documentElement.lang = now.code;
}

/** What the page says: the message of `key` in the page's language, its blanks filled. */
export function t<K extends Key>(key: K, ...[values]: Filled<K>): string {
  return say(key, values);
}

/** The message of a key that is made up at run time; undefined when there is none. */
export function perhaps(key: string): string | undefined {
  return key in en ? say(key as Key, undefined) : undefined;
}

function say(key: Key, values: Readonly<Record<string, string | number>> | undefined): string {
  const message: Message = (now.messages as Partial<Catalogue>)[key] ?? en[key];
  const text =
    typeof message === "string" ? message : (message[now.plural.select(Number(values?.count))] ?? message.other);
  return values === undefined ? text : text.replace(/\{(\w+)\}/g, (_, name: string) => written(values[name]));
}

function written(value: string | number | undefined): string {
  return typeof value === "number" ? now.number.format(value) : (value ?? "");
}
