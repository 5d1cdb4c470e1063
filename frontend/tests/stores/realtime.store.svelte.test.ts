import { flushSync } from "svelte";
import { beforeEach, describe, expect, it, vi } from "vitest";

import {
  createRealtimeService,
  paceText,
  parsePace,
  type PageAddress,
  type RealtimeService,
} from "../../src/services/realtime.service";
import { Realtime } from "../../src/stores/realtime.store";
import { Session } from "../../src/stores/session.store";
import { ModelServer } from "../realtime/model-server";
import { World } from "../realtime/world";

let world: World;
let server: ModelServer;

beforeEach(() => {
  world = new World();
  server = new ModelServer();
  server.listenOnSockets(world);
});

class Address implements PageAddress {
  constructor(public search: string) {}

  replaceSearch(search: string): void {
    this.search = search;
  }
}

async function started(search = ""): Promise<{ service: RealtimeService; store: Realtime; address: Address }> {
  const address = new Address(search);
  const service = createRealtimeService(world, address);
  service.start();
  await world.pass(10);
  return { service, store: new Realtime(service), address };
}

function mount<T>(read: () => T): { readonly painted: T[]; unmount: () => Promise<void> } {
  const painted: T[] = [];
  const destroy = $effect.root(() => {
    $effect(() => {
      painted.push(read());
    });
  });
  flushSync();
  return {
    painted,
    unmount: async () => {
      destroy();
      await world.pass(0);
    },
  };
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    await world.pass(100);
    flushSync();
  }
}

describe("what the page knows of the link", () => {
  it("ticks once a second while nothing arrives, and not at all when nobody looks", async () => {
    const { service, store } = await started();
    const { painted, unmount } = mount(() => store.freshness.ageMs);
    await pass(3_000);
    expect(painted.length).toBeGreaterThanOrEqual(3);
    expect(painted.length).toBeLessThanOrEqual(5);
    expect(painted.at(-1)).toBeGreaterThan(painted[0] ?? 0);
    await unmount();
    service.stop();
    await world.pass(0);
    expect(world.held.timers).toBe(0);
  });

  it("says a loss at once, reconnecting after three seconds, and live again", async () => {
    const { store } = await started();
    const { painted } = mount(() => `${store.link.state} ${store.freshness.level}`);
    server.lines.clear();
    world.onSocket = () => undefined;
    world.socketEnd.close(1006);
    await pass(1_000);
    expect(painted.at(-1)).toMatch(/^(waiting|reconnecting) live$/);
    await pass(4_000);
    expect(painted.at(-1)).toMatch(/ reconnecting$/);
    server.listenOnSockets(world);
    await pass(30_000);
    expect(painted.at(-1)).toBe("open live");
  });

  it("is told at most once a painting, however many frames arrive", async () => {
    const { store } = await started();
    const { painted } = mount(() => store.counters.frames);
    for (let turn = 0; turn < 500; turn++) world.socketEnd.send({ type: "tick", time: 0, waiting: turn });
    await world.pass(20);
    flushSync();
    expect(painted.length).toBeLessThanOrEqual(2);
    expect(painted.at(-1)).toBeGreaterThan(500);
  });

  it("has the age of each source, ticking", async () => {
    const { store } = await started();
    const told = store.sources[0]?.ageMs ?? 0;
    await pass(2_000);
    expect(store.sources).toEqual([{ source: "till", state: "ok", ageMs: told + 2_000 }]);
  });

  it("has the shop and its clock, ticking", async () => {
    const { store } = await started();
    const then = store.shop?.now() ?? 0;
    await pass(1_000);
    expect(store.shop?.now()).toBe(then + 1_000);
    expect(store.shop).toMatchObject({ name: "Lamps", currency: "GBP", simulated: false });
    expect(store.serverBuild).toBe("b1");
  });

  it("says when the server has another build of the page", async () => {
    const { store } = await started();
    expect(store.outdated).toBeUndefined();
    world.socketEnd.send({ ...server.hello(), build: "b2" });
    expect(store.outdated).toBe("build");
  });

  it.each([1, -1])("says nothing of a server whose protocol is one version apart (%i)", async (apart) => {
    const { store } = await started();
    world.socketEnd.send({ ...server.hello(), protocol: 1 + apart });
    expect(store.outdated).toBeUndefined();
    expect(store.link.state).toBe("open");
  });

  it("says when the server's protocol is further apart, as its hello or its close tells", async () => {
    const { store } = await started();
    world.socketEnd.send({ ...server.hello(), protocol: 3 });
    expect(store.outdated).toBe("version");
    const again = await started();
    world.socketEnd.close(4510);
    expect(again.store.outdated).toBe("version");
  });

  it("is loaded anew without a person once a minute at most", async () => {
    const { store } = await started();
    const taken = vi.spyOn(store, "takeNewBuild").mockResolvedValue();
    for (let turn = 0; turn < 59; turn++) {
      store.renew();
      await pass(1_000);
    }
    expect(taken).toHaveBeenCalledTimes(1);
    await pass(1_000);
    store.renew();
    expect(taken).toHaveBeenCalledTimes(2);
  });
});

