// One connection for all tabs of a browser: a client towards the server, a server towards the tabs.
//
// Each guest has a seat. For each view it holds the seat knows up to which version the guest was told, and which keys
// changed since; so a guest gets the newest of each row at its own pace, and what is kept for it is bounded by the view
// and not by time. The connection runs at the pace of the fastest guest.
//
// A guest whose cursor is not what its seat remembers gets the whole content, from here and not from the server. A host
// without content asks the guest for it and resumes from there; so when a host dies nothing is fetched twice.

import { createClient, type Client, type ClientOptions, type Subscription } from "../client";
import { listenForNews, type News } from "../news";
import type { PaceChoice } from "../pauses";
import type { Pace, ServerFrame, SourceAge, SubscribeFrame, WireRow } from "../protocol";
import type { ViewChange } from "../replica";
import type { Kept } from "../table";
import { altered } from "./altered";
import type { GuestMessage, HostMessage } from "./line";

/** What one seat was told of a view. */
interface Told {
  at: number;
  /** Keys that changed since. */
  readonly changed: Set<string>;
  /** Whether it needs the whole content. */
  whole: boolean;
  /** Whether it shows content of before, which stands still while it is paused. */
  readonly shows: boolean;
}

/** A view that a guest holds under an id of its own. */
interface Holding {
  readonly name: string;
  readonly subscription: Subscription;
  /** The guest's cursor, as it asked. */
  readonly cursor: string | undefined;
  view: string | undefined;
}

interface Seat {
  readonly post: (message: HostMessage) => void;
  /** `lost`: it was told that the link is lost, and will be told when it is back. */
  state: "away" | "asking" | "greeted" | "lost";
  wish: Pace;
  holdings: Map<string, Holding>;
  readonly told: Map<string, Told>;
  /** When rows were sent last, and what sends them when the pace allows. */
  sentAt: number;
  heardAt: number;
  callOff: (() => void) | undefined;
  /** How many frames of the server the guest knows of. */
  frames: number;
  /** How many bytes of the server the guest knows of. */
  bytes: number;
}

export interface Guest {
  hear(message: GuestMessage): void;
  /** It is gone, with or without a word. */
  leave(): void;
}

const LIVE: Pace = { interval: 0, paused: false, reason: "chosen" };
/** A guest that takes its views up again within this time goes on from where it was. */
const RETURN = 5_000;
/** Without guests the connection is kept this long: a page is reloaded. */
const LINGER = 1_000;
/** A guest that said nothing for so long is gone. Each says something every 30 s, hidden ones every minute. */
const SILENT = 150_000;

export class Host {
  readonly client: Client;
  readonly #environment: ClientOptions["environment"];
  readonly #news: News;
  readonly #seats = new Set<Seat>();
  readonly #known = new Map<string, number>();
  #unlisten: (() => void) | undefined;
  #linger: (() => void) | undefined;

  /** The environment's page life does not count: each guest has its own. Its network does. */
  constructor(options: ClientOptions) {
    const { environment } = options;
    this.#environment = environment;
    this.#news = listenForNews(environment);
    this.client = createClient({
      ...options,
      heard: this.#news.hear,
      environment: altered(environment, {
        visible: () => true,
        signals: (listener) =>
          environment.signals((signal) => {
            if (signal === "wake" || signal === "offline") listener(signal);
          }),
      }),
    });
  }

