import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";

import { createClient, type Client } from "../../src/realtime/client";
import { ranked, type RankedSubscription } from "../../src/realtime/order";
import { eventParser, sse, type StreamEvent } from "../../src/realtime/transports/sse";
import { poll } from "../../src/realtime/transports/poll";
import { websocket } from "../../src/realtime/transports/websocket";
import type { Transport } from "../../src/realtime/transports/channel";
import { ModelServer } from "./model-server";
import { settle, World } from "./world";

let world: World;
let server: ModelServer;

beforeEach(() => {
  world = new World();
  server = new ModelServer();
  // Silence is another file's matter.
  server.heartbeat = 36_000;
  server.write("A", 1);
});

async function started(transports?: readonly Transport[]): Promise<{ client: Client; view: RankedSubscription }> {
  const client = createClient({ environment: world, ...(transports ? { transports } : {}) });
  const view = ranked(client, { feed: "inventory" });
  client.start();
  await world.pass(300);
  return { client, view };
}

function up(): void {
  server.listenOnSockets(world);
  server.listenOnRequests(world);
}

describe.each([websocket, sse, poll])("over $name", (transport) => {
  it("rows come, change and leave", async () => {
    up();
    const { client, view } = await started([transport]);
    expect(client.link.transport).toBe(transport.name);
    expect(view.rows).toEqual(server.rows());
    server.write("B", 2);
    server.write("A", null);
    server.publish();
    await world.pass(1_000);
    expect(view.rows).toEqual(server.rows());
    expect(client.counters.faults).toBe(0);
  });

  it("another view is added without losing the first", async () => {
    up();
    const { client, view } = await started([transport]);
    const other = ranked(client, { feed: "metrics" });
    server.write("B", 2);
    await world.pass(1_000);
    expect(other.loaded).toBe(true);
    server.publish();
    await world.pass(1_000);
    expect(view.rows).toEqual(server.rows());
    expect(other.rows).toEqual(server.rows());
    expect(client.counters).toMatchObject({ faults: 0, resets: {}, reconnects: 0 });
  });

  it("a delta that does not fit is healed by the whole content", async () => {
    up();
    const { client, view } = await started([transport]);
    for (const line of server.lines) {
      for (const name of line.views.keys()) line.say({ type: "delta", view: name, from: 77, to: 78, upsert: [] });
    }
    await world.pass(1_000);
    expect(client.counters.faults).toBe(1);
    server.write("B", 2);
    server.publish();
    await world.pass(1_000);
    expect(view.rows).toEqual(server.rows());
  });

  it("a server that is not there is tried again", async () => {
    world.onSocket = (socket) => {
      socket.close(1006);
    };
    world.onRequest = (request) => void request.fail();
    const { client, view } = await started([transport]);
    expect(client.link.state).toBe("waiting");
    up();
    await world.pass(60_000);
    expect(client.link.state).toBe("open");
    expect(view.rows).toEqual(server.rows());
  });

  it("nothing is left after stop", async () => {
    up();
    const { client } = await started([transport]);
    client.stop();
    await world.pass(0);
    expect(world.held).toEqual({ timers: 0, listeners: 0, sockets: 0, requests: 0 });
  });
});

