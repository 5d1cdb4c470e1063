/**
 * How numbers, money and times read. Everything follows the shop's currency and time zone and the reader's locale. Money is formatted from its
 * decimal text, so no digit is lost; clocks have 24 hours, because half past two must not need a second look.
 */

import { DAY, HOUR, MINUTE } from "./calendar";
import { type Exact, decimalText } from "./decimal";
import { language, t } from "./language.svelte";

/** What a value is measured in. */
export type Unit = "money" | "count" | "units" | "percent" | "days" | "hours" | "minutes" | "seconds" | "moment";

/** The minus sign as typography has it, as wide as a plus. */
const MINUS = "\u2212";
export const NO_VALUE = "\u2013";

/** The formats of one shop for one reader. */
export interface Formats {
  /** `"1234.5"` as `£1,234.50`; more digits when the text has them. */
  money(text: string, currency?: string | null): string;
  /** Money with its sign always shown. */
  moneyChange(text: string): string;
  /** A quantity or count with thousands separated. */
  quantity(value: number | string): string;
  /** A quantity with its sign always shown. */
  change(value: number | string): string;
  /** A value in the unit of its metric. */
  value(value: string | number, unit: Unit): string;
  /** `14:02` */
  time(moment: number | string): string;
  /** `14:02:11` */
  timeOfDay(moment: number | string): string;
  /** `Mon 2 Mar` */
  day(moment: number | string): string;
  /** `Monday 2 March` */
  longDay(moment: number | string): string;
  /** `14:02` today, else `2 Mar, 14:02`. */
  moment(moment: number | string, now: number): string;
  /** `2 March 2026 at 14:02:11` with the zone. */
  full(moment: number | string): string;
  /** Money for an axis: `£1.2k`. */
  moneyShort(value: number): string;
  /** A count for an axis: `1.2k`. */
  countShort(value: number): string;
  /** A day of the calendar, `2026-03-02`, as `2/3`. */
  dayShort(day: string): string;
  /** A day of the calendar as `Mon 2 Mar`. */
  dayOfCalendar(day: string): string;
}

type Decimalish = Intl.StringNumericLiteral;

function inMs(moment: number | string): number {
  return typeof moment === "number" ? moment : Date.parse(moment);
}

function signed(text: string): string {
  return text.replace("-", MINUS);
}