  /** Gives a tab a seat; what is for it goes to `post`. */
  serve(post: (message: HostMessage) => void): Guest {
    const seat: Seat = {
      post,
      state: "away",
      wish: LIVE,
      holdings: new Map(),
      told: new Map(),
      sentAt: 0,
      heardAt: this.#environment.now(),
      callOff: undefined,
      frames: 0,
      bytes: this.client.counters.bytes,
    };
    this.#seats.add(seat);
    return {
      hear: (message) => {
        seat.heardAt = this.#environment.now();
        if (this.#seats.has(seat)) this.#hear(seat, message);
      },
      leave: () => {
        this.#dismiss(seat);
      },
    };
  }

  /** Lets all go. */
  stop(): void {
    for (const seat of this.#seats) {
      this.#forget(seat.holdings.values());
      seat.callOff?.();
    }
    this.#seats.clear();
    this.#rest();
  }

  // --- what a guest says ---

  #hear(seat: Seat, message: GuestMessage): void {
    switch (message.type) {
      case "hello":
        this.#enter(seat);
        break;
      case "subscribe":
        this.#subscribe(seat, message);
        break;
      case "given":
        this.#hold(seat, message.frame, message.kept);
        break;
      case "unsubscribe":
        this.#unsubscribe(seat, message.id);
        break;
      case "resync":
        this.#resync(seat, message.id, message.reason);
        break;
      case "pace":
        this.#repace(seat, message);
        break;
      case "ping":
        // The guest's way to the server is as long as this link's.
        this.#environment.timer(this.client.link.roundTrip ?? 0, () => {
          if (seat.state === "greeted") seat.post({ type: "pong", n: message.n });
        });
        break;
      case "hurry":
        if (this.client.link.state === "waiting") this.client.retry();
        break;
      case "leave":
        this.#dismiss(seat);
        break;
    }
  }

  #enter(seat: Seat): void {
    this.#linger?.();
    const before = seat.holdings;
    seat.holdings = new Map();
    if (before.size > 0)
      this.#environment.timer(RETURN, () => {
        this.#forget(before.values());
        const views = new Set([...seat.holdings.values()].map(({ view }) => view));
        for (const view of seat.told.keys()) if (!views.has(view)) seat.told.delete(view);
      });
    seat.state = "asking";
    seat.post({ type: "joined", transport: this.client.link.transport });
    this.#unlisten ??= this.client.listen(() => {
      this.#relay();
    });
    const { state } = this.client.link;
    if (state === "idle" || state === "closed") this.client.start();
    else if (state === "refused") this.client.retry();
    this.#adapt();
    this.#relay();
  }

  #dismiss(seat: Seat): void {
    if (!this.#seats.delete(seat)) return;
    this.#forget(seat.holdings.values());
    this.#leave(seat);
  }

  #leave(seat: Seat): void {
    seat.state = "away";
    seat.callOff?.();
    seat.callOff = undefined;
    this.#adapt();
    if (this.#present().length > 0) return;
    this.#linger?.();
    this.#linger = this.#environment.timer(LINGER, () => {
      this.#rest();
    });
  }

  #rest(): void {
    this.#linger?.();
    this.#linger = undefined;
    this.#unlisten?.();
    this.#unlisten = undefined;
    this.client.stop();
  }

  #subscribe(seat: Seat, frame: SubscribeFrame): void {
    if (frame.cursor && !this.#known.has(nameOf(frame))) seat.post({ type: "give", frame });
    else this.#hold(seat, frame, undefined);
  }

  #hold(seat: Seat, frame: SubscribeFrame, kept: Kept | undefined): void {
    this.#unsubscribe(seat, frame.id);
    const name = nameOf(frame);
    this.#known.set(name, (this.#known.get(name) ?? 0) + 1);
    const { type: _type, id, cursor, ...request } = frame;
    const changed = (change: ViewChange): void => {
      this.#note(seat, id, holding, change);
    };
    const holding: Holding = {
      name,
      cursor,
      view: undefined,
      subscription: this.client.subscribe(request, changed, kept),
    };
    seat.holdings.set(id, holding);
    this.#name(seat, id, holding);
    this.#serve(seat);
  }

  #unsubscribe(seat: Seat, id: string): void {
    const holding = seat.holdings.get(id);
    if (!holding) return;
    seat.holdings.delete(id);
    this.#forget([holding]);
    if (![...seat.holdings.values()].some(({ view }) => view === holding.view)) seat.told.delete(holding.view ?? "");
  }

  #forget(holdings: Iterable<Holding>): void {
    for (const { name, subscription } of holdings) {
      subscription.stop();
      const left = (this.#known.get(name) ?? 1) - 1;
      if (left > 0) this.#known.set(name, left);
      else this.#known.delete(name);
    }
  }

  #resync(seat: Seat, id: string, reason: "requested" | "checksum"): void {
    const view = seat.holdings.get(id)?.view;
    const told = view === undefined ? undefined : seat.told.get(view);
    if (view === undefined || !told) return;
    seat.told.set(view, { ...told, whole: true, shows: false });
    seat.post({ type: "reset", view, reason });
    this.#serve(seat);
  }

  #repace(seat: Seat, { interval, paused, reason }: Pace): void {
    seat.wish = { interval, paused, reason };
    this.#adapt();
    const { effective } = this.client.pace;
    const slowed = effective.interval > interval;
    seat.post({
      type: "paced",
      paused,
      interval: Math.max(interval, effective.interval),
      reason: slowed ? effective.reason : reason,
    });
    this.#serve(seat);
  }

  /** The connection goes as fast as its fastest guest. */
  #adapt(): void {
    const wishes = this.#present().map(({ wish }) => wish);
    const fastest = Math.min(...wishes.filter(({ paused }) => !paused).map(({ interval }) => interval));
    const pace: PaceChoice = wishes.length === 0 ? 0 : fastest === Infinity ? "paused" : fastest;
    if (pace !== this.client.pace.chosen) this.client.setPace(pace);
  }

  #present(): Seat[] {
    return [...this.#seats].filter(({ state }) => state !== "away");
  }

  // --- what the server says ---

  /** The link or what came over it changed. */
  #relay(): void {
    const { state, reason, nextTryAt } = this.client.link;
    const { frames, bytes } = this.client.counters;
    const now = this.#environment.now();
    for (const seat of this.#seats) {
      if (now - seat.heardAt > SILENT) this.#dismiss(seat);
      if (state === "open" || state === "paused" || state === "stalled") {
        if (seat.state === "asking") this.#greet(seat);
        else if (seat.state === "lost") this.#call(seat);
        if (seat.state !== "greeted" || seat.frames === frames) continue;
        seat.frames = frames;
        seat.post({ type: "carried", bytes: bytes - seat.bytes });
        seat.bytes = bytes;
        if (!this.#serve(seat)) this.#tick(seat);
      } else if (
        seat.state === "greeted" ||
        (seat.state === "asking" && state !== "connecting" && state !== "reconnecting")
      ) {
        seat.state = "lost";
        seat.callOff?.();
        const ending = { reason: reason ?? "lost", final: state === "refused", retryAfter: (nextTryAt ?? now) - now };
        seat.post({ type: "lost", ending });
      }
    }
  }

  #greet(seat: Seat): void {
    const { hello } = this.#news;
    if (!hello) return;
    seat.state = "greeted";
    seat.frames = this.client.counters.frames;
    const { shop, ...frame } = hello.frame;
    seat.post({ type: "joined", transport: this.client.link.transport });
    const time = frame.time + this.#environment.now() - hello.at;
    seat.post({
      ...frame,
      time,
      ...(shop ? { shop: { ...shop, now: this.#shopNow() } } : {}),
      sources: this.#sources(),
    });
  }

  #call(seat: Seat): void {
    this.#leave(seat);
    seat.post({ type: "back" });
  }

  #shopNow(): number {
    const { hello } = this.#news;
    return hello ? (hello.frame.shop?.now ?? 0) + this.#environment.now() - hello.at : 0;
  }

  #sources(): SourceAge[] {
    const now = this.#environment.now();
    return this.#news.sources.map(({ source, age, state, toldAt }) => ({ source, state, age: age + now - toldAt }));
  }

  #tick(seat: Seat): void {
    const told = [...seat.told.values()];
    const behind = seat.wish.paused || told.some(({ changed, whole }) => whole || changed.size > 0);
    // What waits here, and, when all guests are paused, at the server.
    const waiting = told.reduce((sum, { changed }) => sum + changed.size, this.client.pace.waiting);
    const ats = [...seat.holdings.values()].map(({ subscription }) => atOf(subscription));
    const to = Math.min(...ats.map((at) => at ?? 0));
    const current = !behind && ats.length > 0 && to > 0;
    if (current) for (const each of told) each.at = Math.max(each.at, to);
    const time = this.#environment.now();
    const sources = this.#sources();
    const shown = this.#news.hello?.frame.shop?.clock === "events" ? { now: this.#shopNow() } : {};
    seat.post({
      type: "tick",
      time,
      sources,
      ...shown,
      ...(current ? { to } : {}),
      ...(seat.wish.paused ? { waiting } : {}),
    });
  }

  // --- rows ---

  #note(seat: Seat, id: string, holding: Holding, change: ViewChange): void {
    if (change.kind === "error") {
      const { error } = holding.subscription;
      if (error) seat.post({ ...error, id });
      return;
    }
    this.#name(seat, id, holding);
    const told = seat.told.get(holding.view ?? "");
    if (!told) return;
    if (change.kind === "delta") for (const { key } of change.changes) told.changed.add(key);
    else told.whole = true;
  }

  /** Tells the guest the view's name once there is content to follow, and finds from where it goes on. */
  #name(seat: Seat, id: string, holding: Holding): void {
    const { cursor, key } = holding.subscription;
    if (holding.view !== undefined || cursor === undefined || !key) return;
    const view = partsOf(cursor).view;
    holding.view = view;
    seat.post({ type: "subscribed", id, view, feed: "", key });
    const told = seat.told.get(view);
    const has = holding.cursor === undefined ? undefined : partsOf(holding.cursor);
    const now = partsOf(cursor);
    const resumes = has?.view === view && has.epoch === now.epoch && has.at === (told?.at ?? now.at);
    if (!resumes) {
      const changed = newer(holding.subscription.rows, has?.at);
      seat.told.set(view, { at: now.at, changed, whole: true, shows: has?.view === view });
    } else if (!told) seat.told.set(view, { at: now.at, changed: new Set(), whole: false, shows: true });
  }

  /** Sends a guest what it lacks, as far as its pace allows now; gives whether anything was sent. */
  #serve(seat: Seat): boolean {
    if (seat.state !== "greeted") return false;
    const { interval, paused } = seat.wish;
    const wait = interval > this.client.pace.effective.interval ? seat.sentAt + interval - this.#environment.now() : 0;
    let sent = false;
    for (const { view, subscription } of seat.holdings.values()) {
      const told = seat.told.get(view ?? "");
      const at = atOf(subscription);
      if (view === undefined || !told || at === undefined) continue;
      const frame = told.whole ? wholeOf(view, at, subscription) : deltaOf(view, at, told, subscription);
      if (!frame || (paused && told.shows) || (wait > 0 && !told.whole)) continue;
      seat.post(frame);
      seat.told.set(view, { at, changed: new Set(), whole: false, shows: true });
      sent = true;
    }
    if (sent && wait <= 0) seat.sentAt = this.#environment.now();
    if (wait > 0 && !seat.callOff)
      seat.callOff = this.#environment.timer(wait, () => {
        seat.callOff = undefined;
        this.#serve(seat);
      });
    return sent;
  }
}

