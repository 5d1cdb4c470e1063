/**
 * A rule as a sentence: "Tell me when available is at or below the reorder point at Leeds, for 10 min." Which fields a kind of rule has, and what its limit is
 * of, stands here too, so that the form, the list and the preview agree.
 */

import type { RuleKind, RuleRow, RuleScope } from "../stores/rows";
import type { Definition } from "../stores/rules.store";
import { duration, type Formats } from "./format";
import { language, perhaps, t, type Key } from "./language.svelte";
import { codeWords, listed } from "./words";

/** What a rule is before somebody says anything of it. */
export const BLANK: Definition = {
  kind: "out_of_stock",
  name: "",
  enabled: true,
  severity: "warning",
  scope: {},
  threshold: null,
  clear: null,
  metric: null,
  period: null,
  comparison: null,
  against: null,
  for_seconds: 0,
  keep_seconds: 0,
  cooldown_seconds: 0,
  group_by: "none",
  channels: "default",
};

export type RuleFields = Pick<
  RuleRow,
  | "kind"
  | "name"
  | "scope"
  | "threshold"
  | "clear"
  | "metric"
  | "period"
  | "comparison"
  | "against"
  | "for_seconds"
  | "keep_seconds"
  | "cooldown_seconds"
>;

/** What the limit of a kind is of; null: it has none. `time`: how much of its time an order has used up. */
export type LimitOf = "units" | "money" | "percent" | "time" | "metric" | null;

interface KindFields {
  readonly limit: LimitOf;
  /** Whether it may do without a limit, and has a meaning without one. */
  readonly optional?: boolean;
  readonly scope: readonly (keyof RuleScope)[];
  /** It lasts, so it can be asked to last before it fires. */
  readonly lasts: boolean;
  /** How far back it must go to be over. */
  readonly clears?: boolean;
  /** What it is about has a location to put it together by. */
  readonly placed: boolean;
}

const STOCK = { limit: "units", optional: true, scope: ["location", "sku"], placed: true } as const;
const ORDERS = ["watched", "statuses", "location", "sku", "source", "channel"] as const;

export const FIELDS: Readonly<Record<RuleKind, KindFields>> = {
  out_of_stock: { ...STOCK, lasts: true, clears: true },
  low_stock: { ...STOCK, lasts: true, clears: true },
  oversold: { ...STOCK, lasts: true },
  back_in_stock: { ...STOCK, lasts: false },
  large_movement: { ...STOCK, optional: false, lasts: false },
  order_stuck: { limit: "time", scope: ORDERS, lasts: true, placed: true },
  order_status: { limit: null, scope: ORDERS, lasts: false, placed: true },
  large_order: {
    limit: "money",
    scope: ["location", "sku", "source", "channel", "currency"],
    lasts: false,
    placed: true,
  },
  rate_spike: { limit: "percent", scope: [], lasts: true, clears: true, placed: false },
  metric: { limit: "metric", scope: [], lasts: true, clears: true, placed: false },
  source_silent: { limit: null, scope: ["source"], lasts: true, placed: false },
  drift: { limit: null, scope: [], lasts: true, placed: false },
};

export const SPIKES = ["cancellation_rate", "return_rate"] as const;
/** The limits of an order's time there are: at risk, and late. */
export const TIMES = [80, 100] as const;

type Against = RuleRow["against"];

/** Of how things stand, what the hours keep. */
const KEPT: ReadonlySet<string | null> = new Set([
  "orders_open",
  "orders_late",
  "orders_at_risk",
  "out_of_stock_count",
  "oversold_count",
  "low_stock_count",
  "inventory_value",
]);

/** What a metric is compared with; null: with the limit itself. */
export function baseline({ comparison, against }: Pick<RuleRow, "comparison" | "against">): Against {
  return against ?? (comparison === "changed" ? "period_before" : null);
}

/** What a metric can be compared with: the present has no time before it, and not all of last week is kept. */
export function baselines({
  metric,
  period,
  comparison,
}: Pick<RuleRow, "metric" | "period" | "comparison">): readonly Against[] {
  const found: Against[] = comparison === "changed" ? [] : [null];
  if (period !== "now") found.push("period_before");
  if (period !== "now" || KEPT.has(metric)) found.push("week_before");
  return found;
}

