// The client: it runs the effects that the machine names, and passes frames between the channel and the replica.
//
// It decides nothing about the link (machine.ts), about rows (replica.ts, table.ts) or about the pace (pauses.ts). What
// it guarantees: frames of any connection but the present one go nowhere (P5.7), and after `stop` no timer, listener,
// socket or request of it is left.

import type { Environment, Signal } from "./environment";
import { freshness, type Freshness } from "./freshness";
import { IDLE, next, SLEPT, type Facts, type Happening, type LinkState } from "./machine";
import { Ranking } from "./order";
import { slowest, type PaceChoice } from "./pauses";
import type {
  ClientFrame,
  ErrorFrame,
  HelloFrame,
  Pace,
  ServerFrame,
  SourceAge,
  TickFrame,
  ViewRequest,
  WireRow,
} from "./protocol";
import { Replica, type Held, type Incidents, type ViewChange } from "./replica";
import { keyText } from "./table";
import type { Caller, Channel, Transport } from "./transports/channel";
import { poll } from "./transports/poll";
import { race } from "./transports/race";
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
  /** All rows in the view's order: the same array until something changed. */
  readonly rows: readonly R[];
  readonly size: number;
  get(key: string | readonly string[]): R | undefined;
  /** Whether content was there at least once. */
  readonly loaded: boolean;
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
const BRIEF = 1_000;
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
  #transport: Transport | undefined;
  #present: Channel | undefined;
  #spare: Channel | undefined;
  #brief = 0;

  #hello: HelloFrame | undefined;
  #helloAt = 0;
  #lastFrameAt: number | undefined;
  #sources: readonly SourceReport[] = [];
  #chosen: PaceChoice;
  #paced: Pace | undefined;
  #asked: Pace;
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
    return {
      state: this.#state.at,
      since: this.#since,
      lostAt: this.#lostAt,
      nextTryAt: this.#state.at === "waiting" || this.#state.at === "offline" ? this.#state.until : undefined,
      transport: this.#transport?.name,
      roundTrip: this.#roundTrip,
      reason: this.#reason,
      lastFrameAt: this.#lastFrameAt,
    };
  }

  get pace(): PaceStatus {
    return { chosen: this.#chosen, effective: this.#paced ?? this.#asked, waiting: this.#waiting };
  }

  get freshness(): Freshness {
    const { interval, paused } = this.pace.effective;
    return freshness({
      link: this.#state.at,
      since: this.#since,
      lostAt: this.#lostAt,
      lastFrameAt: this.#lastFrameAt,
      interval,
      paused,
      heartbeat: this.#heartbeat(),
      waiting: this.#waiting,
      now: this.#environment.now(),
    });
  }

  get sources(): readonly SourceReport[] {
    return this.#sources;
  }

  /** The newest hello and when it came. */
  get hello(): { readonly frame: HelloFrame; readonly at: number } | undefined {
    return this.#hello && { frame: this.#hello, at: this.#helloAt };
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
    this.#timers.forEach((cancel) => {
      cancel();
    });
    this.#timers.clear();
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

  /** Calls after anything but rows changed; gives what ends that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Holds a view and calls when its rows changed, until `stop`. Equal requests share one view. */
  subscribe<R extends WireRow = WireRow>(
    request: ViewRequest,
    changed: (change: ViewChange) => void = () => undefined,
  ): Subscription<R> {
    // Without a limit the order makes no difference to which rows there are; so it stays here.
    const { order, ...rest } = request;
    const held = this.#replica.hold(request.limit === undefined ? rest : request);
    const ranking = new Ranking<R>(order);
    const rows = (): ReadonlyMap<string, R> => (held.table?.rows ?? new Map()) as ReadonlyMap<string, R>;
    const listener = (change: ViewChange): void => {
      ranking.touch(change.kind === "delta" ? change.changes.map(({ key }) => key) : undefined);
      changed(change);
    };
    held.listeners.add(listener);
    if (held.listeners.size === 1) {
      this.#cancel(held.id);
      this.#say(this.#replica.asking(held));
    }
    return {
      get rows() {
        return ranking.rows(rows());
      },
      get size() {
        return rows().size;
      },
      get loaded() {
        return held.table?.loaded ?? false;
      },
      get error() {
        return held.error;
      },
      get: (key) => rows().get(typeof key === "string" ? key : keyText(key)),
      stop: () => {
        if (held.listeners.delete(listener) && held.listeners.size === 0) this.#release(held);
      },
    };
  }

  // --- the link ---

  #happen(happening: Happening): void {
    const facts = this.#facts();
    const before = this.#state;
    const [state, ...effects] = next(before, { ...happening, ...facts });
    if (state !== before) this.#enter(state, facts.now);
    for (const effect of effects) {
      if (effect.do === "connect") this.#connect();
      else if (effect.do === "disconnect") this.#disconnect();
      else this.#probe(effect.within);
    }
    if (state !== before) this.#tell();
  }

  #facts(): Facts {
    const environment = this.#environment;
    return {
      now: environment.now(),
      roll: environment.random(),
      visible: environment.visible(),
      online: environment.online(),
    };
  }

  #enter(state: LinkState, now: number): void {
    if (state.at !== this.#state.at) this.#since = now;
    if (linked(state.at)) this.#lostAt = undefined;
    else if (linked(this.#state.at)) this.#lostAt = now;
    if ("reason" in state) this.#reason = state.reason;
    else if (state.at === "open") this.#reason = undefined;
    this.#state = state;
    if (!linked(state.at))
      ["watch", "better"].forEach((name) => {
        this.#cancel(name);
      });
    if ("until" in state)
      this.#timer("due", Math.max(0, state.until - now), () => {
        this.#happen({ type: "due" });
      });
    else this.#cancel("due");
  }

  #connect(): void {
    this.#disconnect();
    this.#present = this.#open(this.#ways());
  }

  #disconnect(): void {
    this.#spare?.close();
    this.#present?.close();
    this.#spare = this.#present = undefined;
  }

  /** Opens a channel. Its frames count once it is the present one, which a spare becomes with its hello. */
  #open(ways: readonly Transport[]): Channel {
    let way: Transport | undefined;
    const caller: Caller = {
      environment: this.#environment,
      server: this.#options.server ?? this.#environment.base,
      client: this.#options.name ?? "stockwire-client/1",
      headers: this.#options.headers ?? {},
      wants: () => ({
        views: [...this.#replica.held.values()]
          .filter(({ listeners, error }) => listeners.size > 0 && !error)
          .map((held) => this.#replica.asking(held)),
        pace: this.#asked,
        wait: Math.min(WAIT_MOST, Math.floor(this.#heartbeat() / 1_000)),
      }),
      arrived: (bytes) => {
        this.#bytes += bytes;
      },
      frame: (frame) => {
        if (channel === this.#spare && frame.type === "hello") {
          this.#present?.close();
          this.#present = channel;
          this.#spare = undefined;
        }
        if (channel === this.#present && way) this.#take(frame, way);
      },
      closed: (ending) => {
        if (channel === this.#spare) this.#spare = undefined;
        if (channel !== this.#present) return;
        this.#present = undefined;
        if (way) this.#judge(way);
        this.#happen({ type: "closed", ending });
      },
    };
    const channel = race(ways, caller, (winner) => {
      way = winner;
    });
    return channel;
  }

  /** The ways to try: the one that worked lately alone, now and then all of them. */
  #ways(): readonly Transport[] {
    const [name, until] = (this.#environment.recall(REMEMBERED) ?? "").split(" ");
    const known = this.#transports.filter((each) => each.name === name);
    const fresh = Number(until) > this.#environment.now() && this.#state.tries % 3 !== 0;
    return fresh && known.length > 0 ? known : this.#transports;
  }

  /** Streams that end within a second, again and again, are a proxy's doing: the next way is remembered instead. */
  #judge(way: Transport): void {
    const brief = this.#environment.now() - this.#helloAt < BRIEF;
    this.#brief = brief ? this.#brief + 1 : 0;
    const other = this.#transports[this.#transports.indexOf(way) + 1];
    if (this.#brief < BRIEF_MOST || !other) return;
    this.#brief = 0;
    this.#remember(other);
  }

  #remember({ name }: Transport): void {
    this.#environment.remember(REMEMBERED, `${name} ${this.#environment.now() + MEMORY}`);
  }

  /** A lesser way works, but not for ever: the better ones are tried beside it. */
  #tryBetter(way: Transport): void {
    const better = this.#transports.slice(0, this.#transports.indexOf(way));
    if (better.length === 0) return;
    this.#timer("better", MEMORY, () => {
      this.#spare?.close();
      this.#spare = this.#open(better.slice(0, 1));
      this.#tryBetter(way);
    });
  }

  // --- frames ---

  #take(frame: ServerFrame, way: Transport): void {
    const now = this.#environment.now();
    this.#frames += 1;
    this.#lastFrameAt = now;
    switch (frame.type) {
      case "hello":
        this.#greet(frame, way, now);
        break;
      case "paced":
        this.#paced = frame;
        break;
      case "pong":
        if (frame.n === this.#pings) this.#roundTrip = Math.max(0, now - this.#pingAt);
        break;
      case "tick":
      case "heartbeat":
        this.#tick(frame, now);
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
    this.#replica.receive(frame).forEach((answer) => {
      this.#say(answer);
    });
    this.#tell();
  }

  #greet(frame: HelloFrame, way: Transport, now: number): void {
    const again = this.#linked && this.#transport === way;
    this.#hello = frame;
    this.#replica.begin(frame.epoch, !again);
    this.#report(frame.sources, now);
    if (!again) {
      this.#helloAt = now;
      this.#opened += 1;
      this.#transport = way;
      this.#roundTrip = undefined;
      this.#remember(way);
      this.#tryBetter(way);
    }
    this.#happen({ type: "opened" });
    if (again) return;
    this.#ping(now);
    this.#watch(this.#silence());
  }

  #tick(frame: TickFrame, now: number): void {
    this.#waiting = frame.waiting ?? 0;
    this.#report(frame.sources, now);
  }

  #report(sources: readonly SourceAge[] | undefined, toldAt: number): void {
    if (sources) this.#sources = sources.map((each) => ({ ...each, toldAt }));
  }

  #say(frame: ClientFrame): void {
    if (this.#linked) this.#present?.send(frame);
  }

  get #linked(): boolean {
    return linked(this.#state.at);
  }

  // --- liveness ---

  #heartbeat(): number {
    return (this.#hello?.heartbeat ?? 20) * 1_000;
  }

  /** The longest silence that is no cause for worry. */
  #silence(): number {
    return this.#heartbeat() + PATIENCE;
  }

  /** Looks every few seconds whether something came within `patience`; a look that comes late means sleep. */
  #watch(patience: number): void {
    const from = this.#environment.now();
    const frames = this.#frames;
    const due = (): number => (this.#frames > frames ? (this.#lastFrameAt ?? from) + this.#silence() : from + patience);
    const look = (planned: number): void => {
      const now = this.#environment.now();
      if (now - this.#pingAt >= PING_EVERY) this.#ping(now);
      if (Math.abs(now - planned) > SLEPT) this.#happen({ type: "wake" });
      else if (now >= due()) this.#happen({ type: "silence" });
      else {
        const step = Math.min(BEAT, due() - now);
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

  // --- views let go, timers, listeners ---

  #release(held: Held): void {
    this.#say(this.#replica.release(held));
    this.#timer(held.id, KEEP_VIEW, () => {
      this.#replica.drop(held);
    });
  }

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
