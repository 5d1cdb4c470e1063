/**
 * Hours into what a chart draws: the buckets of a period with the period before behind them. An hour that is not in the feed is a gap, never a
 * zero and never a line drawn across; the bucket that is still filling is marked, because a half hour beside whole ones looks like a collapse.
 */

import type { HourRow } from "../stores/rows";
import { addDays, daysBetween, localTime } from "./calendar";
import { daysIn, type Days } from "./days";
import { sumOf } from "./decimal";

/** The periods that the server keeps. */
export type FixedPeriod = "today" | "yesterday" | "last_7_days" | "last_30_days";
/** `custom`: days that somebody chose. */
export type Period = FixedPeriod | "custom";

/** What is added up into a bucket: an hour of the feed, or the sums of an hour or a day. */
export type Sold = Pick<HourRow, "start" | "net_sales" | "orders_placed" | "units_sold">;

/** The sums of one bucket; null where nothing is known. */
export interface Sums {
  readonly sales: string | null;
  readonly orders: number | null;
  readonly units: string | null;
}

export interface Bucket {
  /** The day the bucket is of, and its hour when buckets are hours. */
  readonly day: string;
  readonly hour: number | null;
  readonly now: Sums;
  readonly before: Sums;
  /** Still filling. */
  readonly incomplete: boolean;
  /** Not begun yet. */
  readonly ahead: boolean;
}

const DAYS: Readonly<Record<FixedPeriod, number>> = { today: 1, yesterday: 1, last_7_days: 7, last_30_days: 30 };

/** How many days of hours a period and the one before it need, counted back from today. */
export function daysNeeded(period: FixedPeriod): number {
  return period === "yesterday" ? 3 : DAYS[period] * 2;
}

/** The buckets of a period: hours for one day, days for several. */
export function buckets(hours: readonly HourRow[], period: FixedPeriod, now: number, timezone: string): Bucket[] {
  const today = localTime(now, timezone).day;
  const last = period === "yesterday" ? addDays(today, -1) : today;
  return bucketsOf(hours, { from: addDays(last, 1 - DAYS[period]), to: last }, now, timezone);
}

/** The buckets of some days, with as many days before them. */
export function bucketsOf(hours: readonly Sold[], span: Days, now: number, timezone: string): Bucket[] {
  const here = localTime(now, timezone);
  const { from: first } = span;
  const days = daysIn(span);
  const byHour = days === 1;
  const groups = new Map<string, Sold[]>();
  for (const row of hours) {
    const at = localTime(Date.parse(row.start), timezone);
    const name = byHour ? `${at.day} ${at.hour}` : at.day;
    const group = groups.get(name);
    if (group) group.push(row);
    else groups.set(name, [row]);
  }
  const result: Bucket[] = [];
  for (let step = 0; step < (byHour ? 24 : days); step++) {
    const day = byHour ? first : addDays(first, step);
    const hour = byHour ? step : null;
    const earlier = addDays(day, -days);
    const suffix = hour === null ? "" : ` ${hour}`;
    const distance = daysBetween(here.day, day);
    result.push({
      day,
      hour,
      now: sums(groups.get(day + suffix)),
      before: sums(groups.get(earlier + suffix)),
      incomplete: distance === 0 && (hour === null || hour === here.hour),
      ahead: distance > 0 || (distance === 0 && hour !== null && hour > here.hour),
    });
  }
  return result;
}

function sums(rows: readonly Sold[] | undefined): Sums {
  if (!rows) return { sales: null, orders: null, units: null };
  return {
    sales: sumOf(rows.map((row) => row.net_sales)),
    orders: rows.reduce((sum, row) => sum + row.orders_placed, 0),
    units: sumOf(rows.map((row) => row.units_sold)),
  };
}

/** Which of an hour's values a sparkline follows. */
export type Gauge =
  "orders_open" | "orders_late" | "out_of_stock_count" | "oversold_count" | "low_stock_count" | "inventory_value";

/** The newest `count` hours of a gauge, oldest first; null where the feed has no hour. */
export function gaugeLine(
  hours: readonly HourRow[],
  gauges: readonly Gauge[],
  now: number,
  count = 24,
): (number | null)[] {
  const byStart = new Map(hours.map((row) => [Date.parse(row.start), row]));
  const current = Math.floor(now / 3_600_000) * 3_600_000;
  const line: (number | null)[] = [];
  for (let back = count - 1; back >= 0; back--) {
    const row = byStart.get(current - back * 3_600_000);
    line.push(row ? gaugeOf(row, gauges) : null);
  }
  return line;
}

function gaugeOf(row: HourRow, gauges: readonly Gauge[]): number | null {
  let sum: number | null = null;
  for (const gauge of gauges) {
    const value = row[gauge];
    if (value !== null) sum = (sum ?? 0) + Number(value);
  }
  return sum;
}

/** How a gauge stood at the end of this hour yesterday; null when not known. */
export function gaugeYesterday(hours: readonly HourRow[], gauge: Gauge, now: number): string | number | null {
  const hour = Math.floor(now / 3_600_000) * 3_600_000 - 24 * 3_600_000;
  return hours.find((row) => Date.parse(row.start) === hour)?.[gauge] ?? null;
}
