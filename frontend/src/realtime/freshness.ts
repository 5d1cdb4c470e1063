// How fresh what is shown is: one word of a ladder, from the link and the age of the last frame alone.
//
//   live -> delayed -> stale        by age, while there is a link
//   reconnecting, offline           there is none
//   paused, error, connecting       a person's choice, a refusal or an end on purpose, the very beginning
//
// A short loss is not worth a word: "reconnecting" comes after 3 s. A link that answers nothing is at least delayed,
// however long the heartbeat.

import type { Client } from "./client";
import type { LinkState } from "./machine";

export type FreshnessLevel =
  "live" | "delayed" | "stale" | "reconnecting" | "offline" | "paused" | "error" | "connecting";

export interface Freshness {
  readonly level: FreshnessLevel;
  /** Milliseconds since the last frame; undefined when none ever came. */
  readonly ageMs: number | undefined;
  /** While paused: how many rows would change. */
  readonly waiting: number;
}

export interface Moment {
  readonly link: LinkState["at"];
  /** When the link was lost; undefined while there is one, or never was. */
  readonly lostAt?: number | undefined;
  readonly lastFrameAt: number | undefined;
  /** Milliseconds between updates, as agreed. */
  readonly interval: number;
  /** Milliseconds between heartbeats. */
  readonly heartbeat: number;
  /** The person paused, so that a loss too short to be told stays a pause. */
  readonly paused: boolean;
  readonly waiting: number;
  readonly now: number;
}

const LATE = 30_000;
/** A loss shorter than this is not told. */
const UNSAID = 3_000;

/** The rung of the ladder. */
export function freshness(moment: Moment): Freshness {
  const { lastFrameAt, paused, waiting, now } = moment;
  return {
    level: levelOf(moment),
    ageMs: lastFrameAt === undefined ? undefined : Math.max(0, now - lastFrameAt),
    waiting: paused ? waiting : 0,
  };
}

function levelOf({ link, lostAt, lastFrameAt, interval, heartbeat, paused, now }: Moment): FreshnessLevel {
  switch (link) {
    case "refused":
    case "closed":
      return "error";
    case "offline":
      return "offline";
    case "paused":
      return "paused";
    case "idle":
    case "connecting":
      return "connecting";
    case "hidden":
    case "waiting":
    case "reconnecting":
      if (lastFrameAt === undefined || lostAt === undefined || now - lostAt > UNSAID) return "reconnecting";
      if (paused) return "paused";
      break;
    default:
  }
  if (lastFrameAt === undefined) return "connecting";
  const late = now - lastFrameAt - 2 * Math.max(interval, heartbeat);
  if (late > LATE) return "stale";
  return late > 0 || link === "stalled" ? "delayed" : "live";
}

/** What a client may say of what it shows, at a moment of the local clock. */
export function freshnessOf({ link, pace, heartbeat }: Client, now: number): Freshness {
  return freshness({ ...link, ...pace.effective, link: link.state, heartbeat, waiting: pace.waiting, now });
}
