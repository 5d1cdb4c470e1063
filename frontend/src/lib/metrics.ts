/** The name and the meaning of every metric, in the order they are read. One sentence each; the formulas are those of the reference. */

import type { MetricRow } from "../stores/rows";
import { perhaps } from "./language.svelte";
import { codeWords } from "./words";

type Name = MetricRow["metric"];

export interface Definition {
  readonly name: string;
  readonly means: string;
}

export const METRICS: readonly string[] = [
  "net_sales",
  "gross_sales",
  "total_sales",
  "orders_placed",
  "orders_per_minute",
  "units_sold",
  "average_order_value",
  "orders_open",
  "orders_late",
  "orders_at_risk",
  "oldest_open_age",
  "stockout_rate",
  "out_of_stock_count",
  "oversold_count",
  "low_stock_count",
  "inventory_value",
  "source_lag",
  "order_cycle_time",
  "order_cycle_time_p90",
  "on_time_ship_rate",
  "fill_rate",
  "backlog_hours",
  "cancellation_rate",
  "return_rate",
  "days_of_cover",
  "sell_through",
  "inventory_accuracy",
  "drift",
  "last_verified_at",
];

/** What a metric is; one that this page does not know yet keeps its plain name. */
export function definitionOf(metric: Name): Definition {
  return { name: perhaps(`metric.${metric}`) ?? codeWords(metric), means: perhaps(`metric.${metric}.means`) ?? "" };
}

/** Sorts metrics as they are read. */
export function metricRank(metric: Name): number {
  const rank = METRICS.indexOf(metric);
  return rank < 0 ? METRICS.length : rank;
}
