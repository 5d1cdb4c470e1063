/**
 * The page's language. English comes with the page; every other language is one file in `messages/`, found by its name, loaded when it is chosen
 * and never otherwise. What the first screen does not say stands in `messages/later/` and comes with the first part of the page that is fetched. The language is, in this order: what the address asks for (`?language=de`: a wall display is a link), what the person chose
 * on this browser, the first of the browser's languages that there is a file for, English.
 *
 * What changes with the language is read through `t` and `language` while something is drawn, so a new choice redraws it without a reload.
 *
 * A compiler of messages was tried and left: it sends every language to every reader, and needs 600 MB of packages to do it.
 */

import en from "./messages/en";
import type later from "./messages/later/en";

type Plural = { readonly other: string } & Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>;
type Message = string | Plural;

type English = typeof en & typeof later;
export type Key = keyof English;

type Spelled<Messages> = { readonly [K in keyof Messages]: Messages[K] extends string ? string : Plural };
/** What a language has to say first. */
export type Catalogue = Spelled<typeof en>;
/** What it has to say later. */
export type LaterCatalogue = Spelled<typeof later>;

type Blanks<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Blanks<Rest> : never;
type BlanksOf<M> = M extends string ? Blanks<M> : Blanks<M[keyof M]> | "count";
type Filling<Name extends string> = { readonly [N in Name]: N extends "count" ? number : string | number };
type Filled<K extends Key> = [BlanksOf<English[K]>] extends [never] ? [] : [Filling<BlanksOf<English[K]>>];

const PLACE = "stockwire.language";
const HOME = "en";

const others = import.meta.glob<{ default: Catalogue }>(["./messages/*.ts", "!./messages/en.ts"]);
const laters = import.meta.glob<{ default: LaterCatalogue }>("./messages/later/*.ts");
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
  readonly messages: Catalogue & Partial<LaterCatalogue>;
  readonly number: Intl.NumberFormat;
  readonly plural: Intl.PluralRules;
}

function spoken(code: string, messages: Spoken["messages"]): Spoken {
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
/** What comes later is wanted from when it was first asked for. */
let whole: Promise<void> | null = null;

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

  /** Whatever is fetched after the first screen waits for this: all that the page has to say is there. Fails when it cannot be had; ask again. */
  whole(): Promise<void> {
    whole ??= withLater(wanted).catch((error: unknown) => {
      whole = null;
      throw error;
    });
    return whole;
  },
};

async function speak(code: string): Promise<void> {
  wanted = code;
  try {
    const messages = await first(code);
    if (whole) await withLater(code);
    else take(code, messages);
  } catch {
    // The page goes on in the language that it speaks.
  }
}

async function first(code: string): Promise<Catalogue> {
  return (await others[`./messages/${code}.ts`]?.())?.default ?? en;
}

async function withLater(code: string): Promise<void> {
  const [messages, rest] = await Promise.all([first(code), laters[`./messages/later/${code}.ts`]?.()]);
  if (wanted === code) take(code, { ...messages, ...rest?.default });
  // Another language was chosen meanwhile, and chosen before anybody asked for the rest.
  else await withLater(wanted);
}

function take(code: string, messages: Spoken["messages"]): void {
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
  return key in now.messages || key in en ? say(key as Key, undefined) : undefined;
}

function say(key: Key, values: Readonly<Record<string, string | number>> | undefined): string {
  const message: Message =
    (now.messages as Partial<Record<Key, Message>>)[key] ?? (en as Partial<Record<Key, Message>>)[key] ?? key;
  const text =
    typeof message === "string" ? message : (message[now.plural.select(Number(values?.count))] ?? message.other);
  return values === undefined ? text : text.replace(/\{(\w+)\}/g, (_, name: string) => written(values[name]));
}

function written(value: string | number | undefined): string {
  return typeof value === "number" ? now.number.format(value) : (value ?? "");
}