describe("the pace", () => {
  it("is remembered on this browser", async () => {
    const { store } = await started();
    store.setPace(5_000);
    const again = await started();
    expect(again.store.pace).toMatchObject({ chosen: 5_000, effective: 5_000, reason: "chosen", paused: false });
  });

  it("of the address comes before the remembered one, and follows what is chosen", async () => {
    world.remember("stockwire.pace", "5");
    const { store, address } = await started("?wall=1&pace=30");
    expect(store.pace.chosen).toBe(30_000);
    store.setPace("paused");
    expect(address.search).toBe("?wall=1&pace=paused");
  });

  it.each([
    ["live", 0],
    ["paused", "paused"],
    ["5", 5_000],
    ["0.5", 500],
    ["", undefined],
    ["-1", undefined],
    ["fast", undefined],
    ["99999", undefined],
  ] as const)("%j means %j", (text, pace) => {
    expect(parsePace(text)).toBe(pace);
    if (pace !== undefined) expect(parsePace(paceText(pace))).toBe(pace);
  });
});

describe("signing in", () => {
  it("spends the token and connects", async () => {
    const { service } = await started();
    world.socketEnd.close(4500);
    expect(service.client.link.state).toBe("refused");
    world.onRequest = (request) => void request.answer(200, {});
    const session = new Session(service);
    const signedIn = session.signIn("one-time");
    await world.pass(0);
    expect(await signedIn).toBe("ok");
    expect(world.request.wants).toEqual({ token: "one-time" });
    expect(session.signedIn).toBe(true);
    await world.pass(10);
    expect(service.client.link.state).toBe("open");
  });

  it.each([
    [401, "refused"],
    [400, "refused"],
    [429, "unreachable"],
    [503, "unreachable"],
  ] as const)("answered by %i is %s", async (status, outcome) => {
    const { service } = await started();
    world.onRequest = (request) => void request.answer(status, {});
    const signedIn = service.signIn("spent");
    await world.pass(0);
    expect(await signedIn).toBe(outcome);
  });

  it("is known by asking", async () => {
    const { service } = await started();
    const session = new Session(service);
    expect(session.signedIn).toBeUndefined();
    world.onRequest = (request) => void request.answer(401, {});
    const checked = session.check();
    await world.pass(0);
    expect(await checked).toBe(false);
    expect(session.signedIn).toBe(false);
  });

  it("ends with the connection closed", async () => {
    const { service } = await started();
    world.onRequest = (request) => void request.answer(200, {});
    const out = new Session(service).signOut();
    await world.pass(0);
    await out;
    expect(service.client.link.state).toBe("closed");
  });

  it.each([200, 401])("answered by %i leaves nobody signed in", async (status) => {
    const { service } = await started();
    world.onRequest = (request) => void request.answer(status, {});
    const session = new Session(service);
    const out = session.signOut();
    await world.pass(0);
    await out;
    expect(session.signedIn).toBe(false);
  });

  it.each([403, 429, 500, 503])("that %i answers did not happen: connected as before", async (status) => {
    const { service } = await started();
    world.onRequest = (request) => void request.answer(status, {});
    const session = new Session(service);
    const out = session.signOut();
    const failed = expect(out).rejects.toThrow(String(status));
    await world.pass(0);
    await failed;
    expect(session.signedIn).not.toBe(false);
    expect(service.client.link.state).toBe("open");
  });
});
