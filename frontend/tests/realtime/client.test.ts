import { beforeEach, describe, expect, it } from "vitest";

import { createClient, type Client, type ClientOptions } from "../../src/realtime/client";
import { freshnessOf } from "../../src/realtime/freshness";
import { listenForNews } from "../../src/realtime/news";
import { ranked, type RankedSubscription } from "../../src/realtime/order";
import type { ViewChange } from "../../src/realtime/replica";
import { ModelServer } from "./model-server";
import { World } from "./world";

let world: World;
let server: ModelServer;

beforeEach(() => {
  world = new World();
  server = new ModelServer();
});

/** A started client with a view, on a server that is up. */
async function connected(options: Partial<ClientOptions> = {}): Promise<{
  client: Client;
  view: RankedSubscription;
  changes: ViewChange[];
}> {
  server.write("A", 1);
  server.listenOnSockets(world);
  const client = createClient({ environment: world, ...options });
  const changes: ViewChange[] = [];
  const view = ranked(client, { feed: "inventory" }, (change) => changes.push(change));
  client.start();
  await world.pass(100);
  return { client, view, changes };
}

const skus = (view: RankedSubscription): string[] => view.rows.map((row) => row["sku"] as string);

/** The link dies and the server is down until `up`. */
async function goDown(): Promise<void> {
  server.lines.clear();
  world.onSocket = (socket) => {
    socket.close(1006);
  };
  world.onRequest = (request) => void request.fail();
  world.socketEnd.close(1006);
  await world.pass(0);
}

describe("a client", () => {
  it("shows what the server has, and what changes", async () => {
    const { client, view } = await connected();
    expect(client.link).toMatchObject({ state: "open", transport: "websocket" });
    expect(skus(view)).toEqual(["A"]);
    server.write("B", 2);
    server.publish();
    expect(skus(view)).toEqual(["A", "B"]);
  });

  it("leaves nothing behind when it is stopped, whatever it was doing", async () => {
    const { client, view } = await connected();
    view.stop();
    client.stop();
    await world.pass(0);
    expect(world.held).toEqual({ timers: 0, listeners: 0, sockets: 0, requests: 0 });

    client.start();
    await world.pass(100);
    await goDown();
    await world.pass(2_000);
    client.stop();
    await world.pass(0);
    expect(world.held).toEqual({ timers: 0, listeners: 0, sockets: 0, requests: 0 });
  });

  it("comes back after a loss with exactly what it missed", async () => {
    const { client, view, changes } = await connected();
    await goDown();
    expect(client.link.state).toBe("waiting");
    server.write("B", 2);
    server.write("A", null);
    server.listenOnSockets(world);
    await world.pass(2_000);
    expect(client.link.state).toBe("open");
    expect(skus(view)).toEqual(["B"]);
    expect(changes.at(-1)).toMatchObject({ kind: "delta", resumed: true });
    expect(client.counters).toMatchObject({ reconnects: 1, faults: 0, resets: {} });
  });

  it("never gives up, and holds no more after a thousand reconnects than after one", async () => {
    const { client, view } = await connected();
    await goDown();
    server.listenOnSockets(world);
    await world.pass(30_000);
    const before = world.held;
    for (let turn = 0; turn < 1_000; turn++) {
      server.write(`S${turn % 7}`, turn);
      world.socketEnd.close(1006);
      await world.pass(21_000);
      server.lines.clear();
    }
    await world.pass(30_000);
    expect(world.held).toEqual(before);
    expect(view.rows).toEqual(server.rows());
    expect(client.counters).toMatchObject({ reconnects: 1_001, faults: 0 });
  });

  it("drops the frames of a connection that it left", async () => {
    const { client, view } = await connected();
    const [old] = [...server.lines];
    await goDown();
    server.listenOnSockets(world);
    await world.pass(2_000);
    old?.say({ type: "delta", view: "x", from: 1, to: 9 });
    world.sockets[0]?.send({ type: "delta", view: "x", from: 1, to: 9 });
    expect(client.counters.faults).toBe(0);
    expect(skus(view)).toEqual(["A"]);
  });

  it("asks for the whole content when a delta does not fit, and counts it", async () => {
    const { client, view } = await connected();
    for (const line of server.lines) {
      for (const name of line.views.keys()) line.say({ type: "delta", view: name, from: 77, to: 78 });
    }
    await world.pass(0);
    expect(client.counters).toMatchObject({ faults: 1, resets: { requested: 1 } });
    expect(skus(view)).toEqual(["A"]);
  });

  it("drops a server that talks nonsense and tries again", async () => {
    const { client } = await connected();
    world.socketEnd.sendText("<html>a proxy's page</html>");
    expect(client.link).toMatchObject({ state: "waiting", reason: "malformed" });
  });

  it("tells the server to come no more when a view is let go of, and resumes it within a minute", async () => {
    const { client, view } = await connected();
    view.stop();
    await world.pass(10);
    expect([...server.lines].at(-1)?.views.size).toBe(0);
    server.write("B", 2);
    server.publish();
    const changes: ViewChange[] = [];
    const again = ranked(client, { feed: "inventory" }, (change) => changes.push(change));
    expect(skus(again)).toEqual(["A"]);
    await world.pass(10);
    expect(skus(again)).toEqual(["A", "B"]);
    expect(changes).toMatchObject([{ kind: "delta", resumed: true }]);
    expect(client.counters.faults).toBe(0);
  });

  it("forgets a view a minute after the last reader left", async () => {
    const { client, view } = await connected();
    view.stop();
    await world.pass(61_000);
    expect(ranked(client, { feed: "inventory" }).loaded).toBe(false);
  });

  it("shares one view among equal requests, each in its own order", async () => {
    const { client, view } = await connected();
    server.write("B", 9);
    const down = ranked(client, { feed: "inventory", order: ["-on_hand"] });
    server.publish();
    expect(skus(down)).toEqual(["B", "A"]);
    expect(skus(view)).toEqual(["A", "B"]);
    expect([...server.lines].at(-1)?.views.size).toBe(1);
  });

  it("sets the shop's clock anew whenever the server tells it", async () => {
    const news = listenForNews(world);
    await connected({ heard: news.hear });
    expect(news.hello).toMatchObject({ frame: { shop: { name: "Lamps", now: 1_000 } } });
    await world.pass(5_000);
    world.socketEnd.send({ type: "tick", time: 0, now: 900_000 });
    expect(news.hello).toMatchObject({ at: world.time, frame: { shop: { now: 900_000 } } });
  });

  it("measures the round trip by ping", async () => {
    const { client } = await connected();
    expect(client.link.roundTrip).toBe(0);
  });
});

