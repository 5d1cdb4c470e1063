// The event stream against a real server over real HTTP, case by case as the test-suite of the npm package `eventsource`
// has them (its 38 titles are the list; the cases are our own). What is about the shape of the browser's EventSource
// object and not about the stream does not apply; docs/reference/connection.md names these, with the reason.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { nodeEnvironment } from "../../realtime-package/node";
import { createClient, type Client, type ClientOptions, type Subscription } from "../../src/realtime/client";
import { eventParser, sse, type StreamEvent } from "../../src/realtime/transports/sse";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const HELLO = { type: "hello", protocol: 1, epoch: "00000000000000aa", version: 7, time: 0, heartbeat: 20 };
const NAMED = { type: "subscribed", id: "inventory-1", view: "view0001", feed: "inventory", key: ["sku"] };
const CURSOR = "v1.00000000000000aa.0000000000000007.view0001";

const whole = (...skus: string[]): object => ({
  type: "snapshot",
  view: "view0001",
  at: 7,
  part: 0,
  rows: skus.map((sku) => ({ sku, version: 1 })),
});

/** Frames as events, each under the name that `named` gives. */
const events = (frames: readonly object[], named = (type: string): string => `event: ${type}\n`): string =>
  frames.map((frame) => `${named((frame as { type: string }).type)}data: ${JSON.stringify(frame)}\n\n`).join("");

const begin = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "text/event-stream" });
};

/** Answers with a stream that stays open. */
const streaming =
  (text: string): Answer =>
  (_, response) => {
    begin(response);
    response.write(text);
  };

/** Answers each request in its turn; the last answer is for all that follow. */
const inTurn = (...answers: readonly Answer[]): Answer => {
  let turn = 0;
  return (request, response) => {
    answers[Math.min(turn++, answers.length - 1)]?.(request, response);
  };
};

/** A server, and what it was asked. */
class Place {
  answer: Answer = streaming(events([HELLO, NAMED, whole("A")]));
  readonly asked: IncomingMessage[] = [];
  readonly #server: Server = createServer((request, response) => {
    this.asked.push(request);
    this.answer(request, response);
  });

  async open(): Promise<void> {
    await new Promise<void>((opened) => this.#server.listen(0, "127.0.0.1", opened));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  views(request: number): { cursor?: string }[] {
    const { searchParams } = new URL(this.asked[request]?.url ?? "", this.url);
    return JSON.parse(searchParams.get("views") ?? "[]") as { cursor?: string }[];
  }
}

let place: Place;
let other: Place;
let client: Client;
let stock: Subscription;
/** Timers that are set. */
let timers: Set<object>;

beforeEach(async () => {
  place = new Place();
  other = new Place();
  await place.open();
  await other.open();
});

afterEach(async () => {
  client.stop();
  await place.close();
  await other.close();
});

/** A client of the place, started. Its waits are as short as chance allows. */
function start(options: Partial<ClientOptions> = {}, fetched?: typeof fetch): void {
  timers = new Set();
  const node = nodeEnvironment(place.url);
  client = createClient({
    environment: {
      ...node,
      random: () => 0,
      timer(ms, run) {
        const mine = {};
        timers.add(mine);
        const callOff = node.timer(ms, () => {
          timers.delete(mine);
          run();
        });
        return () => {
          timers.delete(mine);
          callOff();
        };
      },
      ...(fetched ? { fetch: (url, init) => fetched(url, init) } : {}),
    },
    transports: [sse],
    ...options,
  });
  stock = client.subscribe({ feed: "inventory" }, () => undefined);
  client.start();
}

/** Waits until something holds, which is asked whenever the client has news. */
async function until(holds: () => boolean): Promise<void> {
  await new Promise<void>((done) => {
    const look = (): void => {
      if (!holds()) return;
      unlisten();
      done();
    };
    const unlisten = client.listen(look);
    look();
  });
}

const skus = (): string[] => [...stock.rows.keys()];
const has = (...wanted: string[]): Promise<void> => until(() => skus().join() === wanted.join());

