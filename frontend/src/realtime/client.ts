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
  ServerFrame,
  SourceAge,
  ViewRequest,
  WireRow,
} from "./protocol";
import { Replica, type Incidents, type ViewChange } from "./replica";
import type { Kept } from "./table";
import type { Transport } from "./transports/channel";
import { poll } from "./transports/poll";
import { race, type Race } from "./transports/race";
import { sse } from "./transports/sse";
import { websocket } from "./transports/websocket";

/** What to know about the link; a new value each time it is asked for. */
export interface LinkStatus {
  readonly state: LinkState["at"];
  /** When the state began, on the local clock as all moments here. */
  readonly since: number;
  /** When the link was lost; undefined while there is one. */
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

/** A source's age and when it was told. */
export interface SourceReport extends SourceAge {
  readonly toldAt: number;
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
  /** Its content, to be put aside; undefined when it is not whole. Costs a copy of the list of rows. */
  readonly kept: Kept | undefined;
  /** What resumes it (P3.3). */
  readonly cursor: string | undefined;
  /** The fields that make up a row's key; undefined until the server told. */
  readonly key: readonly string[] | undefined;
  /** Takes up content that was put aside, if there is none yet. What changed since follows when there is a link. */
  restore(kept: Kept): void;
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
}

const REMEMBERED = "stockwire.transport";
const MEMORY = 600_000;
const BEAT = 5_000;
const PING_EVERY = 30_000;
const PATIENCE = 4_000;
const KEEP_VIEW = 60_000;
const WAIT_MOST = 55;
const BRIEF_MOST = 3;

const linked = (at: LinkState["at"]): boolean => at === "open" || at === "stalled";

export class Client {
  readonly #options: ClientOptions;
  readonly #environment: Environment;
  readonly #transports: readonly Transport[];
  readonly #replica = new Replica();
  readonly #listeners = new Set<() => void>();

  #state: LinkState = IDLE;
  #since: number;
  #lostAt: number | undefined;
  #reason: string | undefined;
  #present: Race | undefined;
  #transport: Transport | undefined;
  /** Whether the hello that comes is a new connection's, and not a stream's that was opened anew. */
  #fresh = false;
  #brief = 0;

  #hello: { readonly frame: HelloFrame; readonly at: number } | undefined;
  #openedAt = 0;
  #lastFrameAt: number | undefined;
  #sources: readonly SourceReport[] = [];
  #chosen: PaceChoice;
  #asked: Pace;
  #paced: Pace | undefined;
  #waiting = 0;
  #pings = 0;
  #pingAt = 0;
  #roundTrip: number | undefined;
  #frames = 0;
  #bytes = 0;
  #opened = 0;

  #unwatch: (() => void) | undefined;
  readonly #timers = new Map<string, () => void>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#environment = options.environment;
    this.#transports = options.transports ?? [websocket, sse, poll];
    this.#chosen = options.pace ?? 0;
    this.#asked = this.#wish();
    this.#since = this.#environment.now();
  }

  // --- what it knows ---

  get link(): LinkStatus {
    const state = this.#state;
    return {
      state: state.at,
      since: this.#since,
      lostAt: this.#lostAt,
      nextTryAt: state.at === "waiting" || state.at === "offline" ? state.until : undefined,
      transport: this.#transport?.name,
      roundTrip: this.#roundTrip,
      reason: this.#reason,
      lastFrameAt: this.#lastFrameAt,
    };
  }

