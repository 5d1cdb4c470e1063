// The table of the link's states as a drawing, made by walking it: every state, every event, under every kind of facts.

import { IDLE, next, type Happening, type LinkState } from "../../src/realtime/machine";

const PAST = { tries: 0, recent: [] };

const STATES: { readonly [S in LinkState["at"]]: Extract<LinkState, { at: S }> } = {
  idle: { at: "idle", ...PAST },
  connecting: { at: "connecting", ...PAST },
  open: { at: "open", since: 0, ...PAST },
  paused: { at: "paused", since: 0, ...PAST },
  stalled: { at: "stalled", since: 0, until: 0, ...PAST },
  waiting: { at: "waiting", until: 0, reason: "lost", ...PAST },
  reconnecting: { at: "reconnecting", ...PAST },
  offline: { at: "offline", until: 0, ...PAST },
  hidden: { at: "hidden", ...PAST },
  refused: { at: "refused", reason: "signed_out", ...PAST },
  closed: { at: "closed", reason: "closed", ...PAST },
};

/** What an event is called in the drawing. */
const EVENTS: Readonly<Record<string, Happening>> = {
  start: { type: "start" },
  hello: { type: "opened" },
  frame: { type: "frame" },
  silence: { type: "silence" },
  alarm: { type: "due" },
  lost: { type: "closed", ending: { reason: "lost" } },
  refused: { type: "closed", ending: { reason: "signed_out", final: true } },
  bye: { type: "bye", after: 0, reason: "drain" },
  pace: { type: "pace" },
  retry: { type: "retry" },
  wake: { type: "wake" },
  offline: { type: "offline" },
  hide: { type: "hide" },
  leave: { type: "leave" },
};

/** Facts, and how an arrow that needs them says so. */
const FACTS = [
  { visible: true, online: true, paused: false, said: "" },
  { visible: true, online: true, paused: true, said: " (paused)" },
  { visible: false, online: true, paused: false, said: " (unseen)" },
  { visible: true, online: false, paused: false, said: " (no network)" },
];

/** The drawing, in Mermaid's language. `stop`, which leads from everywhere to `closed`, is left out. */
export function drawing(): string {
  const arrows = new Map<string, string[]>();
  for (const state of Object.values(STATES))
    for (const [name, happening] of Object.entries(EVENTS)) {
      const said = new Set<string>();
      for (const { said: condition, ...facts } of FACTS) {
        const [{ at }] = next(state, { ...happening, ...facts, now: 0, roll: 0 });
        if (at === state.at || said.has(at)) continue;
        said.add(at);
        const arrow = `${state.at} --> ${at}`;
        arrows.set(arrow, [...(arrows.get(arrow) ?? []), name + condition]);
      }
    }
  const lines = [...arrows].map(([arrow, names]) => `    ${arrow}: ${names.join(", ")}`);
  return ["stateDiagram-v2", `    [*] --> ${IDLE.at}`, ...lines].join("\n");
}