/** The limit that a kind begins with in a form. */
export function firstLimit(kind: RuleKind): number | null {
  const { limit, optional } = FIELDS[kind];
  if (limit === null || optional) return null;
  return { units: 50, money: 500, percent: 20, time: 100, metric: 100 }[limit];
}

/** `Tell me when something is out of stock at Leeds, for 10 min.` */
export function ruleSentence(rule: RuleFields, formats: Formats): string {
  const words = perhapsFilled(`rule.says.${variant(rule)}`, {
    limit: limitWords(rule, formats),
    what: rule.metric === null ? "" : listed([perhaps(`metric.${rule.metric}`) ?? codeWords(rule.metric)]),
    period: rule.period === null ? "" : (perhaps(`rule.period.${rule.period}`) ?? ""),
    statuses: statusesOf(rule.scope),
  });
  const tail = [
    scopeWords(rule.scope),
    rule.for_seconds > 0 ? t("rule.for", { duration: duration(rule.for_seconds * 1000, true) }) : "",
  ];
  return t("rule.sentence", { what: words + tail.join("") });
}

function variant(rule: RuleFields): string {
  const { kind, comparison, scope, threshold } = rule;
  if (kind === "metric") return ["metric", comparison ?? "above", baseline(rule) ?? []].flat().join(".");
  if (kind === "order_stuck") return threshold === 80 ? "order_stuck.at_risk" : kind;
  if (kind === "order_status") {
    const some = scope.statuses !== undefined && scope.statuses.length > 0;
    return `order_status${scope.watched ? ".watched" : ""}${some ? ".to" : ""}`;
  }
  return FIELDS[kind].optional && threshold !== null ? `${kind}.limit` : kind;
}

function perhapsFilled(key: string, values: Record<string, string | number>): string {
  return (t as (key: Key, values: Record<string, string | number>) => string)(key as Key, values);
}

function limitWords(rule: RuleFields, formats: Formats): string {
  const { kind, threshold, metric, scope } = rule;
  if (threshold === null) return t("rule.no_limit");
  switch (FIELDS[kind].limit) {
    case "money":
      return formats.money(String(threshold), scope.currency);
    case "percent":
      return formats.value(threshold, "percent");
    case "metric":
      if (baseline(rule) !== null || (metric ?? "").endsWith("_rate")) return formats.value(threshold, "percent");
      return /(_sales|_value)$/.test(metric ?? "") ? formats.money(String(threshold)) : formats.quantity(threshold);
    case "units":
    case "time":
    case null:
      return formats.quantity(threshold);
  }
}

function statusesOf(scope: RuleScope): string {
  const names = (scope.statuses ?? []).map((status) => perhaps(`order.${status}`) ?? codeWords(status));
  return listed([new Intl.ListFormat(language.locale, { type: "disjunction" }).format(names)]);
}

function scopeWords(scope: RuleScope): string {
  return [
    scope.sku ? t("rule.scope.sku", { sku: scope.sku }) : "",
    scope.location ? t("rule.scope.location", { location: scope.location }) : "",
    scope.channel ? t("rule.scope.channel", { channel: scope.channel }) : "",
    scope.source ? t("rule.scope.source", { source: scope.source }) : "",
  ].join("");
}

/** Everything beside the sentence that is worth a word: `over 5 above it`, `goes on for 5 min`, `again after 1 h`. */
export function ruleNotes(rule: RuleFields, formats: Formats): readonly string[] {
  const notes: string[] = [];
  if (rule.clear !== null && rule.clear > 0) notes.push(t("rule.note.clear", { limit: formats.quantity(rule.clear) }));
  if (rule.keep_seconds > 0) notes.push(t("rule.note.keep", { duration: duration(rule.keep_seconds * 1000, true) }));
  if (rule.cooldown_seconds > 0)
    notes.push(t("rule.note.cooldown", { duration: duration(rule.cooldown_seconds * 1000, true) }));
  return notes;
}
