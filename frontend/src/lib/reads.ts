/**
 * What a screen asks for once instead of following it: an order with its lines and timeline, and the movements of a stock row. A refusal becomes a
 * `Refusal`, of which `problemWords` says what happened and what to do.
 */

import type { MetricRow } from "../stores/rows";
import { addDays } from "./calendar";
import { daysIn, type Days } from "./days";
import { refusalOf, silence } from "./refusal";
import type { Sold } from "./series";

/** One line of an order. Quantities are numbers, money is decimal text. */
export interface OrderLine {
  readonly line: string;
  readonly sku: string;
  readonly name: string;
  readonly location: string;
  readonly unit_price: string;
  readonly discount: string;
  readonly tax: string;
  readonly stock: boolean;
  readonly ordered: number;
  readonly allocated: number;
  readonly picked: number;
  readonly packed: number;
  readonly shipped: number;
  readonly delivered: number;
  readonly cancelled: number;
  readonly returned: number;
  readonly refunded: number;
  readonly committed: number;
}

/** One thing that happened to an order. */
export interface TimelineEntry {
  readonly version: number;
  readonly type: string;
  readonly occurred_at: string;
  readonly recorded_at: string;
  readonly source: string;
  readonly from_status: string | null;
  readonly to_status: string | null;
  readonly irregular: boolean;
  readonly skipped: readonly string[];
  readonly derived: readonly string[];
  readonly text: string | null;
  readonly document: string | null;
}

export interface OrderStory<Order> {
  readonly order: Order;
  readonly lines: readonly OrderLine[];
  readonly timeline: readonly TimelineEntry[];
  readonly version: number;
}

/** The quantities of a stock row that movements change. */
export const MOVED = [
  "on_hand",
  "committed",
  "reserved",
  "damaged",
  "quality_control",
  "safety_stock",
  "incoming",
] as const;

/** One change of a stock row: differences of its quantities and what was on hand afterwards. */
export interface Movement extends Readonly<Record<(typeof MOVED)[number], number>> {
  readonly version: number;
  readonly step: number;
  readonly type: string;
  readonly occurred_at: string;
  readonly recorded_at: string;
  readonly source: string;
  readonly on_hand_after: number;
  readonly reason: string | null;
  readonly document: string | null;
  readonly order_id: string | null;
  readonly note: string | null;
  readonly superseded: boolean;
}

export interface Movements {
  readonly rows: readonly Movement[];
  readonly next: string | null;
}

/** What a span of days came to: the metrics of it, and what was sold in it and in as many days before. */
export interface ChosenPeriod {
  readonly metrics: readonly MetricRow[];
  /** Metrics that would have needed too many orders. */
  readonly leftOut: readonly string[];
  readonly sold: readonly Sold[];
}

/** Milliseconds until what is only being worked out is asked for again. */
const AGAIN = 400;

async function read(address: string, signal: AbortSignal): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(address, { signal, headers: { accept: "application/json" }, credentials: "same-origin" });
  } catch (error) {
    if (signal.aborted) throw error;
    throw silence();
  }
  if (answer.status === 202) {
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
    return read(address, signal);
  }
  if (answer.ok) return (await answer.json()) as unknown;
  throw await refusalOf(answer);
}

/** An order with its lines and timeline, as of a moment when one is given. */
export async function readOrder<Order>(id: string, signal: AbortSignal, at?: number): Promise<OrderStory<Order>> {
  const address = at === undefined ? `/api/v1/orders/${encodeURIComponent(id)}` : past(at, { order_id: id });
  return (await read(address, signal)) as OrderStory<Order>;
}

function past(at: number, asked: Record<string, string>): string {
  return `/api/v1/past?${new URLSearchParams({ at: new Date(at).toISOString(), ...asked }).toString()}`;
}

/** Movements of a stock row, the newest first; `before` is the `next` of an earlier answer, `at` the moment they are as of. */
export async function readMovements(
  sku: string,
  location: string,
  signal: AbortSignal,
  before: string | null = null,
  at?: number,
): Promise<Movements> {
  if (at !== undefined) {
    const asked = { sku, location, ...(before === null ? {} : { before }) };
    return (await read(past(at, asked), signal)) as Movements;
  }
  const query = new URLSearchParams({ limit: "50" });
  if (before !== null) query.set("before", before);
  const place = `${encodeURIComponent(sku)}/${encodeURIComponent(location)}`;
  return (await read(`/api/v1/inventory/${place}/movements?${query.toString()}`, signal)) as Movements;
}

/** The metrics and the sales of some days of the shop, both ends included. */
export async function readPeriod(days: Days, signal: AbortSignal): Promise<ChosenPeriod> {
  const count = daysIn(days);
  const end = addDays(days.to, 1);
  const query = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();
  const bucket = count === 1 ? "hour" : "day";
  const [period, sums] = (await Promise.all([
    read(`/api/v1/metrics/period?${query({ from: days.from, to: end })}`, signal),
    read(`/api/v1/metrics?${query({ from: addDays(days.from, -count), to: end, bucket })}`, signal),
  ])) as [{ rows: MetricRow[]; left_out: string[] }, { rows: Sold[] }];
  const first = sums.rows.findIndex((row) => row.orders_placed > 0 || Number(row.net_sales) !== 0);
  return { metrics: period.rows, leftOut: period.left_out, sold: first < 0 ? [] : sums.rows.slice(first) };
}
