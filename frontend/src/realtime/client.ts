// The client: it runs the effects that the machine names, and passes frames between the channel and the replica.
//
// It decides nothing about the link (machine.ts), about rows (replica.ts, table.ts) or about the pace (pauses.ts). What
// it guarantees: frames of any connection but the present one go nowhere (P5.7), and after `stop` no timer, listener,
// socket or request of it is left.

import type { Environment, Signal } from "./environment";
import { IDLE, next, SLEPT, type Happening, type LinkState } from "./machine";
import { slowest, type PaceChoice } from "./pauses";
import { PROTOCOL } from "./protocol";
import type {
  ClientFrame,
  ErrorFrame,
  HelloFrame,
  Pace,
  PaceReason,
  ServerFrame,
  ViewRequest,
  WireRow,
} from "./protocol";
import { createReplica, type Incidents, type ViewChange } from "./replica";
import type { Kept } from "./table";
import type { Transport } from "./transports/channel";
import { poll } from "./transports/poll";
import { race, type Race } from "./transports/race";
import { sse } from "./transports/sse";
import { websocket } from "./transports/websocket";

/** What to know about the link; a new value each time it is asked for. */
export interface LinkStatus {
  readonly state: LinkState["at"];
  /** When the link was lost, on the local clock as all moments here; undefined while there is one. */
  readonly lostAt: number | undefined;
  readonly nextTryAt: number | undefined;
  readonly transport: Transport["name"] | undefined;
  /** Milliseconds from a ping to its pong; undefined until measured, and where frames go one way only. */
  readonly roundTrip: number | undefined;
  /** Why the link was lost or refused. */
  readonly reason: string | undefined;
  readonly lastFrameAt: number | undefined;
}

export interface Counters extends Incidents {
  readonly frames: number;
  readonly bytes: number;
  readonly reconnects: number;
}

export interface PaceStatus {
  readonly chosen: PaceChoice;
  /** What the server agreed to; until it has, what was asked for. */
  readonly effective: Pace;
  /** While paused: how many rows would change. */
  readonly waiting: number;
}

/** A view that somebody holds. */
export interface Subscription<R extends WireRow = WireRow> {
  /** All rows by the text of their key, changed in place. `ranked` of order.ts puts them in the view's order. */
  readonly rows: ReadonlyMap<string, R>;
  /** Whether content was there at least once. */
  readonly loaded: boolean;
  /** What resumes it (P3.3). */
  readonly cursor: string | undefined;
  /** The fields that make up a row's key; undefined until the server told. */
  readonly key: readonly string[] | undefined;
  /** Why the server does not give this view. */
  readonly error: ErrorFrame | undefined;
  stop(): void;
}

export interface ClientOptions {
  readonly environment: Environment;
  /** The server's address without a path; the page's own by default. */
  readonly server?: string;
  /** Name and version of the program, told to the server. */
  readonly name?: string;
  /** Sent where the transport allows headers. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly pace?: PaceChoice;
  /** Best first. */
  readonly transports?: readonly Transport[];
  /** Hears each frame of the present connection before anything is made of it. */
  readonly heard?: (frame: ServerFrame) => void;
}

export interface Client {
  readonly link: LinkStatus;
  readonly pace: PaceStatus;
  readonly counters: Counters;
  /** Milliseconds of silence after which the server says something. */
  readonly heartbeat: number;
  /** Connects, and stays connected until `stop`. */
  start(): void;
  /** Ends the connection. Views stay as they are, and go on when it is started again. */
  stop(): void;
  /** Tries now, whatever the plan was. */
  retry(): void;
  setPace(chosen: PaceChoice): void;
  /** Gives a reason for no faster updates than `interval` milliseconds; 0 takes it back. */
  slow(reason: PaceReason, interval: number): void;
  /** Calls after anything but rows changed; gives what ends that. */
  listen(listener: () => void): () => void;
  /** Holds a view, from content of earlier if there is, and calls when its rows changed, until `stop`. Equal requests share one view. */
  subscribe<R extends WireRow = WireRow>(
    request: ViewRequest,
    changed: (change: ViewChange) => void,
    kept?: Kept,
  ): Subscription<R>;
}

const REMEMBERED = "stockwire.transport";
const MEMORY = 600_000;
const BEAT = 5_000;
const PING_EVERY = 30_000;
const PATIENCE = 4_000;
const KEEP_VIEW = 60_000;
const WAIT_MOST = 55;
const BRIEF_MOST = 3;
const UNSEEN_PACE = 30_000;

const linked = (at: LinkState["at"]): boolean => /open|paused|stalled/.test(at);