describe("finding a way", () => {
  it("falls back to a stream when sockets do not pass, and takes what both would have brought once", async () => {
    server.listenOnRequests(world);
    const { client, view } = await started();
    expect(client.link.state).toBe("connecting");
    await world.pass(4_500);
    expect(client.link).toMatchObject({ state: "open", transport: "sse" });
    expect(view.rows).toEqual(server.rows());
    expect(world.held.sockets).toBe(0);
  });

  it("falls back at once when a socket is refused", async () => {
    world.onSocket = (socket) => {
      socket.close(1006);
    };
    server.listenOnRequests(world);
    const { client } = await started();
    expect(client.link.transport).toBe("sse");
  });

  it("falls back to polling when streams are held back", async () => {
    world.onSocket = (socket) => {
      socket.close(1006);
    };
    const answer = new ModelServer();
    answer.heartbeat = 36_000;
    answer.write("A", 1);
    answer.listenOnRequests(world);
    const serve = world.onRequest;
    world.onRequest = (request) => {
      if (request.url.pathname.endsWith("/poll")) serve(request);
    };
    const { client, view } = await started();
    await world.pass(4_000);
    expect(client.link.transport).toBe("poll");
    expect(view.rows).toEqual(answer.rows());
    expect(world.held.requests).toBeLessThanOrEqual(1);
  });

  it("remembers for ten minutes what worked, then tries the better way beside it and changes without a gap", async () => {
    world.onSocket = (socket) => {
      socket.close(1006);
    };
    server.listenOnRequests(world);
    const { client, view } = await started();
    expect(world.memory.get("stockwire.transport")).toMatch(/^sse /);
    const tries = world.sockets.length;
    server.listenOnSockets(world);
    await world.pass(500_000);
    expect(world.sockets.length).toBe(tries);
    server.write("B", 2);
    server.publish();
    await world.pass(120_000);
    expect(client.link.transport).toBe("websocket");
    expect(view.rows).toEqual(server.rows());
    expect(client.counters).toMatchObject({ faults: 0, resets: {} });
    expect(world.held).toMatchObject({ sockets: 1, requests: 0 });
  });

  it("finds back from polling to streams, where only sockets do not pass", async () => {
    world.onSocket = (socket) => {
      socket.close(1006);
    };
    server.listenOnRequests(world);
    const { client, view } = await started([poll]);
    client.stop();
    world.memory.set("stockwire.transport", `poll ${world.time + 600_000}`);
    const later = createClient({ environment: world });
    const rows = ranked(later, { feed: "inventory" });
    later.start();
    await world.pass(1_000);
    expect(later.link.transport).toBe("poll");
    await world.pass(600_000);
    expect(later.link.transport).toBe("sse");
    server.write("B", 2);
    server.publish();
    await settle();
    expect(rows.rows).toEqual(server.rows());
    expect(view.rows).not.toEqual(server.rows());
    expect(later.counters).toMatchObject({ faults: 0, resets: {} });
    expect(world.held.requests).toBe(1);
  });

  it("forgets after ten minutes what worked, and begins with the best again", async () => {
    up();
    world.memory.set("stockwire.transport", `poll ${world.time + 600_000}`);
    await world.pass(600_001);
    const { client } = await started();
    expect(client.link.transport).toBe("websocket");
  });

  it("stays with streams that a proxy cuts every minute, and misses nothing", async () => {
    server.heartbeat = 20;
    server.listenOnRequests(world);
    const serve = world.onRequest;
    world.onRequest = (request) => {
      serve(request);
      world.timer(60_000, () => void request.fail());
    };
    const { client, view } = await started([sse, poll]);
    for (let beat = 1; beat <= 30; beat++) {
      await world.pass(20_000);
      for (const line of server.lines) line.say({ type: "heartbeat", time: 0 });
      server.write("B", beat);
      server.publish();
      await world.pass(1_000);
    }
    await world.pass(2_000);
    expect(client.link).toMatchObject({ state: "open", transport: "sse" });
    expect(client.counters.reconnects).toBeGreaterThan(5);
    expect(client.counters).toMatchObject({ faults: 0, resets: {} });
    expect(view.rows).toEqual(server.rows());
  });

  it("leaves streams alone that end within a second again and again", async () => {
    world.onSocket = (socket) => {
      socket.close(1006);
    };
    server.listenOnRequests(world);
    const serve = world.onRequest;
    world.onRequest = (request) => {
      serve(request);
      if (request.url.pathname.endsWith("/stream")) world.timer(100, () => void request.fail());
    };
    const { client } = await started();
    await world.pass(60_000);
    expect(client.link).toMatchObject({ state: "open", transport: "poll" });
  });

  it("leaves streams that a proxy cuts after five seconds of silence", async () => {
    world.onSocket = (socket) => {
      socket.close(1006);
    };
    server.listenOnRequests(world);
    const serve = world.onRequest;
    world.onRequest = (request) => {
      serve(request);
      world.timer(5_000, () => void request.fail());
    };
    const { client } = await started();
    await world.pass(60_000);
    expect(client.link).toMatchObject({ state: "open", transport: "poll" });
  });

  it("leaves sockets too that a proxy ends before a heartbeat, and stays with what it lets through", async () => {
    server.listenOnSockets(world);
    const listen = world.onSocket;
    world.onSocket = (socket) => {
      listen(socket);
      world.timer(5_000, () => {
        socket.close(1006);
      });
    };
    server.listenOnRequests(world);
    const serve = world.onRequest;
    world.onRequest = (request) => {
      serve(request);
      world.timer(5_000, () => void request.fail());
    };
    server.heartbeat = 20;
    const { client } = await started();
    await world.pass(90_000);
    expect(client.link).toMatchObject({ state: "open", transport: "poll" });
    const { reconnects } = client.counters;
    await world.pass(300_000);
    expect(client.link).toMatchObject({ state: "open", transport: "poll" });
    expect(client.counters.reconnects).toBe(reconnects);
  });

  it("comes back to sockets that end early when nothing else passes", async () => {
    server.listenOnSockets(world);
    const { client } = await started();
    for (let turn = 0; turn < 3; turn++) {
      world.socketEnd.close(1006);
      await world.pass(2_000);
    }
    await world.pass(40_000);
    expect(client.link).toMatchObject({ state: "open", transport: "websocket" });
  });

  it("asks with less patience where a proxy has less, and stays linked", async () => {
    const waits: number[] = [];
    server.listenOnRequests(world);
    const serve = world.onRequest;
    world.onRequest = (request) => {
      const wait = Number(request.wants["wait"]);
      if (wait > 0) waits.push(wait);
      if (wait > 5) world.timer(5_000, () => void request.answer(504, {}));
      else serve(request);
    };
    server.heartbeat = 20;
    const { client } = await started([poll]);
    await world.pass(20_000);
    expect(waits.slice(0, 2)).toEqual([20, 2]);
    expect(client.link.state).toBe("open");
    expect(client.counters.reconnects).toBe(0);
  });

  it("ends with the server's refusal, and asks nobody else", async () => {
    world.onSocket = (socket) => {
      socket.close(1006);
    };
    world.onRequest = (request) => void request.answer(401, { code: "signed_out" });
    const { client } = await started();
    expect(client.link).toMatchObject({ state: "refused", reason: "signed_out" });
    expect(world.requests.length).toBe(1);
  });

  it("comes back when an overloaded server said so", async () => {
    world.onRequest = (request) => void request.answer(503, {}, { "retry-after": "7" });
    const { client } = await started([sse]);
    expect(client.link.state).toBe("waiting");
    expect((client.link.nextTryAt ?? 0) - world.time).toBeGreaterThan(6_000);
  });

  it("comes back when its request did not reach the server whole in time", async () => {
    world.onRequest = (request) => void request.answer(408, { code: "too_slow" });
    const { client } = await started([sse]);
    expect(client.link.state).toBe("waiting");
  });
});

