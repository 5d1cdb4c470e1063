// A view for a screen: its rows in order, and which cells changed just now.
//
// It is subscribed while an effect reads it and let go of after the last one stopped. Rows arrive as fast as the pace
// allows and are shown at a rate for eyes: what arrives in between is merged into the next painting. There is one
// signal for the whole view and no reactive state per row, so 100,000 rows cost what a Map costs.

import { createSubscriber } from "svelte/reactivity";

import { keyText } from "../realtime";
import type { ErrorFrame, Filter, RowChange, ViewChange, ViewRequest, WireRow } from "../realtime";
import { compareField, type RankedSubscription } from "../realtime/order";
import { realtimeService, type RealtimeService } from "../services/realtime.service";
import type { FeedName } from "./rows";

/** How a field changed: numbers, money and moments rise or fall, all else is set. */
export type Direction = "up" | "down" | "set";

/** What changed in a row, and when that was painted (local clock). */
export interface CellChanges {
  readonly fields: Readonly<Record<string, Direction>>;
  readonly at: number;
}

export interface ViewOptions {
  readonly feed: FeedName;
  readonly filter?: Filter | undefined;
  readonly order?: readonly string[] | undefined;
  readonly limit?: number | undefined;
  /** Milliseconds between updates at least. */
  readonly interval?: number | undefined;
  /** `rows` (4 times a second at most, the default) or `headline` (once a second at most). */
  readonly rate?: "rows" | "headline" | undefined;
}

export type ViewUpdate = Partial<Pick<ViewOptions, "filter" | "order" | "limit">>;

export type Key = string | readonly string[];

/** Hears the keys of rows that changed, came or left; undefined: perhaps all. */
export type Follower = (keys: ReadonlySet<string> | undefined) => void;

/** Milliseconds between two paintings at least. */
const RATES = { rows: 250, headline: 1_000 } as const;
/** A change counts as just now for so long. */
const MARKED = 1_500;

/** One view as a screen reads it. Make it with `createView`. */
export class View<R extends WireRow> {
  readonly #service: RealtimeService;
  readonly #look: () => void;
  readonly #gap: number;
  #request: ViewRequest;
  #update: (() => void) | undefined;
  #subscription: RankedSubscription<R> | undefined;
  #stopped = false;

  /** Whose rows are shown: the subscription that last had content. */
  #shown: RankedSubscription<R> | undefined;
  #rows: readonly R[] | undefined;
  readonly #followers = new Set<Follower>();
  /** Whose rows changed since the last painting; undefined: perhaps all. */
  #touched: Set<string> | undefined;
  #loaded = false;
  #error: ErrorFrame | undefined;
  #version = 0;
  #arrived = new Map<string, Record<string, Direction>>();
  #marks = new Map<string, CellChanges>();
  #paintedAt = Number.NEGATIVE_INFINITY;
  /** When the newest change that arrived was recorded. */
  #recordedAt: number | undefined;
  #cancelPaint: (() => void) | undefined;
  #cancelFade: (() => void) | undefined;

