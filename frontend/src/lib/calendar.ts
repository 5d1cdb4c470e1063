/**
 * The shop's calendar: which day and hour a moment is in the shop's own time zone, whatever the browser's is. Days are named `2026-03-02`,
 * so they compare and subtract without a clock change getting in the way.
 */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Where a moment falls in a time zone. */
export interface LocalTime {
  /** The day, as `2026-03-02`. */
  readonly day: string;
  readonly hour: number;
  readonly minute: number;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(timezone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timezone);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-CA", {
      timeZone: timezone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
    clocks.set(timezone, clock);
  }
  return clock;
}

/** The shop's day, hour and minute at a moment in milliseconds. */
export function localTime(ms: number, timezone: string): LocalTime {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const part of clockOf(timezone).formatToParts(ms)) parts[part.type] = part.value;
  return {
    day: `${parts.year ?? ""}-${parts.month ?? ""}-${parts.day ?? ""}`,
    hour: Number(parts.hour),
    minute: Number(parts.minute),
  };
}

/** The day `count` days after (or before, when negative) a day. */
export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY).toISOString().slice(0, 10);
}

/** Whole days from one day to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY);
}