describe("a request", () => {
  it("carries the views in the query, and in a body when the address would be too long", async () => {
    up();
    const { client } = await started([sse]);
    expect(world.request.init.method).toBeUndefined();
    expect(world.request.wants["views"]).toMatchObject([{ id: "inventory-1", feed: "inventory" }]);
    for (let view = 0; view < 60; view++)
      ranked(client, { feed: "metrics", filter: { metric: `m${view}`.repeat(20) } });
    await world.pass(10);
    expect(world.request.init.method).toBe("POST");
    expect(world.request.url.href.length).toBeLessThan(200);
    expect(world.request.wants["views"]).toHaveLength(61);
  });

  it("that is refused for one view goes on without it", async () => {
    server.listenOnRequests(world);
    const serve = world.onRequest;
    world.onRequest = (request) => {
      const bad = (request.wants["views"] as { id: string; feed: string }[]).find(({ feed }) => feed === "nothing");
      if (bad) void request.answer(400, { code: "invalid", title: "Invalid", problems: [{ path: bad.id }] });
      else serve(request);
    };
    const { client, view } = await started([sse]);
    const bad = ranked(client, { feed: "nothing" });
    await world.pass(1_000);
    expect(bad.error).toMatchObject({ code: "invalid" });
    server.write("B", 2);
    server.publish();
    await settle();
    expect(view.rows).toEqual(server.rows());
    expect(client.link.state).toBe("open");
  });

  it("is made once for all that changed in one turn of the page", async () => {
    up();
    const { client } = await started([sse]);
    const before = world.requests.length;
    ranked(client, { feed: "orders" });
    ranked(client, { feed: "metrics" });
    client.setPace(5_000);
    await world.pass(10);
    expect(world.requests.length).toBe(before + 1);
    expect(world.request.wants["interval"]).toBe("5000");
  });
});

describe("a stream's text", () => {
  const parse = (...pieces: string[]): StreamEvent[] => {
    const events: StreamEvent[] = [];
    const feed = eventParser((event) => events.push(event));
    pieces.forEach(feed);
    return events;
  };

  it.each([
    ["data: a\n\n", [{ type: "message", data: "a", id: "" }]],
    ["event: tick\ndata: a\ndata: b\nid: 7\n\n", [{ type: "tick", data: "a\nb", id: "7" }]],
    ["data:a\r\n\r\n", [{ type: "message", data: "a", id: "" }]],
    [": note\nretry: 1000\n\nevent: x\n\n", []],
    [
      "data: a\r\rdata:  b\r\r\n",
      [
        { type: "message", data: "a", id: "" },
        { type: "message", data: " b", id: "" },
      ],
    ],
    ["data\n\n", [{ type: "message", data: "", id: "" }]],
    ["data: cut", []],
  ])("%j is %j", (text, events) => {
    expect(parse(text)).toEqual(events);
  });

  it("means the same however it is cut", () => {
    const text = "event: tick\r\ndata: {}\r\ndata: é\r\n\r\nid: 4\rdata: b\r\r: c\n\ndata: last\n\n";
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        expect(parse(...at.slice(1).map((end, index) => text.slice(at[index], end)))).toEqual(parse(text));
      }),
    );
  });
});
