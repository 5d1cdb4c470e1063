// The rows of spec/rows.md as types. Quantities are numbers of at most three decimals; money is a decimal text in the
// row's currency and is never made a number; moments are RFC 3339 texts in UTC.

/** A decimal number as text, exact: `"6.95"`. */
export type Money = string;
/** RFC 3339 in UTC: `"2026-03-02T14:02:11Z"`. */
export type MomentText = string;

export type StockStatus = "oversold" | "out_of_stock" | "low" | "overstock" | "ok" | "untracked";

/** Key: sku, location. */
export type InventoryRow = {
  readonly version: number;
  readonly sku: string;
  readonly location: string;
  readonly name: string;
  readonly on_hand: number;
  readonly committed: number;
  readonly reserved: number;
  readonly damaged: number;
  readonly quality_control: number;
  readonly safety_stock: number;
  readonly incoming: number;
  /** Below 0: oversold by that much. */
  readonly available: number;
  readonly reorder_point: number | null;
  readonly reorder_quantity: number | null;
  readonly unit_cost: Money | null;
  readonly currency: string | null;
  readonly days_of_cover: number | null;
  readonly stock_status: StockStatus;
  readonly source: string;
  readonly source_updated_at: MomentText;
  readonly counted_at: MomentText | null;
  readonly updated_at: MomentText;
};

export type OrderStatus =
  | "draft"
  | "placed"
  | "confirmed"
  | "allocated"
  | "picking"
  | "packed"
  | "shipped"
  | "delivered"
  | "completed"
  | "cancelled"
  | "returned"
  | "expired";

export type Lateness = "on_track" | "at_risk" | "late";

/** Key: order_id. */
export type OrderRow = {
  readonly version: number;
  readonly order_id: string;
  readonly number: string;
  readonly status: OrderStatus;
  readonly payment_status: string;
  readonly location: string;
  readonly currency: string;
  readonly source: string;
  readonly customer_id: string | null;
  readonly customer_name: string | null;
  readonly country: string | null;
  readonly channel: string | null;
  readonly note: string | null;
  readonly placed_at: MomentText;
  readonly status_since: MomentText;
  readonly updated_at: MomentText;
  readonly closed_at: MomentText | null;
  readonly promised_at: MomentText | null;
  /** When the present status becomes at risk, and late. */
  readonly at_risk_at: MomentText | null;
  readonly due_at: MomentText | null;
  readonly lateness: Lateness;
  /** Null: not on hold. */
  readonly hold_reason: string | null;
  readonly hold_since: MomentText | null;
  readonly gross: Money;
  readonly discount: Money;
  readonly shipping: Money;
  readonly tax: Money;
  readonly total: Money;
  readonly credited: Money;
  readonly line_count: number;
  readonly units: number;
  readonly units_shipped: number;
  readonly units_cancelled: number;
  readonly units_returned: number;
  readonly irregular: boolean;
  readonly skipped: readonly string[];
  readonly derived: readonly string[];
};

export type MetricName =
  | "gross_sales"
  | "net_sales"
  | "total_sales"
  | "orders_placed"
  | "orders_per_minute"
  | "units_sold"
  | "average_order_value"
  | "orders_open"
  | "orders_late"
  | "orders_at_risk"
  | "oldest_open_age"
  | "stockout_rate"
  | "out_of_stock_count"
  | "oversold_count"
  | "low_stock_count"
  | "inventory_value"
  | "source_lag"
  | "order_cycle_time"
  | "order_cycle_time_p90"
  | "on_time_ship_rate"
  | "fill_rate"
  | "cancellation_rate"
  | "return_rate"
  | "backlog_hours"
  | "days_of_cover"
  | "sell_through"
  | "inventory_accuracy"
  | "drift"
  | "last_verified_at";

/** `custom` is in no feed: it is what a chosen period answers. */
export type MetricPeriod = "today" | "yesterday" | "last_7_days" | "last_30_days" | "now" | "custom";
export type MetricUnit = "money" | "count" | "units" | "percent" | "days" | "hours" | "minutes" | "seconds" | "moment";

/** Key: metric, period. */
export type MetricRow = {
  readonly version: number;
  readonly metric: MetricName;
  readonly period: MetricPeriod;
  readonly unit: MetricUnit;
  /** A text when the unit is money or moment, else a number; null: no data. */
  readonly value: Money | number | null;
  /** The same elapsed part of the period before; null where there is none. */
  readonly previous: Money | number | null;
  readonly state: "ok" | "no_data";
  readonly as_of: MomentText;
  readonly since: MomentText | null;
  readonly currency: string | null;
  readonly detail: Readonly<Record<string, number>> | null;
};