  constructor({ rate = "rows", ...request }: ViewOptions, service: RealtimeService) {
    this.#service = service;
    this.#request = request;
    this.#gap = RATES[rate];
    this.#look = createSubscriber((update) => {
      this.#update = update;
      this.#open();
      let { past } = this.#service;
      const unlisten = this.#service.onPast(() => {
        if (past === this.#service.past) return;
        ({ past } = this.#service);
        this.#renew();
      });
      return () => {
        unlisten();
        this.#update = undefined;
        this.#close();
      };
    });
  }

  /** All rows in order; the same array until something in it changed. Nothing is put in order before it is read. */
  get rows(): readonly R[] {
    this.#look();
    return (this.#rows ??= this.#shown?.rows ?? []);
  }

  /** All rows by key, in no order and changed in place: `follow` tells which. */
  get all(): ReadonlyMap<string, R> {
    this.#look();
    return this.#shown?.all ?? new Map<string, R>();
  }

  /**
   * Tells with each painting which rows changed, came or left since the one before; undefined: perhaps all, and `all` may be another map. For tables too long
   * to be walked at each painting.
   *
   * @returns what ends that
   */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** The row of a key: its texts, or them joined as `keyText` does. */
  byKey(key: Key): R | undefined {
    this.#look();
    return this.#shown?.get(key);
  }

  /** Whether content was there at least once; stays true while an update of the request is under way. */
  get loaded(): boolean {
    this.#look();
    return this.#loaded;
  }

  /** Whether what is shown is still the answer to an earlier request. */
  get pending(): boolean {
    this.#look();
    return this.#subscription !== undefined && !this.#subscription.loaded && !this.#error;
  }

  /** Why the server does not give this view. */
  get error(): ErrorFrame | undefined {
    this.#look();
    return this.#error;
  }

  /** Rises with each painting. */
  get version(): number {
    this.#look();
    return this.#version;
  }

  /** What changed in a row just now; nothing on first load, after a reset or after being away. */
  change(key: Key): CellChanges | undefined {
    this.#look();
    return this.#marks.get(typeof key === "string" ? key : keyText(key));
  }

  /** When a field changed, if it did just now. */
  changedAt(key: Key, field: string): number | undefined {
    const change = this.change(key);
    return change && field in change.fields ? change.at : undefined;
  }

  /** Asks for something else; what is asked for already is not asked again. What is shown stays until the new content is there. */
  update(update: ViewUpdate): void {
    const request = { ...this.#request, ...update };
    if (JSON.stringify(request) === JSON.stringify(this.#request)) return;
    this.#request = request;
    this.#renew();
  }

  #renew(): void {
    if (!this.#subscription) return;
    const before = this.#subscription;
    this.#subscribe();
    before.stop();
  }

  /** Lets go of it for good. */
  stop(): void {
    this.#stopped = true;
    this.#close();
  }

  #open(): void {
    if (!this.#stopped) this.#subscribe();
  }

  #subscribe(): void {
    this.#error = undefined;
    this.#touched = undefined;
    this.#forgetMarks();
    const subscription: RankedSubscription<R> = this.#service.subscribe<R>(this.#request, (change) => {
      if (subscription === this.#subscription) this.#take(change);
    });
    this.#subscription = subscription;
    if (subscription.loaded) this.#paint();
    else if (this.#loaded) this.#paintSoon();
  }

  #close(): void {
    this.#subscription?.stop();
    this.#subscription = undefined;
    this.#cancelPaint?.();
    this.#cancelPaint = undefined;
    this.#forgetMarks();
  }

  #take(change: ViewChange): void {
    if (change.kind === "delta" && !change.resumed && this.#loaded)
      change.changes.forEach((each) => {
        this.#note(each);
      });
    else this.#forgetMarks();
    if (change.kind === "delta" && !change.resumed) this.#recordedAt = recordedAt(change) ?? this.#recordedAt;
    if (change.kind === "delta") for (const { key } of change.changes) this.#touched?.add(key);
    else this.#touched = undefined;
    this.#paintSoon();
  }

  /** Keeps which fields changed since the last painting. */
  #note({ key, before, row }: RowChange): void {
    if (!row) {
      this.#arrived.delete(key);
      return;
    }
    const fields: Record<string, Direction> = { ...this.#arrived.get(key) };
    for (const name in row) {
      if (name === "version") continue;
      const direction = before ? compareField(name, before[name], row[name]) : "set";
      if (direction) fields[name] = direction;
    }
    this.#arrived.set(key, fields);
  }

  #paintSoon(): void {
    const { environment } = this.#service;
    if (this.#cancelPaint) return;
    const wait = Math.max(0, this.#paintedAt + this.#gap - environment.now());
    const atFrame = (): void => {
      this.#cancelPaint = environment.paint(() => {
        this.#cancelPaint = undefined;
        this.#paint();
      });
    };
    if (wait > 0) this.#cancelPaint = environment.timer(Math.min(wait, this.#gap), atFrame);
    else atFrame();
  }

  #paint(): void {
    const subscription = this.#subscription;
    if (!subscription) return;
    const now = this.#service.environment.now();
    this.#paintedAt = now;
    this.#error = subscription.error;
    if (subscription.loaded) {
      this.#shown = subscription;
      this.#rows = undefined;
      this.#loaded = true;
      const touched = this.#touched;
      this.#touched = new Set();
      for (const follow of this.#followers) follow(touched);
    }
    for (const [key, { at }] of this.#marks) if (now - at >= MARKED) this.#marks.delete(key);
    for (const [key, fields] of this.#arrived) this.#marks.set(key, { fields, at: now });
    this.#arrived.clear();
    if (this.#marks.size > 0) this.#fadeLater();
    if (this.#recordedAt !== undefined) this.#service.painted(this.#recordedAt);
    this.#recordedAt = undefined;
    this.#version += 1;
    this.#update?.();
  }

  #fadeLater(): void {
    this.#cancelFade?.();
    this.#cancelFade = this.#service.environment.timer(MARKED, () => {
      this.#cancelFade = undefined;
      this.#paintSoon();
    });
  }

  #forgetMarks(): void {
    this.#arrived.clear();
    this.#marks.clear();
    this.#cancelFade?.();
    this.#cancelFade = undefined;
  }
}

/** When the last of the changes was recorded, as far as rows of their feed tell. */
function recordedAt({ changes }: { readonly changes: readonly RowChange[] }): number | undefined {
  const row = changes.at(-1)?.row;
  const text = row && ("sku" in row ? row["updated_at"] : row["recorded_at"]);
  return typeof text === "string" ? Date.parse(text) : undefined;
}

/** A view of a feed, subscribed while it is read. */
export function createView<R extends WireRow>(
  options: ViewOptions,
  service: RealtimeService = realtimeService,
): View<R> {
  return new View<R>(options, service);
}