function buildFormats(locale: string, currency: string, timezone: string): Formats {
  const timeZone = timezone;
  const dates = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
    new Intl.DateTimeFormat(locale, { timeZone, hourCycle: "h23", ...options });
  const moneys = new Map<string, Intl.NumberFormat>();
  const moneyIn = (code: string): Intl.NumberFormat => {
    let format = moneys.get(code);
    if (!format) {
      const narrow = { style: "currency", currency: code, currencyDisplay: "narrowSymbol" } as const;
      const least = new Intl.NumberFormat(locale, narrow).resolvedOptions().minimumFractionDigits ?? 2;
      format = new Intl.NumberFormat(locale, {
        ...narrow,
        minimumFractionDigits: least,
        maximumFractionDigits: Math.max(least, 7),
      });
      moneys.set(code, format);
    }
    return format;
  };
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 7 });
  const percent = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const hours = dates({ hour: "2-digit", minute: "2-digit" });
  const seconds = dates({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const days = dates({ weekday: "short", day: "numeric", month: "short" });
  const longDays = dates({ weekday: "long", day: "numeric", month: "long" });
  const dayTime = dates({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const dated = dates({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const dayKey = dates({ year: "numeric", month: "numeric", day: "numeric" });
  const full = dates({ dateStyle: "long", timeStyle: "medium" });
  const short = { notation: "compact", maximumFractionDigits: 1 } as const;
  const moneyShort = new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    ...short,
  });
  const countShort = new Intl.NumberFormat(locale, short);
  const dayShort = dates({ day: "numeric", month: "numeric", timeZone: "UTC" });
  const dayOfCalendar = dates({ weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

  const formats: Formats = {
    money: (text, code) => signed(moneyIn(code ?? currency).format(text as Decimalish)),
    moneyChange: (text) => (text.startsWith("-") || /^0*\.?0*$/.test(text) ? "" : "+") + formats.money(text),
    quantity: (value) => signed(number.format(String(value) as Decimalish)),
    change: (value) => (Number(value) > 0 ? "+" : "") + formats.quantity(value),
    value: (value, unit) => {
      switch (unit) {
        case "money":
          return formats.money(String(value));
        case "percent":
          return `${signed(percent.format(Number(value)))} %`;
        case "days":
          return t("time.days", { count: Number(value) });
        case "moment":
          return dayTime.format(inMs(value));
        case "hours":
          return duration(Number(value) * 60 * MINUTE);
        case "minutes":
          return duration(Number(value) * MINUTE);
        case "seconds":
          return duration(Number(value) * 1000);
        case "count":
        case "units":
          return formats.quantity(value);
      }
    },
    time: (moment) => hours.format(inMs(moment)),
    timeOfDay: (moment) => seconds.format(inMs(moment)),
    day: (moment) => days.format(inMs(moment)).replaceAll(",", ""),
    longDay: (moment) => longDays.format(inMs(moment)).replaceAll(",", ""),
    moment: (moment, now) => {
      const ms = inMs(moment);
      if (dayKey.format(ms) === dayKey.format(now)) return hours.format(ms);
      return Math.abs(now - ms) < 300 * DAY ? dayTime.format(ms) : dated.format(ms);
    },
    full: (moment) => t("time.zone", { time: full.format(inMs(moment)), zone: timezone }),
    moneyShort: (value) => signed(moneyShort.format(value)),
    countShort: (value) => signed(countShort.format(value)),
    dayShort: (day) => dayShort.format(Date.parse(`${day}T12:00:00Z`)),
    dayOfCalendar: (day) => dayOfCalendar.format(Date.parse(`${day}T12:00:00Z`)).replaceAll(",", ""),
  };
  return formats;
}

const built = new Map<string, Formats>();

/** The formats for a currency and a time zone; built once each. Without a locale the page's own is used. */
export function formatsFor(currency: string, timezone: string, locale = language.locale): Formats {
  const name = `${locale}|${currency}|${timezone}`;
  let formats = built.get(name);
  if (!formats) {
    formats = buildFormats(locale, currency, timezone);
    built.set(name, formats);
  }
  return formats;
}

/**
 * A length of time in its one or two largest parts: `12 s`, `3 min`, `2 h 5 min`, `4 days`.
 *
 * @param after whether it follows a preposition, which changes the word in some languages (`vor 4 Tagen`)
 */
export function duration(ms: number, after = false): string {
  const size = Math.max(0, ms);
  if (size < MINUTE) return t("time.seconds", { count: Math.floor(size / 1000) });
  if (size < HOUR) return t("time.minutes", { count: Math.floor(size / MINUTE) });
  if (size < DAY) {
    const minutes = Math.floor((size % HOUR) / MINUTE);
    const whole = t("time.hours", { count: Math.floor(size / HOUR) });
    return minutes === 0 ? whole : `${whole} ${t("time.minutes", { count: minutes })}`;
  }
  const count = Math.floor(size / DAY);
  const hours = Math.floor((size % DAY) / HOUR);
  const days = t(after ? "time.days.after" : "time.days", { count });
  return count < 3 && hours > 0 ? `${days} ${t("time.hours", { count: hours })}` : days;
}

/** How long ago: `now` within a second, else `3 min ago`. */
export function ago(ms: number): string {
  return ms < 1000 ? t("time.now") : t("time.ago", { duration: duration(ms, true) });
}

/** Bytes in the largest sensible unit. */
export function bytes(count: number): string {
  const number = (value: number, digits: number): string =>
    value.toLocaleString(language.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  if (count < 1000) return `${number(count, 0)} B`;
  if (count < 1_000_000) return `${number(count / 1000, 1)} kB`;
  return `${number(count / 1_000_000, 1)} MB`;
}

/** An exact decimal as a quantity. */
export function exactQuantity(formats: Formats, value: Exact): string {
  return formats.quantity(decimalText(value));
}
