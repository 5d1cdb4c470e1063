import { flushSync } from "svelte";
import { beforeEach, describe, expect, it, vi } from "vitest";

import type { ViewChange } from "../../src/realtime";
import { createRealtimeService, type RealtimeService } from "../../src/services/realtime.service";
import { createView, type View, type ViewOptions } from "../../src/stores/view.store";
import type { InventoryRow } from "../../src/stores/rows";
import { ModelServer } from "../realtime/model-server";
import { World } from "../realtime/world";

let world: World;
let server: ModelServer;
let service: RealtimeService;

beforeEach(async () => {
  world = new World();
  server = new ModelServer();
  server.heartbeat = 36_000;
  server.write("A", 1);
  server.listenOnSockets(world);
  service = createRealtimeService(world, { search: "", replaceSearch: () => undefined });
  service.start();
  await world.pass(10);
});

const makeView = (options: Partial<ViewOptions> = {}): View<InventoryRow> =>
  createView<InventoryRow>({ feed: "inventory", ...options }, service);

/** Reads as a component does; gives what was painted so far, and what unmounts it. */
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
  for (let passed = 0; passed < ms; passed += 50) {
    await world.pass(50);
    flushSync();
  }
}

const held = (): number => [...server.lines].reduce((sum, line) => sum + line.views.size, 0);

describe("a view", () => {
  it("is subscribed while somebody reads it and let go of after the last", async () => {
    const view = makeView();
    expect(held()).toBe(0);
    const one = mount(() => view.rows);
    const two = mount(() => view.loaded);
    await pass(50);
    expect(held()).toBe(1);
    await one.unmount();
    expect(held()).toBe(1);
    await two.unmount();
    expect(held()).toBe(0);
    service.stop();
    await world.pass(0);
    expect(world.held).toEqual({ timers: 0, listeners: 0, sockets: 0, requests: 0 });
  });

  it("is not loaded before its content is there, and has the rows in order then", async () => {
    server.write("B", 9);
    const view = makeView({ order: ["-on_hand"] });
    const { painted } = mount(() => [view.loaded, view.rows.map(({ sku }) => sku)]);
    await pass(100);
    expect(painted[0]).toEqual([false, []]);
    expect(painted.at(-1)).toEqual([true, ["B", "A"]]);
  });

  it("is painted at most four times a second, with the newest values", async () => {
    const view = makeView();
    const { painted } = mount(() => view.byKey("A")?.on_hand);
    await pass(500);
    const before = painted.length;
    for (let turn = 0; turn < 100; turn++) {
      server.write("A", turn);
      server.publish();
      await world.pass(10);
      flushSync();
    }
    expect(painted.length - before).toBeLessThanOrEqual(4);
    await pass(300);
    expect(painted.at(-1)).toBe(99);
  });

  it("is painted at most once a second as a headline", async () => {
    const view = makeView({ rate: "headline" });
    const { painted } = mount(() => view.byKey("A")?.on_hand);
    await pass(2_000);
    const before = painted.length;
    for (let turn = 0; turn < 30; turn++) {
      server.write("A", turn);
      server.publish();
      await pass(100);
    }
    expect(painted.length - before).toBeLessThanOrEqual(4);
  });

  it("tells when what it paints was recorded, of changes alone and once they are painted", async () => {
    const recorded = "2026-03-25T12:00:00Z";
    const dated = (change: ViewChange): ViewChange =>
      change.kind === "delta"
        ? {
            ...change,
            changes: change.changes.map((each) =>
              each.row ? { ...each, row: { ...each.row, updated_at: recorded } } : each,
            ),
          }
        : change;
    const subscribe = service.subscribe.bind(service);
    vi.spyOn(service, "subscribe").mockImplementation((view, changed) =>
      subscribe(view, (change) => changed(dated(change))),
    );
    const painted = vi.spyOn(service, "painted");
    const view = makeView();
    mount(() => view.rows);
    await pass(500);
    expect(painted).not.toHaveBeenCalled();
    server.write("A", 2);
    server.publish();
    await pass(500);
    expect(painted.mock.calls).toEqual([[Date.parse(recorded)]]);
  });

  it("keeps the same array of rows until something in it changed", async () => {
    const view = makeView();
    mount(() => view.rows);
    await pass(500);
    const rows = view.rows;
    for (const line of server.lines) line.say({ type: "tick", to: server.version, time: 0 });
    await pass(500);
    expect(view.rows).toBe(rows);
    server.write("B", 1);
    server.publish();
    await pass(500);
    expect(view.rows).not.toBe(rows);
  });

  it("shows the server's refusal", async () => {
    const view = createView<InventoryRow>({ feed: "inventory", filter: { nothing: 1 } }, service);
    const { painted } = mount(() => view.error?.code);
    await pass(100);
    world.socketEnd.send({ type: "error", code: "invalid", id: "inventory-1" });
    await pass(300);
    expect(painted.at(-1)).toBe("invalid");
  });
});

