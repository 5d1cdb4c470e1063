// Why a connection is served more slowly than live: a set of reasons, of which the slowest wins.
//
// Reasons come and go on their own (a tab is hidden, a battery runs low); nobody has to remember what held before.
// "Paused by you" is one of them and beats them all.

import type { Pace, PaceReason } from "./protocol";

/** What a person chose: milliseconds between two updates (0: live), or none at all. */
export type PaceChoice = number | "paused";

/** What the browser tells about the moment. */
export interface Conditions {
  /** The person asked the browser to save data. */
  readonly metered: boolean;
  /** The browser takes the network for a slow one. */
  readonly slow: boolean;
  /** The battery is low and not charging. */
  readonly battery: boolean;
}

const SLOWED: readonly (readonly [keyof Conditions, number])[] = [
  ["metered", 5_000],
  ["slow", 5_000],
  ["battery", 10_000],
];
const HIDDEN = 30_000;

/** The pace to ask for, and which reason made it. */
export function slowest(chosen: PaceChoice, visible: boolean, conditions: Conditions): Pace {
  const paused = chosen === "paused";
  let interval = paused ? 0 : chosen;
  let reason: PaceReason = "chosen";
  const slow = (why: PaceReason, least: number): void => {
    if (interval < least) [interval, reason] = [least, why];
  };
  if (!paused) {
    for (const [why, least] of SLOWED) if (conditions[why]) slow(why, least);
    if (!visible) slow("hidden", HIDDEN);
  }
  return { interval, paused, reason };
}
