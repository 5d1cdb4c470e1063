// The life of one link as a table: eleven states, fourteen events, what follows.
//
//   idle --start--> connecting --opened--> open --silence--> stalled --due--> waiting --due--> reconnecting ...
//
//   idle          never connected, nobody asked to
//   connecting    never connected yet, the first try is under way
//   open          the server said hello, frames come
//   paused        the same, but the person wants no rows now; the server counts what waits
//   stalled       nothing came for too long; a ping is out, and a deadline set
//   waiting       lost; the next try is at `until`
//   reconnecting  lost; a try is under way
//   offline       the machine says it has no network
//   hidden        let go of because nobody looks; comes back when somebody does
//   refused       the server said no, and why; only a person's doing brings it back
//   closed        ended on purpose
//
// `next` is pure: each event brings the moment's facts (clock, dice, network, visibility, the person's pause) along. It
// names what to do as effects and does nothing itself. The table is total: the compiler refuses a missing state or
// event. A state with `until` asks for one alarm at that moment, told as `due`; leaving the state calls the alarm off.
//
// docs/reference/connection.md draws it; the drawing is made by walking the table.

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

/** A link that is up, and since when. `until`: when it is let go of, while nobody looks. */
interface Up extends Past {
  readonly since: number;
  readonly until?: number;
}

export type LinkState =
  | ({ readonly at: "idle" } & Past)
  | ({ readonly at: "connecting" } & Past)
  | ({ readonly at: "open" } & Up)
  | ({ readonly at: "paused" } & Up)
  | ({ readonly at: "stalled"; readonly since: number; readonly until: number } & Past)
  | ({ readonly at: "waiting"; readonly until: number; readonly reason: string } & Past)
  | ({ readonly at: "reconnecting" } & Past)
  | ({ readonly at: "offline"; readonly until: number } & Past)
  | ({ readonly at: "hidden" } & Past)
  | ({ readonly at: "refused"; readonly reason: string } & Past)
  | ({ readonly at: "closed"; readonly reason: string } & Past);

/** What holds at the moment of an event. */
export interface Facts {
  readonly now: number;
  /** A random number from 0 to below 1. */
  readonly roll: number;
  readonly visible: boolean;
  readonly online: boolean;
  /** The person wants no rows now. */
  readonly paused: boolean;
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
  /** The person paused, or wants rows again. */
  | { readonly type: "pace" }
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
const hide = (state: LinkState): Step => [to("hidden", state, {}), DISCONNECT];

/** Tries now, unless nobody looks, or tries come in a loop. */
const dial =
  (at: "connecting" | "reconnecting") =>
  (state: LinkState, { now, visible }: Facts): Step => {
    if (!visible) return hide(state);
    const until = allowedAt(state.recent, now);
    if (until > now) return [to("waiting", state, { until, reason: "loop" }), DISCONNECT];
    return [{ at, tries: state.tries + 1, recent: noted(state.recent, now) }, CONNECT];
  };
const redial = dial("reconnecting");

/** The link or the try is gone: where to, given the ending and the facts. */
function lose(state: Past & { readonly since?: number }, ending: Ending, facts: Facts, until?: number): LinkState {
  const { now, roll, visible, online } = facts;
  const kept = now - (state.since ?? now) < STABLE ? state : { ...state, tries: 0 };
  const { reason } = ending;
  if (ending.final) return to("refused", kept, { reason });
  if (!visible) return to("hidden", kept, {});
  if (!online) return to("offline", kept, { until: now + offlinePatience(roll) });
  return to("waiting", kept, { until: until ?? now + backoff(kept.tries, roll, ending.retryAfter), reason });
}

/** The link is up. */
const up = (state: Past & { readonly since?: number }, { now, paused }: Facts): Step => [
  to(paused ? "paused" : "open", state, { since: state.since ?? now }),
];

/** Nothing comes: ask, and look again soon. */
const stall = (state: Past & { readonly since: number }, { now }: Facts): Step => [
  to("stalled", state, { since: state.since, until: now + GRACE }),
  { do: "probe", within: GRACE },
];

/** What holds where no link is wanted or needed. */
const APART = {
  start: stay,
  stop: (state: LinkState): Step => [to("closed", state, { reason: "closed" }), DISCONNECT],
  opened: stay,
  closed: stay,
  frame: stay,
  silence: stay,
  due: stay,
  bye: stay,
  pace: stay,
  retry: stay,
  wake: stay,
  offline: stay,
  hide: stay,
  leave: stay,
} as const;

/** What holds wherever a link is wanted. */
const WANTED = {
  ...APART,
  offline: (state: LinkState, event: Facts): Step => [lose(state, { reason: "offline" }, event), DISCONNECT],
  hide,
  leave: hide,
} as const;

/** What holds wherever one comes back by itself. */
const AWAY = { ...WANTED, due: redial, retry: redial, wake: redial } as const;

/** What holds while there is a connection or a try. */
const JOINED = {
  ...WANTED,
  opened: up,
  closed: (state: LinkState, event: On<"closed">): Step => [lose(state, event.ending, event)],
  bye: (state: LinkState, event: On<"bye">): Step => [lose(state, event, event, event.now + event.after), DISCONNECT],
} as const;

/** A link that is up, and perhaps only seems so: ask. */
const ask = (state: In<"open" | "paused">, event: Facts): Step => [event.visible ? up(state, event)[0] : state, PROBE];

/** What holds while the link is up. An unseen page keeps it a while, but a silent one is not worth keeping. */
const UP = {
  ...JOINED,
  opened: stay,
  pace: (state: In<"open" | "paused">, { paused }: Facts): Step => [{ ...state, at: paused ? "paused" : "open" }],
  silence: (state: In<"open" | "paused">, event: Facts): Step => (event.visible ? stall(state, event) : hide(state)),
  due: hide,
  retry: ask,
  wake: ask,
  hide: (state: In<"open" | "paused">, { now }: Facts): Step => [{ ...state, until: now + HIDDEN }],
} as const;

const TABLE: { readonly [S in LinkState["at"]]: Row<S> } = {
  idle: { ...APART, start: dial("connecting") },
  connecting: JOINED,
  open: UP,
  paused: UP,
  stalled: {
    ...JOINED,
    frame: up,
    wake: stall,
    retry: redial,
    due: (state, event) =>
      event.now - state.until > SLEPT ? stall(state, event) : [lose(state, { reason: "silent" }, event), DISCONNECT],
  },
  waiting: AWAY,
  reconnecting: JOINED,
  offline: AWAY,
  hidden: { ...APART, retry: redial, wake: redial },
  refused: { ...APART, start: redial, retry: redial },
  closed: { ...APART, stop: stay, start: redial },
};

/** The state after an event, and what to do. */
export function next(state: LinkState, event: LinkEvent): Step {
  const row = TABLE[state.at] as Readonly<Record<Happening["type"], (state: LinkState, event: LinkEvent) => Step>>;
  return row[event.type](state, event);
}