function partsOf(cursor: string): { epoch: string; at: number; view: string } {
  const [, epoch = "", at, view = ""] = cursor.split(".");
  return { epoch, at: Number(at), view };
}

/** The keys of rows that are newer than what was known; none where nothing was. */
function newer(rows: Subscription["rows"], at = Infinity): Set<string> {
  return new Set([...rows].filter(([, { version }]) => version > at).map(([key]) => key));
}

const atOf = ({ cursor }: Subscription): number | undefined => (cursor === undefined ? cursor : partsOf(cursor).at);

function wholeOf(view: string, at: number, { rows }: Subscription): ServerFrame {
  return { type: "snapshot", view, at, part: 0, rows: [...rows.values()] };
}

function deltaOf(view: string, to: number, { at, changed }: Told, { rows }: Subscription): ServerFrame | undefined {
  if (changed.size === 0) return undefined;
  const upsert: WireRow[] = [];
  const remove: string[][] = [];
  for (const key of changed) {
    const row = rows.get(key);
    if (row) upsert.push(row);
    else remove.push(key.split("\0"));
  }
  return { type: "delta", view, from: at, to, upsert, remove };
}

/** What makes two requests one view here. */
function nameOf({ type: _type, id: _id, cursor: _cursor, order, ...request }: SubscribeFrame): string {
  return JSON.stringify(request.limit === undefined ? request : { ...request, order });
}