describe("an event stream", () => {
  it("connects, brings rows, and is let go of", async () => {
    start();
    await has("A");
    const gone = new Promise((closed) => place.asked[0]?.on("close", closed));
    client.stop();
    await gone;
  });

  it("is found by the server's address as a text", async () => {
    start({ server: other.url });
    await has("A");
    expect([place.asked.length, other.asked.length]).toEqual([0, 1]);
  });

  it("is asked for past every cache", async () => {
    const inits: (RequestInit | undefined)[] = [];
    start({}, (url, init) => {
      inits.push(init);
      return fetch(url, init);
    });
    await has("A");
    expect(inits).toMatchObject([{ cache: "no-store" }]);
  });

  it("brings text of any script whole, wherever its bytes are cut", async () => {
    const names = ["ÄÖÜ ß", "東京 🗼 مرحبا", "👩‍👩‍👧‍👦"];
    const bytes = Buffer.from(events([HELLO, NAMED, whole(...names)]));
    place.answer = (_, response) => {
      begin(response);
      for (const byte of bytes) response.write(Buffer.of(byte));
    };
    start();
    await has(...names);
  });

  it.each([
    ["of the frame's type", (type: string) => `event: ${type}\n`],
    ["`message`", () => "event: message\n"],
    ["none", () => ""],
    ["of another kind", () => "event: counter\n"],
  ])("brings a frame under a name %s, because a frame says itself what it is", async (_, named) => {
    place.answer = streaming(events([HELLO, NAMED, whole("A")], named));
    start();
    await has("A");
  });

  it("goes on from the cursor that is held when the server ends it", async () => {
    place.answer = inTurn(
      (_, response) => {
        begin(response);
        response.end(events([HELLO, NAMED, whole("A")]));
      },
      streaming(
        events([HELLO, NAMED, { type: "delta", view: "view0001", from: 7, to: 8, upsert: [{ sku: "B", version: 8 }] }]),
      ),
    );
    start();
    await has("A", "B");
    expect(place.views(0)[0]?.cursor).toBeUndefined();
    expect(place.views(1)[0]?.cursor).toBe(CURSOR);
    expect(client.counters).toMatchObject({ reconnects: 1, faults: 0 });
  });

  it("is not opened again after it was closed on purpose", async () => {
    start();
    await has("A");
    client.stop();
    expect(client.link.state).toBe("closed");
    expect(timers.size).toBe(0);
  });

  it("is not opened again when it is closed by who hears of its loss", async () => {
    place.answer = (_, response) => {
      begin(response);
      response.end(events([HELLO]));
    };
    start();
    client.listen(() => {
      if (client.link.lostAt !== undefined) client.stop();
    });
    await until(() => client.link.state === "closed");
    expect(timers.size).toBe(0);
    expect(place.asked.length).toBe(1);
  });

  it("says in which state it is, from the first try to the end", async () => {
    const states: string[] = [];
    place.answer = inTurn(
      (_, response) => {
        begin(response);
        response.end(events([HELLO]));
      },
      streaming(events([HELLO, NAMED, whole("A")])),
    );
    start();
    states.push(client.link.state);
    client.listen(() => states.push(client.link.state));
    await has("A");
    client.stop();
    const order = states.filter((state, index) => state !== states[index - 1]);
    expect(order).toEqual(["connecting", "open", "waiting", "reconnecting", "open", "closed"]);
  });

  it("tells who listens, and nobody who does no longer", async () => {
    const heard: string[] = [];
    start();
    const unlisten = client.listen(() => heard.push("first"));
    await has("A");
    unlisten();
    client.listen(() => heard.push("second"));
    client.stop();
    expect(heard.slice(0, 1)).toEqual(["first"]);
    expect(heard.slice(heard.indexOf("second"))).not.toContain("first");
  });

  it("may come from another origin", async () => {
    start({ server: other.url, headers: { authorization: "Bearer mine" } });
    await has("A");
    expect(other.asked[0]?.headers.authorization).toBe("Bearer mine");
  });

  it.each([301, 302, 307, 308])("follows a redirect (%i) on its origin, with its headers", async (status) => {
    const stream = place.answer;
    place.answer = inTurn((request, response) => {
      response.writeHead(status, { location: `${request.url ?? ""}&moved=1` }).end();
    }, stream);
    start({ headers: { authorization: "Bearer mine" } });
    await has("A");
    expect(place.asked[1]?.url).toContain("&moved=1");
    expect(place.asked[1]?.headers.authorization).toBe("Bearer mine");
  });

  it.each([301, 302, 307, 308])("follows a redirect (%i) to another origin, without its key", async (status) => {
    place.answer = (request, response) => {
      response.writeHead(status, { location: other.url + (request.url ?? "") }).end();
    };
    start({ headers: { authorization: "Bearer mine" } });
    await has("A");
    expect(other.asked[0]?.headers.authorization).toBeUndefined();
  });

  it.each([
    ["has no content (204)", (): Promise<Response> => Promise.resolve(new Response(null, { status: 204 }))],
    ["is no stream", () => Promise.resolve({ ok: true, body: "no stream" } as unknown as Response)],
    ["has no body", () => Promise.resolve({ ok: true, body: null } as unknown as Response)],
    ["never comes", () => Promise.reject(new TypeError("fetch failed"))],
  ])("whose answer %s is a try that failed, and is tried again", async (_, fetched) => {
    let turn = 0;
    start({}, (url, init) => (turn++ === 0 ? fetched() : fetch(url, init)));
    await until(() => client.link.state === "waiting");
    expect(client.link.reason).toBe("unreachable");
    await has("A");
  });

  it("that the server cannot give now (500) is tried again, and the reason is told", async () => {
    const stream = place.answer;
    place.answer = inTurn((_, response) => {
      response.writeHead(500).end();
    }, stream);
    start();
    await until(() => client.link.state === "waiting");
    expect(client.link.reason).toBe("refused");
    await has("A");
  });
});

it("an event has its name, its data and the last id", () => {
  const seen: StreamEvent[] = [];
  eventParser((event) => seen.push(event))("id: 1\nevent: counter\ndata: at 1\n\ndata: at 2\n\n");
  expect(seen).toEqual([
    { type: "counter", data: "at 1", id: "1" },
    { type: "message", data: "at 2", id: "1" },
  ]);
});
