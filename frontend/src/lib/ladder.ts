/**
 * The freshness ladder in words. Two things are told apart everywhere: whether this browser and Stockwire reach each other (the link), and whether
 * the shop still tells Stockwire anything (the sources). A perfect link to a shop that fell silent is not live data.
 */

import { ago, duration } from "./format";
import { t } from "./language.svelte";
import { codeWords, type Shape, type Tone } from "./words";

export type Level = "live" | "delayed" | "stale" | "reconnecting" | "offline" | "paused" | "error" | "connecting";

/** How fresh what the screen shows is. */
export interface Freshness {
  readonly level: Level;
  /** Milliseconds since the last frame; undefined when there was none. */
  readonly ageMs: number | undefined;
  /** Changes held back while paused. */
  readonly waiting: number;
}

/** The connection behind it. */
export interface Link {
  readonly state: string;
  readonly nextTryAt: number | undefined;
  readonly transport: string | undefined;
  readonly roundTrip: number | undefined;
  readonly reason: string | undefined;
  readonly lastFrameAt: number | undefined;
}

export interface SourceAge {
  readonly source: string;
  readonly ageMs: number;
  readonly state: "ok" | "late" | "silent";
}

/** One rung: shape, word and age, and the sentence that a screen reader hears. */
export interface Rung {
  readonly word: string;
  readonly shape: Shape;
  readonly tone: Tone;
  readonly age: string;
  readonly sentence: string;
}

const LOOKS: Readonly<Record<Level, { shape: Shape; tone: Tone }>> = {
  live: { shape: "dot", tone: "ok" },
  delayed: { shape: "triangle", tone: "warning" },
  stale: { shape: "diamond", tone: "critical" },
  reconnecting: { shape: "half", tone: "warning" },
  offline: { shape: "cross", tone: "critical" },
  paused: { shape: "pause", tone: "unknown" },
  error: { shape: "square", tone: "critical" },
  connecting: { shape: "ring", tone: "unknown" },
};

/** True when what the screen shows may no longer be so: its values are dimmed and carry their time. */
export function aged(level: Level): boolean {
  return level === "stale" || level === "reconnecting" || level === "offline" || level === "error";
}

/**
 * The rung of the link.
 *
 * @param now the wall clock in milliseconds, for ages and countdowns
 * @param asOf the shop's time of the last frame: `14:02:11`
 */
export function linkRung(
  freshness: Freshness,
  link: Pick<Link, "nextTryAt" | "reason">,
  now: number,
  asOf: string | null,
): Rung {
  const { level } = freshness;
  const look = { ...LOOKS[level], word: t(`link.${level}`) };
  const age = freshness.ageMs;
  /** Content of before the page was loaded has no time of the shop, but an age. */
  const kept = asOf === null && age !== undefined ? t("link.kept", { age: ago(age) }) : undefined;
  const none = kept === undefined ? t("link.no_values") : t("link.values_kept", { age: ago(age ?? 0) });
  const values = asOf === null ? none : t("link.values_as_of", { time: asOf });
  switch (level) {
    case "live":
      return { ...look, age: age === undefined ? "" : ago(age), sentence: t("link.says.live") };
    case "delayed":
      return {
        ...look,
        age: age === undefined ? "" : ago(age),
        sentence: t("link.says.delayed", { duration: duration(age ?? 0, true) }),
      };
    case "stale":
      return {
        ...look,
        age: asOf === null ? ago(age ?? 0) : t("link.as_of_age", { time: asOf, age: ago(age ?? 0) }),
        sentence: t("link.says.stale", { values }),
      };
    case "reconnecting": {
      const left = link.nextTryAt === undefined ? 0 : link.nextTryAt - now;
      const next = left >= 1000 ? t("link.next_try", { duration: duration(left, true) }) : t("link.trying");
      return { ...look, age: kept ?? next, sentence: t("link.says.reconnecting", { values }) };
    }
    case "offline":
      return {
        ...look,
        age: asOf === null ? (kept ?? t("link.no_network")) : t("link.as_of_age", { time: asOf, age: ago(age ?? 0) }),
        sentence: t("link.says.offline", { values }),
      };
    case "paused": {
      const { waiting } = freshness;
      const words = waiting === 0 ? t("link.nothing_waiting") : t("link.waiting", { count: waiting });
      return { ...look, age: words, sentence: t("link.says.paused", { waiting: words }) };
    }
    case "error": {
      if (link.reason === "version")
        return { ...look, age: t("link.reload"), sentence: t("link.says.version", { values }) };
      const why = link.reason === undefined ? t("link.refused") : codeWords(link.reason).toLowerCase();
      return { ...look, age: why, sentence: t("link.says.error", { why, values }) };
    }
    case "connecting":
      return { ...look, age: kept ?? "", sentence: t("link.says.connecting") };
  }
}

const RANK = { ok: 0, late: 1, silent: 2 } as const;

/** The rung of the sources: as good as the worst of them. */
export function sourcesRung(sources: readonly SourceAge[]): Rung {
  const worst = sources.reduce<SourceAge | null>(
    (found, source) =>
      !found || RANK[source.state] > RANK[found.state] || (source.state === found.state && source.ageMs > found.ageMs)
        ? source
        : found,
    null,
  );
  if (!worst)
    return {
      word: t("sources.none"),
      shape: "ring",
      tone: "unknown",
      age: "",
      sentence: t("sources.says.none"),
    };
  const many = sources.length > 1;
  const bad = sources.filter((source) => source.state !== "ok");
  if (worst.state === "ok") {
    const newest = Math.min(...sources.map((source) => source.ageMs));
    return {
      word: many ? t("count.sources", { count: sources.length }) : t("sources.one"),
      shape: "dot",
      tone: "ok",
      age: ago(newest),
      sentence: many ? t("sources.says.all", { count: sources.length }) : t("sources.says.one"),
    };
  }
  const { state } = worst;
  const who = bad.length > 1 ? t("sources.some", { bad: bad.length, all: sources.length }) : worst.source;
  const age = ago(worst.ageMs);
  return {
    word: t(`sources.${state}`, { who }),
    shape: state === "silent" ? "square" : "triangle",
    tone: state === "silent" ? "critical" : "warning",
    age,
    sentence: t(`sources.says.${state}`, { who, age, count: bad.length }),
  };
}

/** The rung of the sources while the link is lost: nobody here knows how they are now, only how old the last word is. */
export function unknownSources(sources: readonly SourceAge[]): Rung {
  const known = sourcesRung(sources);
  if (sources.length === 0) return known;
  return {
    ...known,
    shape: "ring",
    tone: "unknown",
    sentence: t("sources.says.unknown"),
  };
}

/** What the tab's title starts with, so that a tab in the background tells too. */
export function titleMark(level: Level): string {
  switch (level) {
    case "live":
    case "connecting":
      return "";
    case "paused":
      return "❚❚ ";
    case "offline":
    case "error":
      return "✕ ";
    default:
      return "△ ";
  }
}

/** The icon of the tab. */
export function tabIcon(level: Level): string {
  if (level === "offline" || level === "error") return "/favicon-down.svg";
  return level === "live" || level === "connecting" ? "/favicon.svg" : "/favicon-stale.svg";
}
