// What screens read about the link: how fresh things are, at what pace they come, how old each source is.
//
// Getters over one signal. Readers are told at once (with the next painting) when something they can say in a word
// changed, and once a second otherwise, so that ages tick while nothing arrives. When nobody reads, nothing runs.

import { createSubscriber } from "svelte/reactivity";

import type { Counters, LinkStatus, PaceChoice, PaceReason, Shop, SourceAge } from "../realtime";
import type { Freshness } from "../realtime/freshness";
import { takeNewBuild } from "../services/offline.service";
import { realtimeService, SHOP, type RealtimeService } from "../services/realtime.service";

export type { LinkState, PaceChoice } from "../realtime";
export type { FreshnessLevel } from "../realtime/freshness";

export interface SourceFreshness {
  readonly source: string;
  readonly ageMs: number;
  readonly state: SourceAge["state"];
}

export interface PaceView {
  /** Milliseconds between updates (0: live), or `paused`. */
  readonly chosen: PaceChoice;
  /** Milliseconds, as the server agreed. */
  readonly effective: number;
  readonly reason: PaceReason;
  readonly paused: boolean;
}

/** The shop, with its own clock. */
export interface ShopView extends Omit<Shop, "now"> {
  /** The shop's time in milliseconds since 1970, ticking between frames. */
  now(): number;
}

/** The moment that is looked back at, in milliseconds since 1970, and what is to be known of the way there. */
export interface PastView {
  readonly at: number;
  /** Whether what is shown is of that moment. */
  readonly settled: boolean;
  readonly folding: { readonly done: number; readonly of: number } | undefined;
  readonly failed: boolean;
}

const BEAT = 1_000;
const MINUTE = 60_000;
const RENEWED = "stockwire.renewed";

export class Realtime {
  readonly #service: RealtimeService;
  readonly #look: () => void;
  #firstBuild: string | undefined;
  /** The time of the hello whose shop is remembered. */
  #keptAt: number | undefined;

  constructor(service: RealtimeService) {
    this.#service = service;
    this.#look = createSubscriber((update) => this.#attend(update));
  }

  /** The connection between this page and the server. */
  get link(): LinkStatus {
    this.#look();
    return this.#service.client.link;
  }

  /** One word for all: how fresh is what is shown. */
  get freshness(): Freshness {
    this.#look();
    return this.#service.freshness;
  }

  /** How old the newest event of each source is. */
  get sources(): readonly SourceFreshness[] {
    this.#look();
    const now = this.#service.environment.now();
    return this.#service.news.sources.map(({ source, age, state, toldAt }) => ({
      source,
      state,
      ageMs: age + Math.max(0, now - toldAt),
    }));
  }

  get pace(): PaceView {
    this.#look();
    const { chosen, effective } = this.#service.client.pace;
    return { chosen, effective: effective.interval, reason: effective.reason, paused: effective.paused };
  }

  /** As the last hello told it; without one, as an earlier page of this browser heard it: kept values stay in the shop's own currency. */
  get shop(): ShopView | undefined {
    this.#look();
    const hello = this.#service.news.hello;
    if (!hello?.frame.shop) return this.#recalled();
    const { now, ...shop } = hello.frame.shop;
    if (this.#keptAt !== hello.frame.time) {
      this.#keptAt = hello.frame.time;
      this.#service.environment.remember(SHOP, JSON.stringify({ shop, offset: now - hello.at }));
    }
    const { past } = this.#service;
    return { ...shop, now: () => past?.at ?? now + this.#service.environment.now() - hello.at };
  }

  /** The shop's clock in milliseconds as it is now, also while looking back; undefined until the server said hello. */
  get present(): number | undefined {
    this.#look();
    const hello = this.#service.news.hello;
    return hello?.frame.shop && hello.frame.shop.now + this.#service.environment.now() - hello.at;
  }

  /** Milliseconds from recording a change to painting it, 95th percentile; undefined until something was painted. */
  get deliveryLag(): number | undefined {
    this.#look();
    return this.#service.delivery.p95;
  }

  /** Undefined: what is shown is now. */
  get past(): PastView | undefined {
    this.#look();
    const { past } = this.#service;
    return past && { at: past.at, settled: past.settled, folding: past.folding, failed: past.failed };
  }

  /** Shows the page as it was at a moment, or as it is. */
  lookBack(at: number | undefined): void {
    this.#service.lookBack(at);
  }

  get counters(): Counters {
    this.#look();
    return this.#service.client.counters;
  }

  /** The build of the page that the server has. */
  get serverBuild(): string | undefined {
    this.#look();
    return this.#service.news.hello?.frame.build;
  }

  /**
   * Why the page should be loaded anew: the server has another build of it than when it connected first, or speaks a
   * version of the protocol that is too far from the page's own.
   */
  get outdated(): "build" | "version" | undefined {
    const { state, reason } = this.link;
    if (state === "refused" && reason === "version") return "version";
    const build = this.serverBuild;
    this.#firstBuild ??= build;
    return build === this.#firstBuild ? undefined : "build";
  }

  setPace(pace: PaceChoice): void {
    this.#service.setPace(pace);
  }

  /** Loads the server's build of the page. */
  takeNewBuild(): Promise<void> {
    return takeNewBuild();
  }

  /** The same for a page that nobody sits at: once a minute at most, should the page that comes be no better. */
  renew(): void {
    const { environment } = this.#service;
    const now = environment.now();
    if (now - Number(environment.recall(RENEWED) ?? 0) < MINUTE) return;
    environment.remember(RENEWED, String(now));
    void this.takeNewBuild();
  }

  retryNow(): void {
    this.#service.retryNow();
  }

  #recalled(): ShopView | undefined {
    const { environment } = this.#service;
    try {
      const { shop, offset } = JSON.parse(environment.recall(SHOP) ?? "") as {
        shop: Omit<Shop, "now">;
        offset: number;
      };
      return { ...shop, now: () => offset + environment.now() };
    } catch {
      return undefined;
    }
  }

  #attend(update: () => void): () => void {
    const { client, environment } = this.#service;
    let said = this.#said();
    let cancelPaint: (() => void) | undefined;
    let cancelBeat: () => void;

    const beat = (): void => {
      cancelBeat = environment.timer(BEAT, beat);
      said = this.#said();
      update();
    };
    const heed = (): void => {
      if (cancelPaint || this.#said() === said) return;
      cancelPaint = environment.paint(() => {
        cancelPaint = undefined;
        said = this.#said();
        update();
      });
    };
    const unlisten = client.listen(heed);
    const unlistenPast = this.#service.onPast(heed);
    cancelBeat = environment.timer(BEAT, beat);
    return () => {
      unlisten();
      unlistenPast();
      cancelBeat();
      cancelPaint?.();
    };
  }

  /** All that is worth telling at once, as one text. */
  #said(): string {
    const { link, pace } = this.#service.client;
    const { sources, hello } = this.#service.news;
    const { freshness, past } = this.#service;
    const states = sources.map(({ source, state }) => [source, state]);
    return JSON.stringify([
      link.state,
      link.nextTryAt,
      link.transport,
      freshness.level,
      pace,
      states,
      hello?.frame.build,
      hello?.frame.shop?.name,
      past && [past.at, past.settled, past.folding, past.failed],
    ]);
  }
}

export const realtime = new Realtime(realtimeService);
