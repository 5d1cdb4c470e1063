/**
 * The words of a notification: one sentence that stands by itself, a line of figures and place, and the address of what it is about. The sentences are
 * those that channels outside the page use too.
 */

import type { NotificationRow, RuleKind, Severity } from "../stores/rows";
import { DAY, HOUR, MINUTE } from "./calendar";
import type { Formats, Unit } from "./format";
import { NO_VALUE } from "./format";
import { perhaps, t, type Key } from "./language.svelte";
import { orderAddress, stockAddress } from "./router";
import { codeWords, type Look } from "./words";

/** Kinds that happen and are over at once. */
const FACTS: ReadonlySet<RuleKind> = new Set(["back_in_stock", "large_movement", "order_status", "large_order"]);

export const KINDS: readonly RuleKind[] = [
  "out_of_stock",
  "low_stock",
  "oversold",
  "back_in_stock",
  "large_movement",
  "order_stuck",
  "order_status",
  "large_order",
  "rate_spike",
  "metric",
  "source_silent",
  "drift",
];

export const SEVERITIES: readonly Severity[] = ["critical", "warning", "info"];

const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };

export function isFact(kind: RuleKind): boolean {
  return FACTS.has(kind);
}

/** At least as grave. */
export function atLeast(severity: Severity, least: Severity): boolean {
  return RANK[severity] >= RANK[least];
}

/** The look of how grave something is. */
export function severityLook(severity: Severity): Look {
  const shapes = { info: "dot", warning: "triangle", critical: "square" } as const;
  return { shape: shapes[severity], tone: severity, words: t(`severity.${severity}`) };
}

/** One sentence without its full stop. */
export function noticeTitle(row: NotificationRow): string {
  const count = Math.max(row.count, row.members.length);
  const place = row.location ?? placeOf(row.subject);
  const at = place === null ? "" : t("notice.at", { place });
  if (count > 1) return filled(`notice.${row.kind}.many`, { count, at });
  const status = row.kind === "order_status" && row.value !== null ? perhaps(`order.${row.value}`) : undefined;
  if (status !== undefined) return t("notice.order_status.to", { what: row.name, status });
  return filled(`notice.${row.kind}`, { what: whatOf(row), at });
}

/** What a message takes beside its sentence is the same for all kinds; some leave a blank out. */
function filled(key: string, values: Record<string, string | number>): string {
  return (t as (key: Key, values: Record<string, string | number>) => string)(key as Key, values);
}

function whatOf(row: NotificationRow): string {
  if (row.metric !== null) return perhaps(`metric.${row.metric}`) ?? codeWords(row.metric);
  const [member = row.subject] = row.members;
  return row.name !== "" ? row.name : (row.sku ?? row.source ?? memberName(member));
}

function placeOf(subject: string): string | null {
  return subject.startsWith("location/") ? subject.slice("location/".length) : null;
}

/** The second line: figures, place, how often. Figures are of one thing: where there are several, whose they are is unknown. */
export function noticeText(row: NotificationRow, formats: Formats): string {
  const parts: string[] = [];
  const one = row.members.length <= 1 && row.kind !== "order_status" && row.kind !== "order_stuck";
  const value = one ? written(row.value, row, formats) : null;
  const limit = row.members.length <= 1 ? written(row.threshold, row, formats) : null;
  if (value !== null && limit !== null) parts.push(t("notice.value_and_limit", { value, limit }));
  else if (value !== null) parts.push(t("notice.value", { value }));
  else if (limit !== null) parts.push(t("notice.limit", { limit }));
  if (row.sku !== null && row.members.length <= 1) parts.push(row.sku);
  if (row.members.length > 1) {
    const names = row.members.slice(0, 3).map(memberName).join(", ");
    parts.push(t("notice.among", { names }));
  }
  if (row.occurrences > 1) parts.push(t("notice.occurred", { count: row.occurrences }));
  return parts.join(" · ") || t(`kind.${row.kind}`);
}