  get pace(): PaceStatus {
    return { chosen: this.#chosen, effective: this.#paced ?? this.#asked, waiting: this.#waiting };
  }

  get sources(): readonly SourceReport[] {
    return this.#sources;
  }

  /** Milliseconds of silence after which the server says something. */
  get heartbeat(): number {
    return (this.#hello?.frame.heartbeat ?? 20) * 1_000;
  }

  /** The newest hello with the newest time of the shop, and when that came. */
  get hello(): { readonly frame: HelloFrame; readonly at: number } | undefined {
    return this.#hello;
  }

  get counters(): Counters {
    return {
      ...this.#replica.incidents,
      frames: this.#frames,
      bytes: this.#bytes,
      reconnects: Math.max(0, this.#opened - 1),
    };
  }

  // --- what one may ask of it ---

  /** Connects, and stays connected until `stop`. */
  start(): void {
    this.#unwatch ??= this.#environment.signals((signal) => {
      this.#heed(signal);
    });
    this.#happen({ type: "start" });
  }

  /** Ends the connection. Views stay as they are, and go on when it is started again. */
  stop(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#happen({ type: "stop" });
    for (const name of this.#timers.keys()) this.#cancel(name);
  }

  /** Tries now, whatever the plan was. */
  retry(): void {
    this.#happen({ type: "retry" });
  }

  setPace(chosen: PaceChoice): void {
    this.#chosen = chosen;
    this.#repace();
    this.#tell();
  }

  /** The content of a view by the id that the server knows it by. */
  kept(id: string): Kept | undefined {
    return this.#replica.held.get(id)?.table?.kept;
  }

  /** Calls after anything but rows changed; gives what ends that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Holds a view, from content of earlier if there is, and calls when its rows changed, until `stop`. Equal requests share one view. */
  subscribe<R extends WireRow = WireRow>(
    request: ViewRequest,
    changed: (change: ViewChange) => void,
    kept?: Kept,
  ): Subscription<R> {
    // Without a limit the order makes no difference to which rows there are; so the server need not know it.
    const { order: _, ...rest } = request;
    const held = this.#replica.hold(request.limit === undefined ? rest : request);
    const { listeners } = held;
    const listener = (change: ViewChange): void => {
      changed(change);
    };
    if (kept) this.#replica.restore(held, kept);
    listeners.add(listener);
    if (listeners.size === 1) {
      this.#cancel(held.id);
      this.#say(this.#replica.asking(held));
    }
    return {
      get rows() {
        return (held.table?.rows ?? new Map()) as ReadonlyMap<string, R>;
      },
      get loaded() {
        return !!held.table?.loaded;
      },
      get kept() {
        return held.table?.kept;
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
      restore: (kept) => {
        this.#replica.restore(held, kept);
      },
      stop: () => {
        if (!listeners.delete(listener) || listeners.size > 0) return;
        this.#say(this.#replica.release(held));
        this.#timer(held.id, KEEP_VIEW, () => {
          this.#replica.drop(held);
        });
      },
    };
  }

  // --- the link ---

  #happen(happening: Happening): void {
    const environment = this.#environment;
    const before = this.#state;
    const now = environment.now();
    const [state, ...effects] = next(before, {
      ...happening,
      now,
      roll: environment.random(),
      visible: environment.visible(),
      online: environment.online(),
    });
    if (state !== before) this.#enter(state, now);
    for (const effect of effects) {
      if (effect.do === "probe") this.#probe(effect.within);
      else {
        this.#present?.close();
        this.#present = effect.do === "connect" ? this.#connect() : undefined;
      }
    }
    if (state !== before) this.#tell();
  }

