import { flushSync } from "svelte";
import { describe, expect, it } from "vitest";

import { createView } from "../../src/stores/view.store";
import { Realtime } from "../../src/stores/realtime.store";
import { createRealtimeService } from "../../src/services/realtime.service";
import { Past } from "../../src/services/past.service";
import { ranked } from "../../src/realtime/order";
import { World, type ServerRequest } from "../realtime/world";

const THEN = Date.parse("2026-03-02T14:00:00Z");
const NOTHING = { timers: 0, listeners: 0, sockets: 0, requests: 0 };
const LATER = THEN + 60_000;

/** The answer to a request: each of its views has one row, named after the moment. */
function answer(request: ServerRequest, version = 7): Promise<void> {
  const views = request.wants["views"] as { id: string; feed: string }[];
  const at = request.url.searchParams.get("at") ?? "";
  const frames = views.flatMap(({ id, feed }) => [
    { type: "subscribed", id, view: `${id}-view`, feed, key: ["sku"], order: [], interval: 0, reason: "chosen" },
    { type: "snapshot", view: `${id}-view`, at: version, part: 0, rows: [{ sku: "MUG", name: at, version: 1 }] },
  ]);
  const hello = { type: "hello", protocol: 1, epoch: "e", version, time: THEN, heartbeat: 20, sources: [] };
  return request.answer(200, { frames: [hello, ...frames] });
}

function lookBack(): { world: World; past: Past; told: () => number } {
  const world = new World();
  let told = 0;
  const past = new Past(world, THEN, () => (told += 1));
  return { world, past, told: () => told };
}

describe("looking back", () => {
  it("asks for all views at once and shows them as they were", async () => {
    const { world, past } = lookBack();
    const seen: string[] = [];
    const stock = ranked(past, { feed: "inventory" }, ({ kind }) => seen.push(kind));
    ranked(past, { feed: "orders" });
    await world.pass(0);
    expect(world.requests).toHaveLength(1);
    expect(past.settled).toBe(false);
    await answer(world.requests[0]!);
    expect(stock.rows).toMatchObject([{ name: "2026-03-02T14:00:00.000Z" }]);
    expect(seen).toContain("whole");
    expect([past.settled, past.version]).toEqual([true, 7]);
    past.stop();
    expect(world.held).toEqual(NOTHING);
  });

  it("keeps what is shown until the next moment is there", async () => {
    const { world, past } = lookBack();
    const stock = ranked(past, { feed: "inventory" });
    await world.pass(0);
    await answer(world.requests[0]!);
    past.go(LATER);
    await world.pass(0);
    expect(past.settled).toBe(false);
    expect(stock.rows).toMatchObject([{ name: "2026-03-02T14:00:00.000Z" }]);
    await answer(world.requests[1]!);
    expect(stock.rows).toMatchObject([{ name: "2026-03-02T14:01:00.000Z" }]);
    past.stop();
  });

  it("tells how far the server is, and asks again until it is there", async () => {
    const { world, past, told } = lookBack();
    ranked(past, { feed: "inventory" });
    await world.pass(0);
    await world.requests[0]!.answer(202, { done: 10, of: 40 });
    expect([past.folding, past.settled]).toEqual([{ done: 10, of: 40 }, false]);
    expect(told()).toBeGreaterThan(0);
    await world.pass(400);
    await answer(world.requests[1]!);
    expect([past.folding, past.settled]).toEqual([undefined, true]);
    past.stop();
  });

  it("tries again when the server did not answer", async () => {
    const { world, past } = lookBack();
    ranked(past, { feed: "inventory" });
    await world.pass(0);
    await world.requests[0]!.fail();
    expect(past.failed).toBe(true);
    await world.pass(2_000);
    await answer(world.requests[1]!);
    expect([past.failed, past.settled]).toEqual([false, true]);
    past.stop();
  });

  it("shows the other views when one is refused", async () => {
    const { world, past } = lookBack();
    const odd = ranked(past, { feed: "inventory", filter: { nothing: 1 } });
    const stock = ranked(past, { feed: "inventory" });
    await world.pass(0);
    const [first] = world.requests[0]!.wants["views"] as { id: string }[];
    const problem = { code: "invalid", title: "No", detail: "no such field", problems: [{ path: first!.id }] };
    await world.requests[0]!.answer(400, problem);
    expect(odd.error).toMatchObject({ detail: "no such field" });
    await world.pass(400);
    await answer(world.requests[1]!);
    expect([stock.loaded, odd.loaded]).toEqual([true, false]);
    past.stop();
  });
});

describe("a page that looks back", () => {
  it("shows the past in the views that are open, then again what is now", async () => {
    const world = new World();
    const service = createRealtimeService(world, { search: "", replaceSearch: () => undefined });
    const store = new Realtime(service);
    const view = createView({ feed: "inventory" }, service);
    const unmount = $effect.root(() => {
      $effect(() => {
        void [view.version, view.rows, store.past];
      });
    });
    flushSync();
    expect(store.past).toBeUndefined();
    service.lookBack(THEN);
    await world.pass(0);
    await answer(world.request);
    await world.pass(300);
    expect(view.rows).toMatchObject([{ name: "2026-03-02T14:00:00.000Z" }]);
    expect(store.past).toMatchObject({ at: THEN, settled: true });
    service.lookBack(undefined);
    expect(store.past).toBeUndefined();
    unmount();
    service.stop();
    await world.pass(60_000);
    expect(world.held).toEqual(NOTHING);
  });
});
