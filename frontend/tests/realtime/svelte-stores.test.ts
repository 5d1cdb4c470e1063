// The package's stores under Svelte's own reader of stores.

import { derived, get } from "svelte/store";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { freshness, rowsOf } from "../../realtime-package/svelte";
import { createClient, type Client } from "../../src/realtime/client";
import { ModelServer } from "./model-server";
import { World } from "./world";

let world: World;
let server: ModelServer;
let client: Client;

beforeEach(async () => {
  world = new World();
  server = new ModelServer();
  server.write("A", 1);
  server.listenOnSockets(world);
  client = createClient({ environment: world });
  client.start();
  await world.pass(100);
});

afterEach(() => {
  client.stop();
  vi.useRealTimers();
});

describe("a store of rows", () => {
  it("has the view's rows in order, and tells each change", async () => {
    const skus: string[] = [];
    const stop = derived(rowsOf(client, { feed: "inventory", order: ["sku"] }), (rows) =>
      rows.map(({ sku }) => sku as string).join(),
    ).subscribe((text) => skus.push(text));
    await world.pass(100);
    server.write("B", 2);
    server.publish();
    expect(skus.at(-1)).toBe("A,B");
    stop();
    server.write("C", 3);
    server.publish();
    expect(skus.at(-1)).toBe("A,B");
  });

  it("holds one view for all its readers, and none when the last has gone", async () => {
    const stock = rowsOf(client, { feed: "inventory" });
    const stops = [1, 2].map(() => stock.subscribe(() => undefined));
    await world.pass(100);
    const line = [...server.lines].at(-1);
    expect(line?.views.size).toBe(1);
    for (const stop of stops) stop();
    await world.pass(100);
    expect(line?.views.size).toBe(0);
    stock.subscribe(() => undefined)();
  });
});

describe("a store of freshness", () => {
  it("ages while nothing comes, and leaves no timer behind", () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const levels: string[] = [];
    const stop = freshness(client, () => world.time).subscribe(({ level }) => levels.push(level));
    expect(levels).toEqual(["live"]);
    world.time += 60_000;
    vi.advanceTimersByTime(1_000);
    expect(levels.at(-1)).toBe("delayed");
    stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(get(freshness(client, () => world.time)).level).toBe("delayed");
    expect(vi.getTimerCount()).toBe(0);
  });
});
