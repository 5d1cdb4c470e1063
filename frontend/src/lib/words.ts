/**
 * The words and shapes of every state on the screen, in one place: a status is never told by colour alone, so each has a shape, a tone and words.
 */

import type { InventoryRow, MetricRow, OrderRow } from "../stores/rows";
import { duration, NO_VALUE, type Formats } from "./format";
import { language, perhaps, t } from "./language.svelte";
import { decimalText, exact } from "./decimal";

/** The shapes a state can have; each is told apart without colour. */
export type Shape = "dot" | "ring" | "half" | "triangle" | "diamond" | "square" | "bar" | "cross" | "check" | "pause";

/** How much a state matters. The accents behind the tones are in styles/tokens.css. */
export type Tone = "ok" | "info" | "warning" | "critical" | "unknown";

export interface Look {
  readonly words: string;
  readonly shape: Shape;
  readonly tone: Tone;
}

type Mark = Omit<Look, "words">;

export type StockStatus = InventoryRow["stock_status"];
export type OrderState = OrderRow["status"];

const STOCK: Readonly<Record<StockStatus, Mark>> = {
  oversold: { shape: "square", tone: "critical" },
  out_of_stock: { shape: "diamond", tone: "critical" },
  low: { shape: "triangle", tone: "warning" },
  overstock: { shape: "bar", tone: "info" },
  ok: { shape: "dot", tone: "ok" },
  untracked: { shape: "ring", tone: "unknown" },
};

/** The stock statuses, the most urgent first. */
export const STOCK_STATUSES = Object.keys(STOCK) as readonly StockStatus[];

/** The look of a stock status. */
export function stockLook(status: StockStatus): Look {
  return { ...STOCK[status], words: t(`stock.${status}`) };
}

/** How far below zero a row is: `Oversold by 3`; else the plain word. */
export function stockWords(row: Pick<InventoryRow, "stock_status" | "available">, formats: Formats): string {
  const available = exact(row.available);
  if (available < 0n) return t("stock.oversold_by", { quantity: formats.quantity(decimalText(-available)) });
  return t(`stock.${row.stock_status}`);
}

const ORDER: Readonly<Record<OrderState, Mark>> = {
  draft: { shape: "ring", tone: "unknown" },
  placed: { shape: "ring", tone: "info" },
  confirmed: { shape: "ring", tone: "info" },
  allocated: { shape: "half", tone: "info" },
  picking: { shape: "half", tone: "info" },
  packed: { shape: "dot", tone: "info" },
  shipped: { shape: "dot", tone: "ok" },
  delivered: { shape: "check", tone: "ok" },
  completed: { shape: "check", tone: "ok" },
  cancelled: { shape: "cross", tone: "unknown" },
  returned: { shape: "cross", tone: "warning" },
  expired: { shape: "cross", tone: "unknown" },
};

/** The order statuses along the lifecycle. */
export const ORDER_STATES = Object.keys(ORDER) as readonly OrderState[];

/** The statuses an open order moves through, as the pipeline shows them. */
export const PIPELINE: readonly OrderState[] = ["placed", "confirmed", "allocated", "picking", "packed", "shipped"];

/** The look of an order status. */
export function orderLook(status: OrderState): Look {
  return { ...ORDER[status], words: t(`order.${status}`) };
}

/** How an order stands against its time. */
export interface Ageing {
  readonly words: string;
  readonly tone: Tone;
  readonly shape: Shape;
}

/** An order's lateness in words, by the shop's clock: `6 min over`, `due in 12 min`, `open 2 h`. */
export function ageing(
  row: Pick<OrderRow, "lateness" | "due_at" | "at_risk_at" | "placed_at" | "closed_at">,
  now: number,
): Ageing {
  if (row.closed_at !== null) {
    return {
      words: t("order.took", { duration: duration(Date.parse(row.closed_at) - Date.parse(row.placed_at)) }),
      tone: "unknown",
      shape: "check",
    };
  }
  if (row.due_at === null)
    return {
      words: t("order.open_for", { duration: duration(now - Date.parse(row.placed_at), true) }),
      tone: "unknown",
      shape: "ring",
    };
  const left = Date.parse(row.due_at) - now;
  if (left < 0 || row.lateness === "late")
    return { words: t("order.over", { duration: duration(-left) }), tone: "critical", shape: "square" };
  const tone = row.lateness === "at_risk" ? "warning" : "ok";
  return {
    words: t("order.due_in", { duration: duration(left, true) }),
    tone,
    shape: tone === "warning" ? "triangle" : "dot",
  };
}

/** An order's status in words, and that it is on hold. */
export function statusWords(row: Pick<OrderRow, "status" | "hold_reason">): string {
  const status = t(`order.${row.status}`);
  return row.hold_reason === null ? status : t("order.status_on_hold", { status });
}

/** A code of the wire in words: `partially_refunded` as `Partially refunded`. A code without a message is written out. */
export function codeWords(code: string): string {
  return perhaps(`code.${code}`) ?? plainWords(code);
}

function plainWords(code: string): string {
  const text = code.replaceAll("_", " ").replaceAll(".", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Where codes stand inside a sentence: `Skipped confirmed, allocated.` Other languages keep the case of their nouns. */
export function listed(words: readonly string[]): string {
  const text = words.join(", ");
  return language.code === "en" ? text.toLowerCase() : text;
}

/** The quantities that make up what is available, with their message. */
export const STOCK_PARTS = [
  ["on_hand", "stock.on_hand"],
  ["committed", "stock.committed_to_orders"],
  ["reserved", "stock.reserved"],
  ["damaged", "stock.damaged"],
  ["quality_control", "stock.quality_control"],
  ["safety_stock", "stock.safety_stock"],
] as const;

/** A metric's value as it reads. An average of nothing, as on a day before its first order, is none; that is not "no data". */
export function metricText({ value, unit, state }: MetricRow, formats: Formats): string {
  if (value !== null) return formats.value(value, unit);
  return state === "no_data" ? t("word.no_data") : NO_VALUE;
}
