// How fresh what is shown is: one word of a ladder, from the link and the age of the last frame alone.
//
//   live -> delayed -> stale        by age, while there is a link
//   reconnecting, offline           there is none
//   paused, error, connecting       a person's choice, a server's refusal, the very beginning
//
// A short loss is not worth a word: "reconnecting" comes after 3 s. A link that answers nothing is at least delayed,
// however long the heartbeat.

import type { Client } from "./client";
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
  readonly lostAt?: number | undefined;
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
export function freshness({
  link,
  since,
  lostAt = since,
  lastFrameAt,
  interval,
  heartbeat,
  paused,
  waiting,
  now,
}: Moment): Freshness {
  const never = lastFrameAt === undefined;
  const due = (lastFrameAt ?? 0) + 2 * Math.max(interval, heartbeat);
  const [level, from] = ((): [FreshnessLevel, number] => {
    if (link === "refused") return ["error", since];
    if (link === "offline" || link === "closed") return ["offline", lostAt];
    if (never && /idle|connecting/.test(link)) return ["connecting", since];
    if (!/open|stalled/.test(link) && (never || now - lostAt > UNSAID)) return ["reconnecting", lostAt];
    if (paused) return ["paused", since];
    if (never) return ["connecting", since];
    if (now > due + LATE) return ["stale", due + LATE];
    if (now > due) return ["delayed", due];
    return [link === "stalled" ? "delayed" : "live", since];
  })();
  return {
    level,
    since: from,
    ageMs: never ? undefined : Math.max(0, now - lastFrameAt),
    waiting: paused ? waiting : 0,
  };
}

/** What a client may say of what it shows, at a moment of the local clock. */
export function freshnessOf({ link, pace, heartbeat }: Client, now: number): Freshness {
  return freshness({ ...link, ...pace.effective, link: link.state, heartbeat, waiting: pace.waiting, now });
}