describe("silence", () => {
  it("is asked about, then taken for a dead link, then the client is back at once", async () => {
    const { client } = await connected();
    server.lines.clear();
    world.socketEnd.onFrame = () => undefined;
    await world.pass(25_000);
    expect(client.link.state).toBe("stalled");
    expect(freshnessOf(client, world.time).level).toBe("delayed");
    await world.pass(7_000);
    expect(client.link.state).toBe("open");
    expect(client.counters.reconnects).toBe(1);
  });

  it("is no cause for worry while heartbeats come", async () => {
    const { client } = await connected();
    for (let turn = 0; turn < 10; turn++) {
      await world.pass(21_000);
      world.socketEnd.send({ type: "heartbeat", time: 0 });
      expect(client.link.state).toBe("open");
    }
    expect(client.counters.reconnects).toBe(0);
  });

  it("after sleep is asked about first: a link that answers is kept", async () => {
    const { client } = await connected();
    await world.sleep(3_600_000);
    await world.pass(1_000);
    expect(client.link.state).toBe("open");
    expect(client.counters.reconnects).toBe(0);
  });

  it("after sleep is not waited out for long when the link is dead", async () => {
    const { client } = await connected();
    server.lines.clear();
    world.socketEnd.onFrame = () => undefined;
    await world.sleep(3_600_000);
    await world.pass(12_000);
    expect(client.counters.reconnects).toBe(1);
  });
});

describe("the page's life", () => {
  it("offline drops at once and online connects at once", async () => {
    const { client } = await connected();
    await world.signal("offline");
    expect(client.link.state).toBe("offline");
    expect(world.held.sockets).toBe(0);
    await world.signal("online");
    expect(client.link.state).toBe("open");
  });

  it("hidden slows at once, lets go after five minutes, makes no try, and shown is back at once", async () => {
    const { client } = await connected();
    await world.signal("hidden");
    expect(client.pace.effective).toEqual({ type: "paced", interval: 30_000, paused: false, reason: "hidden" });
    for (let passed = 20; passed < 300; passed += 20) {
      await world.pass(20_000);
      world.socketEnd.send({ type: "heartbeat", time: 0 });
    }
    expect(world.held.sockets).toBe(1);
    await world.pass(20_000);
    expect(client.link.state).toBe("hidden");
    const tries = world.sockets.length;
    await world.pass(3_600_000);
    expect(world.sockets.length).toBe(tries);
    await world.signal("shown");
    expect(client.link.state).toBe("open");
    expect(client.pace.effective.interval).toBe(0);
  });

  it("put away closes the connection, so that the browser may keep the page; taken out again is back at once", async () => {
    const { client } = await connected();
    await world.signal("leave");
    expect(world.held.sockets).toBe(0);
    await world.signal("shown");
    expect(client.link.state).toBe("open");
  });
});

