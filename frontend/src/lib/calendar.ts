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

/** The shop's wall clock at a moment, as an `<input type="datetime-local">` has it: `2026-03-02T14:02`. */
export function localText(ms: number, timezone: string): string {
  const { day, hour, minute } = localTime(ms, timezone);
  return `${day}T${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}

/** The moment at which the shop's wall clock shows that; of two, the first; of none (the clocks skip it), the one an hour on. NaN for no time. */
export function momentOf(local: string, timezone: string): number {
  const wanted = Date.parse(`${local}Z`);
  if (Number.isNaN(wanted)) return wanted;
  const shown = (ms: number): number => Date.parse(`${localText(ms, timezone)}Z`);
  const ahead = shown(wanted - DAY) - (wanted - DAY);
  const first = wanted - ahead;
  const second = first - (shown(first) - wanted);
  return shown(second) === wanted ? second : first;
}