describe("what changed just now", () => {
  it("is nothing on first load", async () => {
    const view = makeView();
    mount(() => view.rows);
    await pass(500);
    expect(view.change("A")).toBeUndefined();
  });

  it("is which fields rose or fell, until it is no longer news", async () => {
    const view = makeView();
    const { painted } = mount(() => view.change("A")?.fields);
    await pass(500);
    server.write("A", 5);
    server.publish();
    await pass(300);
    expect(painted.at(-1)).toEqual({ on_hand: "up" });
    expect(view.changedAt("A", "on_hand")).toBeGreaterThan(0);
    expect(view.changedAt("A", "sku")).toBeUndefined();
    await pass(2_500);
    expect(painted.at(-1)).toBeUndefined();
  });

  it("is nothing after having been away", async () => {
    const view = makeView();
    mount(() => view.rows);
    await pass(500);
    await world.signal("offline");
    server.lines.clear();
    server.write("A", 7);
    await world.signal("online");
    await pass(500);
    expect(view.byKey(["A"])?.on_hand).toBe(7);
    expect(view.change("A")).toBeUndefined();
  });

  it("is nothing after a reset", async () => {
    const view = makeView();
    mount(() => view.rows);
    await pass(500);
    server.restore();
    server.write("A", 8);
    server.lines.clear();
    world.socketEnd.close(1006);
    await pass(3_000);
    expect(view.byKey("A")?.on_hand).toBe(8);
    expect(view.change("A")).toBeUndefined();
  });
});

describe("an update of a view", () => {
  it("in its order alone asks the server nothing and shows at once", async () => {
    server.write("B", 9);
    const view = makeView();
    const { painted } = mount(() => view.rows.map(({ sku }) => sku));
    await pass(500);
    const said: unknown[] = [];
    const hear = world.socketEnd.onFrame;
    world.socketEnd.onFrame = (frame) => {
      said.push(frame);
      hear(frame);
    };
    view.update({ order: ["-on_hand"] });
    flushSync();
    expect(painted.at(-1)).toEqual(["B", "A"]);
    expect(said).toEqual([]);
  });

  it("that asks for what is asked for already is none: what changed just now is still news", async () => {
    const view = makeView();
    mount(() => view.rows);
    view.update({ order: ["sku"] });
    await pass(500);
    server.write("A", 9);
    server.publish();
    await pass(300);
    const news = view.change("A");
    expect(news).toBeDefined();
    view.update({ order: ["sku"] });
    expect(view.change("A")).toBe(news);
    view.update({ order: ["-sku"] });
    expect(view.change("A")).toBeUndefined();
  });

  it("keeps what is shown until the new content is there", async () => {
    const view = makeView();
    const { painted } = mount(() => [view.rows.length, view.pending]);
    await pass(500);
    const hear = world.socketEnd.onFrame;
    world.socketEnd.onFrame = () => undefined;
    view.update({ filter: { sku: "Z" } });
    await pass(500);
    expect(painted.at(-1)).toEqual([1, true]);
    world.socketEnd.onFrame = hear;
    hear({ type: "subscribe", id: "inventory-2", feed: "inventory" });
    await pass(500);
    expect(painted.at(-1)).toEqual([1, false]);
  });
});

describe("a hundred thousand rows", () => {
  it("are one Map and one signal: a change of one touches the array once and no other row", async () => {
    for (let at = 0; at < 5_000; at++) server.write(`S${String(at).padStart(6, "0")}`, at);
    const view = makeView({ order: ["-on_hand"] });
    const { painted } = mount(() => view.rows);
    await pass(500);
    const before = painted.at(-1) ?? [];
    server.write("S000000", 99_999);
    server.publish();
    await pass(500);
    const after = painted.at(-1) ?? [];
    expect(after[0]?.sku).toBe("S000000");
    expect(after.filter((row) => !before.includes(row))).toHaveLength(1);
  });
});
