// This page's one client, and what belongs to it: the person's pace, and signing in.
//
// The pace comes from the address first (`?pace=live`, `paused`, or seconds: a wall display is a link), then from what
// the person chose last on this browser.

import { createClient, type Client, type Environment, type Kept, type PaceChoice } from "../realtime";
import type { ViewChange, ViewRequest, WireRow } from "../realtime";
import { heedConditions } from "../realtime/conditions";
import { browserEnvironment } from "../realtime/environment";
import { browserWay, type Way } from "./sharing.service";
import { browserSnapshots, type Snapshots } from "./snapshots.service";
import { freshnessOf, type Freshness } from "../realtime/freshness";
import { keep, keptOf, restore } from "../realtime/kept";
import { listenForNews, type News } from "../realtime/news";
import { DeliveryLag } from "./delivery";
import { Past } from "./past.service";
import { ranked, type RankedSubscription } from "../realtime/order";
import type { SubscribeFrame } from "../realtime/protocol";

/** The page's address, as far as the service reads and changes it. */
export interface PageAddress {
  readonly search: string;
  /** Changes the query without loading anything. */
  replaceSearch(search: string): void;
}

/** `ok`: signed in. `refused`: the token is spent, too old or wrong. `unreachable`: try again. */
export type SignIn = "ok" | "refused" | "unreachable";

export interface RealtimeService {
  readonly environment: Environment;
  readonly client: Client;
  /** What the server tells beside rows. */
  readonly news: News;
  /** How fresh what is shown is. */
  readonly freshness: Freshness;
  /** How long changes take to get here. */
  readonly delivery: DeliveryLag;
  /** A change that was recorded at that moment, by the server's clock, is painted now. */
  painted(recordedAt: number): void;
  /** The moment that is looked back at; undefined: what is shown is now. */
  readonly past: Past | undefined;
  /** Shows the page as it was at a moment (milliseconds since 1970), or as it is. Views are to be subscribed anew when `past` is another one. */
  lookBack(at: number | undefined): void;
  /** Calls when `past` or anything of it changed; gives what ends that. */
  onPast(listener: () => void): () => void;
  /** Connects; stays connected until `stop`. */
  start(): void;
  stop(): void;
  /** Milliseconds between updates (0: live) or none; remembered on this browser. */
  setPace(pace: PaceChoice): void;
  retryNow(): void;
  subscribe<R extends WireRow>(view: ViewRequest, changed: (change: ViewChange) => void): RankedSubscription<R>;
  /** Spends a one-time token on a session, and connects anew when it worked. */
  signIn(token: string): Promise<SignIn>;
  /** Whether this browser has a session; undefined when nobody answers. */
  signedIn(): Promise<boolean | undefined>;
  /** Ends the session and forgets what was shown. Rejects when the server did not end it: the person is still signed in. */
  signOut(): Promise<void>;
}

const PACE = "stockwire.pace";
/** Where this browser remembers the shop. It goes with the kept values when somebody signs out. */
export const SHOP = "stockwire.shop";
const SESSION = "/api/v1/session";
const SLOWEST = 3_600;
const SIGNED_OUT = "signed_out";
/** What changes within this time is put aside at once. */
const PUT_ASIDE = 5_000;
const NOWHERE: Snapshots = {
  load: () => Promise.resolve(undefined),
  save: () => Promise.resolve(),
  wipe: () => Promise.resolve(),
};

/** A pace as a text of an address or of the browser's memory: `live`, `paused` or seconds. */
export function parsePace(text: string | null | undefined): PaceChoice | undefined {
  if (text === "paused") return "paused";
  if (text === "live") return 0;
  const seconds = Number(text || Number.NaN);
  return seconds >= 0 && seconds <= SLOWEST ? Math.round(seconds * 1_000) : undefined;
}

export function paceText(pace: PaceChoice): string {
  return pace === "paused" ? pace : pace === 0 ? "live" : String(pace / 1_000);
}

/**
 * @param reach finds the way to the server; by default the tab's own connection
 * @param snapshots where the last content of views is kept; by default nowhere
 */
