/** The name and the meaning of every metric, in the order they are read. One sentence each; the formulas are those of the reference. */

import type { MetricRow } from "../stores/rows";
import { plainWords } from "./words";

type Name = MetricRow["metric"];

export interface Definition {
  readonly name: string;
  readonly means: string;
}

const DEFINITIONS: Readonly<Partial<Record<string, Definition>>> = {
  net_sales: { name: "Net sales", means: "Gross sales less discounts and returns." },
  gross_sales: { name: "Gross sales", means: "Unit price times quantity, summed over the lines of the orders placed." },
  total_sales: { name: "Total sales", means: "Net sales with shipping and tax." },
  orders_placed: { name: "Orders placed", means: "How many orders were placed in the period." },
  orders_per_minute: { name: "Orders per minute", means: "Orders placed in each minute of the period, on average." },
  units_sold: { name: "Units sold", means: "Units on the lines of the orders placed in the period." },
  average_order_value: {
    name: "Average order value",
    means: "Gross sales less discounts, divided by the number of orders placed.",
  },
  orders_open: { name: "Open orders", means: "Orders that are neither completed, cancelled, returned nor expired." },
  orders_late: { name: "Late orders", means: "Open orders that have been in their status longer than it allows." },
  orders_at_risk: {
    name: "Orders at risk",
    means: "Open orders that have used over 80 % of the time their status allows.",
  },
  oldest_open_age: { name: "Oldest open order", means: "How long ago the oldest open order was placed." },
  stockout_rate: { name: "Stockout rate", means: "The share of tracked stock rows with nothing available." },
  out_of_stock_count: { name: "Out of stock", means: "Stock rows of which exactly nothing is available." },
  oversold_count: { name: "Oversold", means: "Stock rows of which more was promised than is there." },
  low_stock_count: {
    name: "Low stock",
    means: "Stock rows with something available, but no more than their reorder point.",
  },
  inventory_value: {
    name: "Inventory value",
    means: "Quantity on hand times unit cost, over the rows whose cost is known.",
  },
  source_lag: { name: "Source lag", means: "How far the newest event of the slowest source is behind the clock." },
  order_cycle_time: {
    name: "Order cycle time",
    means: "How long orders took from placed to shipped; half were quicker.",
  },
  order_cycle_time_p90: {
    name: "Order cycle time, slowest tenth",
    means: "How long orders took from placed to shipped; nine in ten were quicker.",
  },
  on_time_ship_rate: {
    name: "Shipped on time",
    means: "The share of shipped orders with a promised time that left by it.",
  },
  fill_rate: { name: "Fill rate", means: "Units shipped out of units ordered, for orders whose shipping has ended." },
  backlog_hours: {
    name: "Backlog",
    means: "How many hours the open orders take at the shipping rate of the last 7 days.",
  },
  cancellation_rate: { name: "Cancellation rate", means: "The share of orders that were cancelled." },
  return_rate: { name: "Return rate", means: "The share of sold units that came back." },
  days_of_cover: { name: "Days of cover", means: "How long what is available lasts at the sales of the last 28 days." },
  sell_through: { name: "Sell-through", means: "Units sold out of units sold and still on hand, over 30 days." },
  inventory_accuracy: {
    name: "Inventory accuracy",
    means: "The share of counts that found exactly what the book said.",
  },
};

const RANKS = Object.keys(DEFINITIONS);

/** What a metric is; one that this page does not know yet keeps its plain name. */
export function definitionOf(metric: Name): Definition {
  return DEFINITIONS[metric] ?? { name: plainWords(metric), means: "" };
}

/** Sorts metrics as they are read. */
export function metricRank(metric: Name): number {
  const rank = RANKS.indexOf(metric);
  return rank < 0 ? RANKS.length : rank;
}