export function createClient({
  environment,
  server = environment.base,
  name = "stockwire-client/1",
  headers = {},
  pace: chosen = 0,
  transports = [websocket, sse, poll],
  heard,
}: ClientOptions): Client {
  const replica = createReplica();
  const listeners = new Set<() => void>();
  const timers = new Map<string, () => void>();
  const reasons = new Map<PaceReason, number>();

  let state: LinkState = IDLE;
  let lostAt: number | undefined;
  let reason: string | undefined;
  let present: Race | undefined;
  let transport: Transport | undefined;
  let unwatch: (() => void) | undefined;
  /** Whether the hello that comes is a new connection's, and not a stream's that was opened anew. */
  let fresh = false;
  let openedAt = 0;
  /** How many connections in a row ended before a heartbeat could come. */
  let brief = 0;
  /** The first of the ways on which that did not happen again and again. */
  let first = 0;

  let heartbeat = 20_000;
  let lastFrameAt: number | undefined;
  /** From when on silence is a cause for worry. */
  let worryAt = 0;
  let pings = 0;
  let pingAt = 0;
  let roundTrip: number | undefined;

  let asked = slowest(chosen, reasons);
  let paced: Pace | undefined;
  let waiting = 0;
  let frames = 0;
  let bytes = 0;
  let reconnects = -1;

  const tell = (): void => {
    for (const listener of listeners) listener();
  };

  const cancel = (what: string): void => {
    timers.get(what)?.();
    timers.delete(what);
  };

  const timer = (what: string, ms: number, run: () => void): void => {
    cancel(what);
    timers.set(
      what,
      environment.timer(ms, () => {
        timers.delete(what);
        run();
      }),
    );
  };

  const say = (frame: ClientFrame): void => {
    if (linked(state.at)) present?.send(frame);
  };

  // --- the link ---

  const happen = (happening: Happening): void => {
    const before = state;
    const at = environment.now();
    const [after, ...effects] = next(before, {
      ...happening,
      now: at,
      roll: environment.random(),
      visible: environment.visible(),
      online: environment.online(),
      paused: chosen === "paused",
    });
    if (after !== before) enter(after, at);
    for (const effect of effects) {
      if (effect.do === "probe") {
        // The pace is answered at once, by a frame or by a new stream, so it shows whether anybody is there.
        say({ type: "pace", ...asked });
        expect(effect.within);
      } else {
        present?.close();
        present = effect.do === "connect" ? connect() : undefined;
      }
    }
    if (after !== before) tell();
  };

  const enter = (after: LinkState, at: number): void => {
    if (linked(after.at)) lostAt = reason = undefined;
    else {
      if (linked(state.at)) lostAt = at;
      if ("reason" in after) ({ reason } = after);
      cancel("look");
      cancel("better");
    }
    state = after;
    cancel("due");
    if ("until" in after)
      timer("due", after.until - at, () => {
        happen({ type: "due" });
      });
  };

  const connect = (): Race =>
    race(
      ways(),
      {
        environment,
        server,
        client: name,
        headers,
        wants: () => ({
          views: [...replica.held.values()]
            .filter(({ listeners, error }) => listeners.size && !error)
            .map(replica.asking),
          pace: asked,
          wait: Math.min(WAIT_MOST, Math.floor(heartbeat / 1_000)),
        }),
        arrived(size) {
          bytes += size;
        },
        frame: take,
        closed(ending) {
          if (linked(state.at)) judge();
          else first = 0;
          happen({ type: "closed", ending });
        },
      },
      (way) => {
        transport = way;
        fresh = true;
        environment.remember(REMEMBERED, `${way.name} ${environment.now() + MEMORY}`);
        const better = transports.slice(0, transports.indexOf(way));
        first = Math.min(first, better.length);
        tryBetter(better);
      },
    );

  /** The ways to try: the one that worked lately alone, now and then all of them. */
  const ways = (): readonly Transport[] => {
    const [known, until] = (environment.recall(REMEMBERED) ?? "").split(" ");
    const trusted = Number(until) > environment.now() && state.tries % 3 !== 0;
    const all = transports.slice(first);
    const found = all.filter((each) => trusted && each.name === known);
    return found[0] ? found : all;
  };

  /** Links that end before a heartbeat could come, again and again, are a proxy's doing: the next way it is. */
  const judge = (): void => {
    brief = environment.now() - openedAt < heartbeat ? brief + 1 : 0;
    if (brief < BRIEF_MOST) return;
    first = (transports.indexOf(transport as Transport) + 1) % transports.length;
    brief = 0;
  };

  /** A lesser way works, but not for ever: the better ones are tried beside it. */
  const tryBetter = (better: readonly Transport[]): void => {
    if (better[0])
      timer("better", MEMORY, () => {
        present?.challenge(better);
        tryBetter(better);
      });
  };

  // --- frames ---

  const take = (frame: ServerFrame): void => {
    const at = environment.now();
    frames += 1;
    lastFrameAt = at;
    worryAt = at + heartbeat + PATIENCE;
    heard?.(frame);
    switch (frame.type) {
      case "hello":
        greet(frame, at);
        break;
      case "paced":
        paced = frame;
        break;
      case "pong":
        if (frame.n === pings) roundTrip = Math.max(0, at - pingAt);
        break;
      case "tick":
      case "heartbeat":
        waiting = frame.waiting ?? 0;
        break;
      case "bye":
        happen({ type: "bye", after: frame.reconnect_in, reason: frame.reason });
        return;
      default:
    }
    happen({ type: "frame" });
    replica.receive(frame).forEach(say);
    tell();
  };

  const greet = (frame: HelloFrame, at: number): void => {
    // One version apart is fine (P2.1).
    if (Math.abs(frame.protocol - PROTOCOL) > 1) {
      present?.close();
      happen({ type: "closed", ending: { reason: "version", final: true } });
      return;
    }
    const anew = fresh;
    fresh = false;
    heartbeat = frame.heartbeat * 1_000;
    replica.begin(frame.epoch, anew);
    happen({ type: "opened" });
    if (!anew) return;
    openedAt = at;
    reconnects += 1;
    roundTrip = undefined;
    ping(at);
    expect(heartbeat + PATIENCE);
  };

  // --- liveness ---

  /** Looks every few seconds whether silence is a cause for worry yet; a look that comes late means sleep. */
  const look = (planned: number): void => {
    const at = environment.now();
    if (at - pingAt >= PING_EVERY) ping(at);
    if (Math.abs(at - planned) > SLEPT) happen({ type: "wake" });
    else if (at >= worryAt) happen({ type: "silence" });
    else {
      const step = Math.min(BEAT, worryAt - at);
      timer("look", step, () => {
        look(at + step);
      });
    }
  };

  /** Something must come within `patience` milliseconds. */
  const expect = (patience: number): void => {
    const at = environment.now();
    worryAt = at + patience;
    look(at);
  };

  const ping = (at: number): void => {
    pingAt = at;
    say({ type: "ping", n: (pings += 1) });
  };

  // --- the page's life, and the pace ---

  const heed = (signal: Signal): void => {
    repace();
    happen({ type: signal });
  };

  const repace = (): void => {
    reasons.set("hidden", environment.visible() ? 0 : UNSEEN_PACE);
    const wish = slowest(chosen, reasons);
    if (JSON.stringify(wish) === JSON.stringify(asked)) return;
    asked = wish;
    waiting = 0;
    paced = undefined;
    // What comes next was held back until now.
    for (const held of replica.held.values()) if (held.table) held.table.resuming = true;
    say({ type: "pace", ...wish });
    happen({ type: "pace" });
  };

  return {
    get link() {
      return {
        state: state.at,
        lostAt,
        nextTryAt: "until" in state && !linked(state.at) ? state.until : undefined,
        transport: transport?.name,
        roundTrip,
        reason,
        lastFrameAt,
      };
    },
    get pace() {
      return { chosen, effective: paced ?? asked, waiting };
    },
    get counters() {
      return { ...replica.incidents, frames, bytes, reconnects: Math.max(0, reconnects) };
    },
    get heartbeat() {
      return heartbeat;
    },
    start() {
      unwatch ??= environment.signals(heed);
      happen({ type: "start" });
    },
    stop() {
      unwatch?.();
      unwatch = undefined;
      happen({ type: "stop" });
      for (const what of timers.keys()) cancel(what);
    },
    retry() {
      happen({ type: "retry" });
    },
    setPace(pace) {
      chosen = pace;
      repace();
      tell();
    },
    slow(why, interval) {
      reasons.set(why, interval);
      repace();
      tell();
    },
    listen(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    subscribe<R extends WireRow>(request: ViewRequest, changed: (change: ViewChange) => void, kept?: Kept) {
      // Without a limit the order makes no difference to which rows there are; so the server need not know it.
      const { order: _, ...unordered } = request;
      const held = replica.hold(request.limit === undefined ? unordered : request);
      // Each time another one: somebody may subscribe twice with the same function.
      const listener = (change: ViewChange): void => {
        changed(change);
      };
      if (kept) replica.restore(held, kept);
      held.listeners.add(listener);
      if (held.listeners.size === 1) {
        cancel(held.id);
        say(replica.asking(held));
      }
      return {
        get rows() {
          return (held.table?.rows ?? new Map()) as ReadonlyMap<string, R>;
        },
        get loaded() {
          return !!held.table?.loaded;
        },
        get cursor() {
          return held.table?.cursor;
        },
        get key() {
          return held.table?.key;
        },
        get error() {
          return held.error;
        },
        stop() {
          if (!held.listeners.delete(listener) || held.listeners.size > 0) return;
          say(replica.release(held));
          timer(held.id, KEEP_VIEW, () => {
            replica.drop(held);
          });
        },
      };
    },
  };
}
