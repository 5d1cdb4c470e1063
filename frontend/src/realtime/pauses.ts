// Why a connection is served more slowly than live: a set of reasons, of which the slowest wins.
//
// Reasons come and go on their own (a tab is hidden, a battery runs low); nobody has to remember what held before.
// "Paused by you" is one of them and beats them all.

import type { Pace, PaceReason } from "./protocol";

/** What a person chose: milliseconds between two updates (0: live), or none at all. */
export type PaceChoice = number | "paused";

/** The pace to ask for, and which reason made it; a reason's interval is the least it allows. */
export function slowest(chosen: PaceChoice, reasons: ReadonlyMap<PaceReason, number>): Pace {
  if (chosen === "paused") return { interval: 0, paused: true, reason: "chosen" };
  let pace: Pace = { interval: chosen, paused: false, reason: "chosen" };
  for (const [reason, interval] of reasons) if (interval > pace.interval) pace = { ...pace, interval, reason };
  return pace;
}