export function createRealtimeService(
  environment: Environment,
  address: PageAddress,
  reach: (environment: Environment, kept: (frame: SubscribeFrame) => Kept | undefined) => Partial<Way> = () => ({}),
  snapshots: Snapshots = NOWHERE,
): RealtimeService {
  const asked = parsePace(new URLSearchParams(address.search).get("pace"));
  const news = listenForNews(environment);
  const { hurry, ...way } = reach(environment, (frame) => keptOf(client, frame));
  const client: Client = createClient({
    environment,
    ...way,
    heard: news.hear,
    name: "stockwire-page/1",
    pace: asked ?? parsePace(environment.recall(PACE)) ?? 0,
  });

  const session = (method: string, body?: unknown): Promise<Response> =>
    environment.fetch(environment.base + SESSION, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });

  /** The oldest moment that content of before this page was of. */
  let shownOf: number | undefined;
  let wiped = false;

  const remembered = <R extends WireRow>(
    view: ViewRequest,
    changed: (change: ViewChange) => void,
  ): RankedSubscription<R> => {
    const name = JSON.stringify(view);
    let callOff: (() => void) | undefined;
    let stopped = false;
    const putAside = (): void => {
      callOff = undefined;
      const kept = keep(held);
      if (kept && !wiped) void snapshots.save(name, { kept, at: environment.now() });
    };
    const held = ranked<R>(client, view, (change) => {
      if (client.link.lostAt === undefined) callOff ??= environment.timer(PUT_ASIDE, putAside);
      changed(change);
    });
    void snapshots.load(name).then((found) => {
      if (!found || stopped || held.loaded) return;
      shownOf = Math.min(found.at, shownOf ?? found.at);
      restore(client, view, found.kept);
    });
    return Object.assign(Object.create(held) as RankedSubscription<R>, {
      stop() {
        stopped = true;
        if (callOff) {
          callOff();
          putAside();
        }
        held.stop();
      },
    });
  };

  const delivery = new DeliveryLag();
  let past: Past | undefined;
  const pastListeners = new Set<() => void>();
  const tellPast = (): void => {
    for (const listener of [...pastListeners]) listener();
  };

  /** Who is signed out must not see what was; what is still on the screen is put aside no more. */
  const wipe = (): Promise<void> => {
    wiped = true;
    shownOf = undefined;
    environment.remember(SHOP, "");
    return snapshots.wipe();
  };
  const guard = (): void => {
    const { state, reason } = client.link;
    if (state === "open") wiped = false;
    else if (state === "refused" && reason === SIGNED_OUT) void wipe();
  };
  let undo: readonly (() => void)[] = [];

  return {
    environment,
    client,
    news,
    get freshness() {
      const now = environment.now();
      const fresh = freshnessOf(client, now);
      return fresh.ageMs === undefined && shownOf !== undefined ? { ...fresh, ageMs: now - shownOf } : fresh;
    },
    start: () => {
      if (undo.length === 0) undo = [client.listen(guard), heedConditions(client)];
      client.start();
    },
    stop: () => {
      client.stop();
      for (const each of undo) each();
      undo = [];
    },
    retryNow: () => {
      hurry?.();
      client.retry();
    },
    subscribe: (view, changed) => (past ? ranked(past, view, changed) : remembered(view, changed)),
    delivery,
    painted(recordedAt) {
      const { hello } = news;
      // On the events' clock each tick moves the moment of the hello, so it tells nothing of the server's clock.
      if (hello?.frame.shop?.clock === "wall")
        delivery.note(environment.now() + hello.frame.time - hello.at - recordedAt);
    },
    get past() {
      return past;
    },
    lookBack(at) {
      if (at !== undefined && past) {
        past.go(at);
        return;
      }
      past?.stop();
      past = at === undefined ? undefined : new Past(environment, at, tellPast);
      tellPast();
    },
    onPast(listener) {
      pastListeners.add(listener);
      return () => {
        pastListeners.delete(listener);
      };
    },
    setPace(pace) {
      client.setPace(pace);
      environment.remember(PACE, paceText(pace));
      const query = new URLSearchParams(address.search);
      if (!query.has("pace")) return;
      query.set("pace", paceText(pace));
      address.replaceSearch(`?${query}`);
    },
    async signIn(token) {
      try {
        const answer = await session("POST", { token });
        if (!answer.ok) return answer.status >= 500 || answer.status === 429 ? "unreachable" : "refused";
      } catch {
        return "unreachable";
      }
      client.retry();
      return "ok";
    },
    async signedIn() {
      try {
        const { ok, status } = await session("GET");
        return ok ? true : status === 401 ? false : undefined;
      } catch {
        return undefined;
      }
    },
    async signOut() {
      const { ok, status } = await session("DELETE");
      if (!ok && status !== 401) throw new Error(`signing out was answered by ${status}`);
      client.stop();
      await wipe();
    },
  };
}

const pageAddress: PageAddress = {
  get search() {
    return location.search;
  },
  replaceSearch(search) {
    history.replaceState(history.state, "", search + location.hash);
  },
};

export const realtimeService = createRealtimeService(browserEnvironment(), pageAddress, browserWay, browserSnapshots());
