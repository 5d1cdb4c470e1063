// The life of one link as a table: nine states, twelve events, what follows.
//
//   idle --start--> connecting --opened--> open --silence--> stalled --due--> waiting --due--> connecting ...
//
//   idle        never connected, nobody asked to
//   connecting  a try is under way
//   open        the server said hello, frames come
//   stalled     nothing came for too long; a ping is out, and a deadline set
//   waiting     lost; the next try is at `until`
//   offline     the machine says it has no network
//   hidden      let go of because nobody looks; comes back when somebody does
//   refused     the server said no, and why; only a person's doing brings it back
//   closed      ended on purpose
//
// `next` is pure: each event brings the moment's facts (clock, dice, network, visibility) along. It names what to do as
// effects and does nothing itself. The table is total: the compiler refuses a missing state or event. A state with
// `until` asks for one alarm at that moment, told as `due`; leaving the state calls the alarm off.
//
// "Paused" is not here: a paused link is an open link that brings no rows (see pauses.ts).

import { allowedAt, backoff, noted, offlinePatience, STABLE } from "./backoff";

/** Why a connection or a try ended. `final`: trying again will not help until something is changed. */
export interface Ending {
  readonly reason: string;
  readonly final?: boolean;
  /** The server's wish, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** What is remembered across states: tries since the last stable link, and when the last ones were. */
interface Past {
  readonly tries: number;
  readonly recent: readonly number[];
}

export type LinkState =
  | ({ readonly at: "idle" } & Past)
  | ({ readonly at: "connecting" } & Past)
  | ({ readonly at: "open"; readonly since: number; readonly until?: number } & Past)
  | ({
      readonly at: "stalled";
      readonly since: number;
      readonly until: number;
      /** When an unseen page lets go, as for `open` its `until`. */
      readonly leaveAt: number | undefined;
    } & Past)
  | ({ readonly at: "waiting"; readonly until: number; readonly reason: string } & Past)
  | ({ readonly at: "offline"; readonly until: number } & Past)
  | ({ readonly at: "hidden" } & Past)
  | ({ readonly at: "refused"; readonly reason: string } & Past)
  | ({ readonly at: "closed" } & Past);

/** What holds at the moment of an event. */
export interface Facts {
  readonly now: number;
  /** A random number from 0 to below 1. */
  readonly roll: number;
  readonly visible: boolean;
  readonly online: boolean;
}

export type Happening =
  | { readonly type: "start" }
  | { readonly type: "stop" }
  /** The server said hello. */
  | { readonly type: "opened" }
  /** The connection or the try ended. */
  | { readonly type: "closed"; readonly ending: Ending }
  /** Anything came in. */
  | { readonly type: "frame" }
  /** Nothing came in for longer than the heartbeat allows, or since the machine slept. */
  | { readonly type: "silence" }
  /** The state's `until` is reached. */
  | { readonly type: "due" }
  /** The server will end the connection and said when to come back. */
  | { readonly type: "bye"; readonly after: number; readonly reason: string }
  /** A person asks to try now. */
  | { readonly type: "retry" }
  /** The network, the page or the machine is back. */
  | { readonly type: "wake" }
  | { readonly type: "offline" }
  /** Nobody looks at the page. */
  | { readonly type: "hide" }
  /** The page is being put away by the browser. */
  | { readonly type: "leave" };

export type LinkEvent = Happening & Facts;

export type Effect =
  | { readonly do: "connect" }
  | { readonly do: "disconnect" }
  /** Make the server say something, and look in `within` milliseconds whether it did. */
  | { readonly do: "probe"; readonly within: number };

export type Step = readonly [LinkState, ...Effect[]];

type In<S extends LinkState["at"]> = Extract<LinkState, { at: S }>;
type On<E extends Happening["type"]> = Extract<Happening, { type: E }> & Facts;
type Row<S extends LinkState["at"]> = {
  readonly [E in Happening["type"]]: (state: In<S>, event: On<E>) => Step;
};

/** A stalled link is dead after this long, in milliseconds. */
const GRACE = 6_000;
/** After a wake, a sign of life is awaited this long. */
const PROBE: Effect = { do: "probe", within: 4_000 };
/** A hidden page keeps its link this long. */
const HIDDEN = 300_000;
/** An alarm this late means that the machine slept. */
export const SLEPT = 5_000;

const CONNECT: Effect = { do: "connect" };
const DISCONNECT: Effect = { do: "disconnect" };

export const IDLE: LinkState = { at: "idle", tries: 0, recent: [] };

/** A state, with what is remembered from the one before. */
function to<S extends LinkState["at"]>(at: S, { tries, recent }: Past, more: Omit<In<S>, "at" | keyof Past>): In<S> {
  return { at, tries, recent, ...more } as In<S>;
}

const stay = (state: LinkState): Step => [state];

/** Try now, unless tries come in a loop. */
function dial(state: Past, { now }: Facts): Step {
  const until = allowedAt(state.recent, now);
  if (until > now) return [to("waiting", state, { until, reason: "loop" })];
  return [{ at: "connecting", tries: state.tries + 1, recent: noted(state.recent, now) }, CONNECT];
}

/** The link or the try is gone: where to, given the ending and the facts. */
function lose(state: Past & { readonly since?: number }, ending: Ending, facts: Facts): LinkState {
  const { now, roll, visible, online } = facts;
  const stable = state.since !== undefined && now - state.since >= STABLE;
  const kept = stable ? { ...state, tries: 0 } : state;
  const { reason } = ending;
  if (ending.final) return to("refused", kept, { reason });
  if (!visible) return to("hidden", kept, {});
  if (!online) return to("offline", kept, { until: now + offlinePatience(roll) });
  return to("waiting", kept, { until: now + backoff(kept.tries, roll, ending.retryAfter), reason });
}

const close = (state: LinkState): Step => [to("closed", state, {}), DISCONNECT];
const hide = (state: LinkState): Step => [to("hidden", state, {}), DISCONNECT];
const goOffline = (state: LinkState, { now, roll }: Facts): Step => [
  to("offline", state, { until: now + offlinePatience(roll) }),
  DISCONNECT,
];
const bye = (state: LinkState, event: On<"bye">): Step => {
  const lost = lose(state, event, event);
  return [lost.at === "waiting" ? { ...lost, until: event.now + event.after } : lost, DISCONNECT];
};
/** An open link: seen, or until when it is kept unseen. */
function open(state: Past, since: number, { visible, now }: Facts, leaveAt = now + HIDDEN): Step {
  return [to("open", state, { since, ...(visible ? {} : { until: leaveAt }) })];
}

const revive = (state: In<"stalled">, facts: Facts): Step => open(state, state.since, facts, state.leaveAt);

/** Nothing comes: ask, and look again soon. */
function stall(state: In<"open"> | In<"stalled">, { now }: Facts): Step {
  const leaveAt = state.at === "open" ? state.until : state.leaveAt;
  return [to("stalled", state, { since: state.since, until: now + GRACE, leaveAt }), { do: "probe", within: GRACE }];
}

/** What holds where no link is wanted or needed. */
const APART = {
  start: stay,
  stop: close,
  opened: stay,
  closed: stay,
  frame: stay,
  silence: stay,
  due: stay,
  bye: stay,
  retry: stay,
  wake: stay,
  offline: stay,
  hide: stay,
  leave: stay,
} as const;

const dialIfSeen = (state: LinkState, facts: Facts): Step => (facts.visible ? dial(state, facts) : hide(state));

/** What holds wherever one comes back by itself. */
const AWAY = {
  ...APART,
  due: dialIfSeen,
  retry: dial,
  wake: dialIfSeen,
  offline: goOffline,
  hide,
  leave: hide,
} as const;

/** What holds while there is a connection or a try. */
const JOINED = {
  ...APART,
  closed: (state: LinkState, event: On<"closed">): Step => [lose(state, event.ending, event)],
  bye,
  offline: goOffline,
  leave: hide,
} as const;

const TABLE: { readonly [S in LinkState["at"]]: Row<S> } = {
  idle: { ...APART, start: dialIfSeen },
  closed: { ...APART, stop: stay, start: dialIfSeen },
  refused: { ...APART, start: dial, retry: dial },
  waiting: AWAY,
  offline: { ...AWAY, offline: stay },
  hidden: { ...APART, retry: dial, wake: (state, event) => (event.visible ? dial(state, event) : [state]) },
  connecting: { ...JOINED, opened: (state, event) => open(state, event.now, event), hide },
  open: {
    ...JOINED,
    silence: stall,
    due: (state, event) => (event.visible ? [state] : hide(state)),
    retry: (state) => [state, PROBE],
    wake: (state, event) => [open(state, state.since, event, state.until)[0], PROBE],
    hide: (state, event) => open(state, state.since, { ...event, visible: false }),
  },
  stalled: {
    ...JOINED,
    opened: revive,
    frame: revive,
    wake: stall,
    retry: (state, event) => {
      const [dialled, ...effects] = dial(state, event);
      return [dialled, DISCONNECT, ...effects];
    },
    due: (state, event) =>
      event.now - state.until > SLEPT ? stall(state, event) : [lose(state, { reason: "silent" }, event), DISCONNECT],
  },
};

/** The state after an event, and what to do. */
export function next(state: LinkState, event: LinkEvent): Step {
  const row = TABLE[state.at] as Readonly<Record<Happening["type"], (state: LinkState, event: LinkEvent) => Step>>;
  return row[event.type](state, event);
}
