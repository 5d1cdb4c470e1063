/**
 * The words and shapes of every state on the screen, in one place: a status is never told by colour alone, so each has a shape, a tone and words.
 */

import type { OrderRow, InventoryRow } from "../stores/rows";
import { duration, type Formats } from "./format";
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

export type StockStatus = InventoryRow["stock_status"];
export type OrderState = OrderRow["status"];

const STOCK: Readonly<Record<StockStatus, Look>> = {
  oversold: { words: "Oversold", shape: "square", tone: "critical" },
  out_of_stock: { words: "Out of stock", shape: "diamond", tone: "critical" },
  low: { words: "Low", shape: "triangle", tone: "warning" },
  overstock: { words: "Overstock", shape: "bar", tone: "info" },
  ok: { words: "OK", shape: "dot", tone: "ok" },
  untracked: { words: "Not tracked", shape: "ring", tone: "unknown" },
};

/** The stock statuses, the most urgent first. */
export const STOCK_STATUSES = Object.keys(STOCK) as readonly StockStatus[];

/** The look of a stock status. */
export function stockLook(status: StockStatus): Look {
  return STOCK[status];
}

/** How far below zero a row is: `Oversold by 3`; else the plain word. */
export function stockWords(row: Pick<InventoryRow, "stock_status" | "available">, formats: Formats): string {
  const available = exact(row.available);
  if (available < 0n) return `Oversold by ${formats.quantity(decimalText(-available))}`;
  return STOCK[row.stock_status].words;
}

const ORDER: Readonly<Record<OrderState, Look>> = {
  draft: { words: "Draft", shape: "ring", tone: "unknown" },
  placed: { words: "Placed", shape: "ring", tone: "info" },
  confirmed: { words: "Confirmed", shape: "ring", tone: "info" },
  allocated: { words: "Allocated", shape: "half", tone: "info" },
  picking: { words: "Picking", shape: "half", tone: "info" },
  packed: { words: "Packed", shape: "dot", tone: "info" },
  shipped: { words: "Shipped", shape: "dot", tone: "ok" },
  delivered: { words: "Delivered", shape: "check", tone: "ok" },
  completed: { words: "Completed", shape: "check", tone: "ok" },
  cancelled: { words: "Cancelled", shape: "cross", tone: "unknown" },
  returned: { words: "Returned", shape: "cross", tone: "warning" },
  expired: { words: "Expired", shape: "cross", tone: "unknown" },
};

/** The order statuses along the lifecycle. */
export const ORDER_STATES = Object.keys(ORDER) as readonly OrderState[];

/** The statuses an open order moves through, as the pipeline shows them. */
export const PIPELINE: readonly OrderState[] = ["placed", "confirmed", "allocated", "picking", "packed", "shipped"];

/** The look of an order status. */
export function orderLook(status: OrderState): Look {
  return ORDER[status];
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
      words: `took ${duration(Date.parse(row.closed_at) - Date.parse(row.placed_at))}`,
      tone: "unknown",
      shape: "check",
    };
  }
  if (row.due_at === null)
    return { words: `open ${duration(now - Date.parse(row.placed_at))}`, tone: "unknown", shape: "ring" };
  const left = Date.parse(row.due_at) - now;
  if (left < 0 || row.lateness === "late")
    return { words: `${duration(-left)} over`, tone: "critical", shape: "square" };
  const tone = row.lateness === "at_risk" ? "warning" : "ok";
  return { words: `due in ${duration(left)}`, tone, shape: tone === "warning" ? "triangle" : "dot" };
}

/** Names of codes of the wire as people write them: `partially_refunded` as `Partially refunded`. */
export function plainWords(code: string): string {
  const text = code.replaceAll("_", " ").replaceAll(".", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A place in a list of quantities that make up what is available. */
export const STOCK_PARTS = [
  ["on_hand", "On hand"],
  ["committed", "Committed to orders"],
  ["reserved", "Reserved"],
  ["damaged", "Damaged"],
  ["quality_control", "In quality control"],
  ["safety_stock", "Safety stock"],
] as const;