  #enter(state: LinkState, now: number): void {
    const { at } = this.#state;
    this.#state = state;
    if (state.at !== at) this.#since = now;
    if (linked(state.at)) this.#lostAt = undefined;
    else {
      if (linked(at)) this.#lostAt = now;
      this.#cancel("watch");
      this.#cancel("better");
    }
    if ("reason" in state) this.#reason = state.reason;
    else if (state.at === "open") this.#reason = undefined;
    this.#cancel("due");
    if ("until" in state)
      this.#timer("due", Math.max(0, state.until - now), () => {
        this.#happen({ type: "due" });
      });
  }

  #connect(): Race {
    const environment = this.#environment;
    const { server, name, headers } = this.#options;
    return race(
      this.#ways(),
      {
        environment,
        server: server ?? environment.base,
        client: name ?? "stockwire-client/1",
        headers: headers ?? {},
        wants: () => ({
          views: [...this.#replica.held.values()]
            .filter(({ listeners, error }) => listeners.size > 0 && !error)
            .map((held) => this.#replica.asking(held)),
          pace: this.#asked,
          wait: Math.min(WAIT_MOST, Math.floor(this.heartbeat / 1_000)),
        }),
        arrived: (bytes) => {
          this.#bytes += bytes;
        },
        frame: (frame) => {
          this.#take(frame);
        },
        closed: (ending) => {
          if (linked(this.#state.at)) this.#judge();
          this.#happen({ type: "closed", ending });
        },
      },
      (way) => {
        this.#transport = way;
        this.#fresh = true;
        this.#remember(way);
        this.#tryBetter(this.#transports.slice(0, this.#transports.indexOf(way)));
      },
    );
  }

  /** The ways to try: the one that worked lately alone, now and then all of them. */
  #ways(): readonly Transport[] {
    const [name, until] = (this.#environment.recall(REMEMBERED) ?? "").split(" ");
    const known = this.#transports.filter((each) => each.name === name);
    const trusted = Number(until) > this.#environment.now() && this.#state.tries % 3 !== 0;
    return trusted && known.length > 0 ? known : this.#transports;
  }

  #remember({ name }: Transport): void {
    this.#environment.remember(REMEMBERED, `${name} ${this.#environment.now() + MEMORY}`);
  }

  /** Streams that end before a heartbeat could come, again and again, are a proxy's doing: the next way is remembered. */
  #judge(): void {
    const other = this.#transports[this.#transports.indexOf(this.#transport as Transport) + 1];
    this.#brief = this.#environment.now() - this.#openedAt < this.heartbeat ? this.#brief + 1 : 0;
    if (this.#brief < BRIEF_MOST || !other) return;
    this.#brief = 0;
    this.#remember(other);
  }

  /** A lesser way works, but not for ever: the best one is tried beside it. */
  #tryBetter(better: readonly Transport[]): void {
    if (better.length > 0)
      this.#timer("better", MEMORY, () => {
        this.#present?.challenge(better.slice(0, 1));
        this.#tryBetter(better);
      });
  }

  // --- frames ---

  #take(frame: ServerFrame): void {
    const now = this.#environment.now();
    this.#frames += 1;
    this.#lastFrameAt = now;
    if ("sources" in frame) this.#sources = (frame.sources ?? []).map((each) => ({ ...each, toldAt: now }));
    switch (frame.type) {
      case "hello":
        this.#greet(frame, now);
        break;
      case "paced":
        this.#paced = frame;
        break;
      case "pong":
        if (frame.n === this.#pings) this.#roundTrip = Math.max(0, now - this.#pingAt);
        break;
      case "tick":
      case "heartbeat":
        this.#waiting = frame.waiting ?? 0;
        this.#setClock(frame.now, now);
        break;
      case "bye":
        this.#happen({ type: "bye", after: frame.reconnect_in, reason: frame.reason });
        return;
      case "error":
        if (frame.id === undefined) this.#reason = frame.code;
        break;
      default:
    }
    this.#happen({ type: "frame" });
    for (const answer of this.#replica.receive(frame)) this.#say(answer);
    this.#tell();
  }

  #greet(frame: HelloFrame, now: number): void {
    if (frame.protocol !== PROTOCOL) {
      this.#present?.close();
      this.#happen({ type: "closed", ending: { reason: "version", final: true } });
      return;
    }
    const fresh = this.#fresh;
    this.#fresh = false;
    this.#hello = { frame, at: now };
    this.#replica.begin(frame.epoch, fresh);
    this.#happen({ type: "opened" });
    if (!fresh) return;
    this.#openedAt = now;
    this.#opened += 1;
    this.#roundTrip = undefined;
    this.#ping(now);
    this.#watch(this.#silence);
  }

  /** The shop's clock may run faster than this one: it is set anew whenever the server tells. */
  #setClock(told: number | undefined, at: number): void {
    const frame = this.#hello?.frame;
    if (told !== undefined && frame?.shop)
      this.#hello = { frame: { ...frame, shop: { ...frame.shop, now: told } }, at };
  }

  #say(frame: ClientFrame): void {
    if (linked(this.#state.at)) this.#present?.send(frame);
  }

  // --- liveness ---

  /** The longest silence that is no cause for worry. */
  get #silence(): number {
    return this.heartbeat + PATIENCE;
  }

  /** Looks every few seconds whether something came within `patience`; a look that comes late means sleep. */
  #watch(patience: number): void {
    const from = this.#environment.now();
    const frames = this.#frames;
    const look = (planned: number): void => {
      const now = this.#environment.now();
      const left = this.#frames > frames ? (this.#lastFrameAt ?? from) + this.#silence - now : from + patience - now;
      if (now - this.#pingAt >= PING_EVERY) this.#ping(now);
      if (Math.abs(now - planned) > SLEPT) this.#happen({ type: "wake" });
      else if (left <= 0) this.#happen({ type: "silence" });
      else {
        const step = Math.min(BEAT, left);
        this.#timer("watch", step, () => {
          look(now + step);
        });
      }
    };
    look(from);
  }

  /** The pace is answered at once, by a frame or by a new stream, so it shows whether anybody is there. */
  #probe(within: number): void {
    this.#say({ type: "pace", ...this.#asked });
    this.#watch(within);
  }

  #ping(now: number): void {
    this.#pingAt = now;
    this.#say({ type: "ping", n: (this.#pings += 1) });
  }

  // --- the page's life, and the pace ---

  #heed(signal: Signal): void {
    this.#repace();
    if (signal === "online" || signal === "shown") this.#happen({ type: "wake" });
    else if (signal === "hidden") this.#happen({ type: "hide" });
    else if (signal !== "conditions") this.#happen({ type: signal });
  }

  #wish(): Pace {
    return slowest(this.#chosen, this.#environment.visible(), this.#environment.conditions());
  }

  #repace(): void {
    const wish = this.#wish();
    if (JSON.stringify(wish) === JSON.stringify(this.#asked)) return;
    this.#asked = wish;
    if (!wish.paused) this.#waiting = 0;
    this.#paced = undefined;
    this.#say({ type: "pace", ...wish });
  }

  // --- timers, listeners ---

  #timer(name: string, ms: number, run: () => void): void {
    this.#cancel(name);
    this.#timers.set(
      name,
      this.#environment.timer(ms, () => {
        this.#timers.delete(name);
        run();
      }),
    );
  }

  #cancel(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