describe("the pace", () => {
  it("is what the person chose", async () => {
    const { client } = await connected({ pace: 5_000 });
    expect(client.pace).toMatchObject({ chosen: 5_000, effective: { interval: 5_000, reason: "chosen" } });
    client.setPace("paused");
    await world.pass(0);
    expect(client.link.state).toBe("paused");
    expect(client.pace.effective.paused).toBe(true);
    expect(freshnessOf(client, world.time).level).toBe("paused");
  });

  it("says how many changes wait while it is paused", async () => {
    const { client } = await connected({ pace: "paused" });
    world.socketEnd.send({ type: "tick", time: 0, waiting: 128 });
    expect(freshnessOf(client, world.time)).toMatchObject({ level: "paused", waiting: 128 });
    client.setPace(0);
    expect(client.pace.waiting).toBe(0);
  });

  it("tells what waited while it was paused as missed, and what comes then as news", async () => {
    const { client, changes } = await connected({ pace: "paused" });
    client.setPace(0);
    for (const sku of ["B", "C"]) {
      server.write(sku, 2);
      server.publish();
      await world.pass(10);
    }
    expect(changes.slice(-2)).toMatchObject([
      { kind: "delta", resumed: true },
      { kind: "delta", resumed: false },
    ]);
  });

  it("is slower for the reason that asks for the slowest, until the reason is gone", async () => {
    const { client } = await connected();
    client.slow("metered", 5_000);
    client.slow("battery", 10_000);
    await world.pass(0);
    expect(client.pace.effective).toMatchObject({ interval: 10_000, reason: "battery" });
    client.slow("battery", 0);
    await world.pass(0);
    expect(client.pace.effective).toMatchObject({ interval: 5_000, reason: "metered" });
  });
});

describe("a refusal", () => {
  it("is final until somebody does something", async () => {
    const { client } = await connected();
    world.socketEnd.close(4500);
    expect(client.link).toMatchObject({ state: "refused", reason: "signed_out" });
    expect(freshnessOf(client, world.time).level).toBe("error");
    await world.pass(3_600_000);
    expect(world.held.sockets).toBe(0);
    client.retry();
    await world.pass(0);
    expect(client.link.state).toBe("open");
  });

  it("that asks to come back later is honoured", async () => {
    const { client } = await connected();
    world.socketEnd.send({ type: "bye", code: 4001, reason: "drain", reconnect_in: 1_500 });
    expect(client.link).toMatchObject({ state: "waiting", reason: "drain", nextTryAt: world.time + 1_500 });
    expect(world.held.sockets).toBe(0);
    await world.pass(1_600);
    expect(client.link.state).toBe("open");
  });

  it.each([0, 2])("is none of a server one version apart (%i), whatever else it says", async (protocol) => {
    const hello = server.hello();
    server.hello = () => ({ ...hello, protocol, news: "of a later version" });
    const { client, view } = await connected();
    world.socketEnd.send({ type: "fireworks", colours: 7 });
    expect(client.link.state).toBe("open");
    expect(skus(view)).toEqual(["A"]);
  });

  it("of a server more than a version apart is final", async () => {
    const hello = server.hello();
    server.hello = () => ({ ...hello, protocol: 3 });
    const { client } = await connected();
    expect(client.link).toMatchObject({ state: "refused", reason: "version" });
    expect(world.held.sockets).toBe(0);
  });

  it("of one view leaves the others alone", async () => {
    const { client, view } = await connected();
    const bad = ranked(client, { feed: "nothing" });
    await world.pass(0);
    world.socketEnd.send({ type: "error", code: "invalid", detail: "unknown feed", id: "nothing-2" });
    expect(bad.error).toMatchObject({ code: "invalid" });
    expect(view.error).toBeUndefined();
    expect(client.link.state).toBe("open");
  });
});