/** Key: start. Sums of one hour, and how things stood when it ended, or stand. */
export type HourRow = {
  readonly version: number;
  readonly start: MomentText;
  readonly orders_placed: number;
  readonly units_sold: number;
  readonly gross_sales: Money;
  readonly discounts: Money;
  readonly returns: Money;
  readonly net_sales: Money;
  readonly shipping: Money;
  readonly tax: Money;
  readonly total_sales: Money;
  readonly orders_open: number | null;
  readonly orders_late: number | null;
  readonly orders_at_risk: number | null;
  readonly out_of_stock_count: number | null;
  readonly oversold_count: number | null;
  readonly low_stock_count: number | null;
  readonly inventory_value: Money | null;
};

/** Key: source. */
export type SourceRow = {
  readonly version: number;
  readonly source: string;
  /** Its newest event's own time. */
  readonly newest_at: MomentText;
  readonly recorded_at: MomentText;
  readonly events: number;
};

export type RuleKind =
  | "out_of_stock"
  | "low_stock"
  | "oversold"
  | "back_in_stock"
  | "large_movement"
  | "order_stuck"
  | "order_status"
  | "large_order"
  | "rate_spike"
  | "metric"
  | "source_silent"
  | "drift";

export type Severity = "info" | "warning" | "critical";

/** What of the shop a rule looks at; what is left out limits nothing. */
export type RuleScope = {
  readonly location?: string;
  readonly sku?: string;
  readonly statuses?: readonly string[];
  /** Only orders that somebody watches. */
  readonly watched?: boolean;
  readonly source?: string;
  readonly channel?: string;
  readonly currency?: string;
};

/** Key: rule_id. */
export type RuleRow = {
  readonly version: number;
  readonly rule_id: string;
  readonly kind: RuleKind;
  readonly name: string;
  readonly enabled: boolean;
  readonly severity: Severity;
  readonly scope: RuleScope;
  readonly threshold: number | null;
  readonly clear: number | null;
  readonly metric: string | null;
  readonly period: string | null;
  readonly comparison: "above" | "below" | "changed" | null;
  /** What a metric is compared with, in per cent; null: with the limit itself, unless it is to be `changed`. */
  readonly against: "period_before" | "week_before" | null;
  readonly for_seconds: number;
  readonly keep_seconds: number;
  readonly cooldown_seconds: number;
  readonly group_by: "none" | "location" | "rule";
  readonly channels: "default" | readonly string[];
  readonly built_in: boolean;
  readonly revision: number;
  readonly updated_by: string;
  readonly updated_at: MomentText | null;
};

export type NotificationState = "pending" | "firing" | "acknowledged" | "snoozed" | "resolved";

/** Key: notification_id. */
export type NotificationRow = {
  readonly version: number;
  readonly notification_id: string;
  readonly rule_id: string;
  readonly kind: RuleKind;
  readonly severity: Severity;
  readonly state: NotificationState;
  readonly dedupe_key: string;
  readonly subject: string;
  readonly sku: string | null;
  readonly location: string | null;
  readonly order_id: string | null;
  readonly source: string | null;
  readonly metric: string | null;
  readonly name: string;
  readonly value: string | null;
  readonly threshold: string | null;
  readonly count: number;
  readonly members: readonly string[];
  readonly occurrences: number;
  readonly began_at: MomentText;
  readonly fired_at: MomentText | null;
  readonly fired_version: number | null;
  readonly updated_at: MomentText;
  readonly ended_at: MomentText | null;
  readonly acknowledged_by: string | null;
  readonly snoozed_until: MomentText | null;
  /** "": by itself. */
  readonly resolved_by: string | null;
};

export type Preferences = {
  readonly quiet: { readonly from: string; readonly to: string; readonly timezone: string } | null;
  readonly digest: boolean;
  readonly muted_rules: readonly string[];
  readonly rules: Readonly<Record<string, { readonly channels: readonly string[] | null }>>;
  readonly channels: Readonly<Record<string, boolean>>;
  readonly toast_severity: Severity;
};

/** Key: person. Only one's own is ever seen. */
export type PersonRow = {
  readonly version: number;
  readonly person: string;
  readonly read_through: number;
  readonly read: readonly string[];
  readonly preferences: Preferences;
  readonly watched: readonly string[];
  readonly views: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

/** Each feed's rows. */
export interface FeedRows {
  inventory: InventoryRow;
  orders: OrderRow;
  metrics: MetricRow;
  hours: HourRow;
  sources: SourceRow;
  rules: RuleRow;
  notifications: NotificationRow;
  people: PersonRow;
}

export type FeedName = keyof FeedRows;
