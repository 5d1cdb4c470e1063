import { beforeEach, describe, expect, it } from "vitest";

import { createRealtimeService, type RealtimeService } from "../../src/services/realtime.service";
import { surplus, VIEWS_MOST, type Snapshot, type Snapshots } from "../../src/services/snapshots.service";
import { ModelServer } from "../realtime/model-server";
import { World } from "../realtime/world";

let world: World;
let server: ModelServer;
let kept: Map<string, Snapshot>;
let service: RealtimeService;

const cupboard: Snapshots = {
  load: (view) => Promise.resolve(kept.get(view)),
  save(view, snapshot) {
    kept.set(view, structuredClone(snapshot));
    return Promise.resolve();
  },
  wipe() {
    kept.clear();
    return Promise.resolve();
  },
};

function loadPage(): RealtimeService {
  return createRealtimeService(world, { search: "", replaceSearch: () => undefined }, undefined, cupboard);
}

beforeEach(() => {
  world = new World();
  server = new ModelServer();
  kept = new Map();
  server.write("A", 1);
  server.listenOnSockets(world);
  service = loadPage();
});

async function seenOnce(): Promise<void> {
  service.subscribe({ feed: "inventory" }, () => undefined);
  service.start();
  await world.pass(6_000);
  service.stop();
}

describe("the last content of a view", () => {
  it("is there when the page is loaded without a network, with its age", async () => {
    await seenOnce();
    await world.signal("offline");
    world.onSocket = (socket) => {
      socket.close(1006);
    };
    world.onRequest = (request) => void request.fail();
    const again = loadPage();
    const view = again.subscribe({ feed: "inventory" }, () => undefined);
    again.start();
    await world.pass(60_000);
    expect(view.rows).toMatchObject([{ sku: "A", on_hand: 1 }]);
    expect(again.freshness.level).not.toBe("live");
    expect(again.freshness.ageMs).toBeGreaterThanOrEqual(60_000);
  });

  it("is continued by what changed since, and not fetched again", async () => {
    await seenOnce();
    server.write("B", 2);
    const again = loadPage();
    const changes: string[] = [];
    const view = again.subscribe({ feed: "inventory" }, ({ kind }) => changes.push(kind));
    await world.pass(0);
    again.start();
    await world.pass(1_000);
    expect(view.rows).toEqual(server.rows());
    expect(changes).toEqual(["whole", "delta"]);
  });

  it("is wiped when the person signs out, and when the server says so", async () => {
    await seenOnce();
    expect(kept.size).toBe(1);
    service.start();
    await world.pass(1_000);
    world.socketEnd.close(4500);
    await world.pass(100);
    expect(kept.size).toBe(0);
  });

  it("is not put aside again by what was on the screen when the person signed out", async () => {
    world.onRequest = (request) => void request.answer(200, {});
    const view = service.subscribe({ feed: "inventory" }, () => undefined);
    service.start();
    await world.pass(6_000);
    server.write("A", 2);
    server.publish();
    await world.pass(100);
    const leaving = service.signOut();
    await world.pass(100);
    await leaving;
    await world.pass(6_000);
    view.stop();
    await world.pass(6_000);
    expect(kept.size).toBe(0);
    service.start();
    const again = service.subscribe({ feed: "inventory" }, () => undefined);
    server.write("A", 3);
    await world.pass(6_000);
    again.stop();
    expect(kept.size).toBe(1);
  });

  it("gives way to newer ones when there are too many, or they are too large", () => {
    const views = Array.from({ length: VIEWS_MOST + 2 }, (_, at) => ({ view: `v${at}`, at, size: 10 }));
    expect(surplus(views)).toEqual(["v1", "v0"]);
    expect(surplus([...views.slice(0, 2), { view: "big", at: 9, size: 4_999_995 }])).toEqual(["v1", "v0"]);
  });
});
