/**
 * The freshness ladder in words. Two things are told apart everywhere: whether this browser and Stockwire reach each other (the link), and whether
 * the shop still tells Stockwire anything (the sources). A perfect link to a shop that fell silent is not live data.
 */

import { ago, counted, duration } from "./format";
import type { Shape, Tone } from "./words";

export type Level = "live" | "delayed" | "stale" | "reconnecting" | "offline" | "paused" | "error" | "connecting";

/** How fresh what the screen shows is. */
export interface Freshness {
  readonly level: Level;
  /** When this level began, in milliseconds. */
  readonly since: number;
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

const WORDS: Readonly<Record<Level, { word: string; shape: Shape; tone: Tone }>> = {
  live: { word: "Live", shape: "dot", tone: "ok" },
  delayed: { word: "Delayed", shape: "triangle", tone: "warning" },
  stale: { word: "Stale", shape: "diamond", tone: "critical" },
  reconnecting: { word: "Reconnecting", shape: "half", tone: "warning" },
  offline: { word: "Offline", shape: "cross", tone: "critical" },
  paused: { word: "Paused by you", shape: "pause", tone: "unknown" },
  error: { word: "Not connected", shape: "square", tone: "critical" },
  connecting: { word: "Connecting", shape: "ring", tone: "unknown" },
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
  const look = WORDS[freshness.level];
  const age = freshness.ageMs;
  const values = asOf === null ? "No values yet" : `Values as of ${asOf}`;
  switch (freshness.level) {
    case "live":
      return { ...look, age: age === undefined ? "" : ago(age), sentence: "Live: the connection to Stockwire works." };
    case "delayed":
      return {
        ...look,
        age: age === undefined ? "" : ago(age),
        sentence: `Delayed: nothing came for ${duration(age ?? 0)}.`,
      };
    case "stale":
      return {
        ...look,
        age: asOf === null ? ago(age ?? 0) : `as of ${asOf}, ${ago(age ?? 0)}`,
        sentence: `Stale: ${values}.`,
      };
    case "reconnecting": {
      const left = link.nextTryAt === undefined ? 0 : link.nextTryAt - now;
      const next = left >= 1000 ? `next try in ${duration(left)}` : "trying now";
      return { ...look, age: next, sentence: `The connection was lost; reconnecting. ${values}.` };
    }
    case "offline":
      return {
        ...look,
        age: asOf === null ? "no network" : `as of ${asOf}, ${ago(age ?? 0)}`,
        sentence: `This device is offline. ${values}.`,
      };
    case "paused": {
      const waiting = freshness.waiting;
      const words = waiting === 0 ? "nothing waiting" : `${counted(waiting, "change")} waiting`;
      return { ...look, age: words, sentence: `Paused by you: ${words}.` };
    }
    case "error": {
      const why = link.reason?.replaceAll("_", " ") ?? "refused";
      return {
        ...look,
        age: why,
        sentence: `Stockwire does not let this page connect: ${why}. ${values}; no data is lost. Reload the page or sign in again.`,
      };
    }
    case "connecting":
      return { ...look, age: "", sentence: "Connecting to Stockwire." };
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
      word: "No source yet",
      shape: "ring",
      tone: "unknown",
      age: "",
      sentence: "No source has sent anything yet.",
    };
  const many = sources.length > 1;
  const bad = sources.filter((source) => source.state !== "ok");
  if (worst.state === "ok") {
    const newest = Math.min(...sources.map((source) => source.ageMs));
    const word = many ? `${sources.length} sources` : "Shop data";
    return {
      word,
      shape: "dot",
      tone: "ok",
      age: ago(newest),
      sentence: many ? `All ${sources.length} sources are sending.` : "The shop is sending.",
    };
  }
  const who = bad.length > 1 ? `${bad.length} of ${sources.length} sources` : worst.source;
  const word = `${who} ${worst.state}`;
  const tone = worst.state === "silent" ? "critical" : "warning";
  const shape = worst.state === "silent" ? "square" : "triangle";
  return {
    word,
    shape,
    tone,
    age: ago(worst.ageMs),
    sentence: `${who} ${bad.length > 1 ? "are" : "is"} ${worst.state}: last heard ${ago(worst.ageMs)}.`,
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
    sentence: "How the sources are is not known until the connection is back.",
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
