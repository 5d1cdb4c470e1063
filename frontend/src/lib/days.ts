/** A span of whole days of the shop that somebody chose, both ends included, as the address has it. */

import { addDays, daysBetween } from "./calendar";

export interface Days {
  readonly from: string;
  readonly to: string;
}

/** The longest span that a chart still shows by the day. */
export const DAYS_MOST = 366;

/** The days that an address names, put right: ends in order, none after today, not too many. What is missing is the last 14 days. */
export function daysOf(query: URLSearchParams, today: string): Days {
  const named = [dayOf(query.get("from")), dayOf(query.get("to"))].filter((day) => day !== null).sort();
  const [first, last] = [named[0], named.at(-1)];
  if (first === undefined || last === undefined) return { from: addDays(today, -13), to: today };
  return bounded({ from: first, to: last }, today);
}

/** The days with no end after today, and the last of them when there are too many. */
export function bounded({ from, to }: Days, today: string): Days {
  const last = to > today ? today : to;
  const first = from > last ? last : from;
  return { from: daysBetween(first, last) >= DAYS_MOST ? addDays(last, 1 - DAYS_MOST) : first, to: last };
}

/** How many days they are. */
export function daysIn({ from, to }: Days): number {
  return daysBetween(from, to) + 1;
}

function dayOf(text: string | null): string | null {
  return text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`))
    ? text
    : null;
}
