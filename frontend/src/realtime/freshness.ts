// How fresh what is shown is: one word of a ladder, from the link and the age of the last frame alone.
//
//   live -> delayed -> stale        by age, while there is a link
//   reconnecting, offline           there is none
//   paused, error, connecting       a person's choice, a server's refusal, the very beginning
//
// A short loss is not worth a word: "reconnecting" comes after 3 s. A link that answers nothing is at least delayed,
// however long the heartbeat.

import type { LinkState } from "./machine";

export type FreshnessLevel =
  "live" | "delayed" | "stale" | "reconnecting" | "offline" | "paused" | "error" | "connecting";

export interface Freshness {
  readonly level: FreshnessLevel;
  /** Since when, on the local clock. */
  readonly since: number;
  /** Milliseconds since the last frame; undefined when none ever came. */
  readonly ageMs: number | undefined;
  /** While paused: how many rows would change. */
  readonly waiting: number;
}

export interface Moment {
  readonly link: LinkState["at"];
  /** When the link took its present state. */
  readonly since: number;
  /** When the link was lost; undefined while there is one, or never was. */
  readonly lostAt: number | undefined;
  readonly lastFrameAt: number | undefined;
  /** Milliseconds between updates, as agreed. */
  readonly interval: number;
  /** Milliseconds between heartbeats. */
  readonly heartbeat: number;
  readonly paused: boolean;
  readonly waiting: number;
  readonly now: number;
}

const LATE = 30_000;
/** A loss shorter than this is not told. */
const UNSAID = 3_000;

/** The rung of the ladder. */
export function freshness(moment: Moment): Freshness {
  const { link, lastFrameAt, lostAt, now } = moment;
  const ageMs = lastFrameAt === undefined ? undefined : Math.max(0, now - lastFrameAt);
  const at = (level: FreshnessLevel, since: number): Freshness => ({
    level,
    since,
    ageMs,
    waiting: moment.paused ? moment.waiting : 0,
  });

  if (link === "refused") return at("error", moment.since);
  if (link === "offline" || link === "closed") return at("offline", lostAt ?? moment.since);
  const linked = link === "open" || link === "stalled";
  if (!linked) {
    if (lastFrameAt === undefined && (link === "idle" || link === "connecting")) return at("connecting", moment.since);
    const since = lostAt ?? moment.since;
    if (lastFrameAt === undefined || now - since > UNSAID) return at("reconnecting", since);
  }
  if (moment.paused) return at("paused", moment.since);
  if (lastFrameAt === undefined) return at("connecting", moment.since);
  const due = lastFrameAt + 2 * Math.max(moment.interval, moment.heartbeat);
  if (now > due + LATE) return at("stale", due + LATE);
  if (now > due) return at("delayed", due);
  return link === "stalled" ? at("delayed", moment.since) : at("live", moment.since);
}