/** `stock/MUG-01/main` as `MUG-01`. */
export function memberName(subject: string): string {
  const [, name = subject] = subject.split("/");
  return name;
}

/** A value as its metric writes it; what is no number stays as it is. */
function written(value: string | null, row: NotificationRow, formats: Formats): string | null {
  if (value === null || value === "") return null;
  if (!/^[+-]?\d+(\.\d+)?$/.test(value)) return perhaps(`order.${value}`) ?? perhaps(`orders.${value}`) ?? value;
  if (value.startsWith("+")) return formats.change(Number(value));
  const unit = unitOf(row);
  return formats.value(unit === "money" ? value : Number(value), unit);
}

const MONEYS = /(_sales|_value)$/;

function unitOf({ kind, metric }: NotificationRow): Unit {
  if (kind === "large_order") return "money";
  if (kind === "source_silent") return "seconds";
  if (metric === null) return "units";
  if (MONEYS.test(metric)) return "money";
  if (/_rate$|sell_through|accuracy/.test(metric)) return "percent";
  if (/_lag$|_age$/.test(metric)) return "seconds";
  return metric === "days_of_cover" ? "days" : /_hours$|cycle_time/.test(metric) ? "hours" : "count";
}

/** Where what it is about is looked at. */
export function noticeAddress(
  row: Pick<NotificationRow, "order_id" | "sku" | "location" | "metric" | "kind" | "subject">,
): string {
  if (row.order_id !== null) return orderAddress(row.order_id);
  if (row.sku !== null && row.location !== null) return stockAddress(row.sku, row.location);
  if (row.metric !== null) return "/metrics";
  const place = placeOf(row.subject);
  if (/stock|oversold|movement/.test(row.kind)) {
    const status = { out_of_stock: "out_of_stock", low_stock: "low", oversold: "oversold" }[row.kind as string];
    return `/inventory?${new URLSearchParams({ ...(place === null ? {} : { location: place }), ...(status ? { status } : {}) }).toString()}`;
  }
  return row.kind.startsWith("order") || row.kind === "large_order" ? "/orders" : "/";
}

/** Where a notification stands, in words: since when, acknowledged by whom, snoozed until when. */
export function standing(row: NotificationRow, formats: Formats, now: number): string {
  switch (row.state) {
    case "acknowledged":
      return t("notice.state.acknowledged_by", { who: row.acknowledged_by ?? NO_VALUE });
    case "snoozed":
      return t("notice.state.snoozed_until", {
        time: row.snoozed_until === null ? NO_VALUE : formats.moment(row.snoozed_until, now),
      });
    case "resolved":
      if (isFact(row.kind)) return t("notice.state.happened");
      return row.resolved_by === null || row.resolved_by === ""
        ? t("notice.state.over")
        : t("notice.state.resolved_by", { who: row.resolved_by });
    case "pending":
    case "firing":
      return t(`notice.state.${row.state}`);
  }
}

/** How long a notification can be put off, by the clock: name and the moment until when. */
export function snoozes(
  now: number,
  timezone: string,
): readonly { readonly name: "quarter" | "hour" | "tomorrow"; readonly until: number }[] {
  return [
    { name: "quarter", until: now + 15 * MINUTE },
    { name: "hour", until: now + HOUR },
    { name: "tomorrow", until: nextMorning(now, timezone) },
  ];
}

/** Tomorrow, 8 o'clock in that zone. */
export function nextMorning(now: number, timezone: string): number {
  const day = new Intl.DateTimeFormat("en-CA", { timeZone: timezone }).format(now + DAY);
  const asUtc = Date.parse(`${day}T08:00:00Z`);
  return asUtc - offsetAt(asUtc, timezone);
}

/** How far ahead of UTC a zone is at a moment, in milliseconds. */
function offsetAt(moment: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  }).formatToParts(moment);
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute")) - moment;
}
