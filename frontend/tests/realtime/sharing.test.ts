import { beforeEach, describe, expect, it } from "vitest";

import { createClient, type Client } from "../../src/realtime/client";
import type { Environment } from "../../src/realtime/environment";
import { ranked, type RankedSubscription } from "../../src/realtime/order";
import type { PaceChoice } from "../../src/realtime/pauses";
import { keptOf } from "../../src/realtime/kept";
import type { ViewChange } from "../../src/realtime/replica";
import { altered } from "../../src/realtime/sharing/altered";
import { Host } from "../../src/realtime/sharing/host";
import { leadership } from "../../src/realtime/sharing/leader";
import type { Line, Neighbourhood } from "../../src/realtime/sharing/line";
import { shared } from "../../src/realtime/sharing/shared";
import { poll, sse, websocket } from "../../src/realtime";
import { ModelServer } from "./model-server";
import { World } from "./world";

let world: World;
let server: ModelServer;

beforeEach(() => {
  world = new World();
  server = new ModelServer();
  server.write("A", 1);
  server.write("B", 2);
  server.listenOnSockets(world);
});

interface Tab {
  readonly client: Client;
  readonly hurry: () => void;
  readonly view: RankedSubscription;
  readonly changes: ViewChange[];
}

/** Messages between tabs are copies, and come later. */
function later<M>(take: (message: M) => void): (message: M) => void {
  return (message) => {
    const copy = structuredClone(message);
    queueMicrotask(() => {
      take(copy);
    });
  };
}

/** A worker that can die, and lines to it. */
class Worker {
  readonly #environment: Environment;
  host: Host;
  readonly #gone = new Set<() => void>();

  constructor(environment: Environment = world) {
    this.#environment = environment;
    this.host = new Host({ environment });
  }

  readonly line: Line = {
    join: (hear, gone) => {
      let here = true;
      const guest = this.host.serve(
        later((message) => {
          if (here) hear(message);
        }),
      );
      this.#gone.add(gone);
      return {
        say: later((message) => {
          if (here) guest.hear(message);
        }),
        leave: () => {
          here = false;
          this.#gone.delete(gone);
          guest.leave();
        },
      };
    },
  };

  die(): void {
    this.host.stop();
    this.host = new Host({ environment: this.#environment });
    const told = [...this.#gone];
    this.#gone.clear();
    for (const gone of told) gone();
  }
}

function tab(line: Line, pace: PaceChoice = 0, environment: Environment = world): Tab {
  const way = shared(line, [websocket, sse, poll], environment, (frame) => keptOf(client, frame));
  const client: Client = createClient({ environment: way.environment, transports: [way.transport], pace });
  const changes: ViewChange[] = [];
  const view = ranked(client, { feed: "inventory" }, (change) => changes.push(change));
  client.start();
  return { client, hurry: way.hurry, view, changes };
}

function write(...writes: [string, number | null][]): void {
  for (const [sku, level] of writes) server.write(sku, level);
  server.publish();
}

describe("tabs with a worker", () => {
  it("share one connection, and each has the server's rows", async () => {
    const worker = new Worker();
    const tabs = Array.from({ length: 10 }, () => tab(worker.line));
    await world.pass(100);
    write(["C", 3], ["A", null]);
    await world.pass(100);
    expect(world.held.sockets).toBe(1);
    for (const { client, view } of tabs) {
      expect(client.link).toMatchObject({ state: "open", transport: "websocket" });
      expect(view.rows).toEqual(server.rows());
      expect(client.counters.faults).toBe(0);
    }
  });

  it("are told how much came over the connection they share, each since it joined", async () => {
    const worker = new Worker();
    const carried = () => worker.host.client.counters.bytes;
    const first = tab(worker.line);
    await world.pass(1_000);
    expect(first.client.counters.bytes).toBeGreaterThan(0);
    expect(first.client.counters.bytes).toBe(carried());
    const before = carried();
    const second = tab(worker.line);
    await world.pass(1_000);
    write(["A", 7]);
    await world.pass(1_000);
    expect(first.client.counters.bytes).toBe(carried());
    expect(second.client.counters.bytes).toBe(carried() - before);
    expect(carried()).toBeGreaterThan(before);
  });

  it("are each served at their own pace, the connection at the fastest", async () => {
    const worker = new Worker();
    const fast = tab(worker.line);
    const slow = tab(worker.line, 5_000);
    const still = tab(worker.line, "paused");
    await world.pass(100);
    expect(worker.host.client.pace.chosen).toBe(0);
    write(["A", 10]);
    await world.pass(6_000);
    const before = slow.changes.length;
    for (let turn = 0; turn < 10; turn++) {
      write(["A", turn]);
      await world.pass(100);
    }
    expect(fast.changes.length).toBeGreaterThanOrEqual(10);
    expect(slow.changes.length).toBeLessThanOrEqual(before + 1);
    expect(still.view.rows.map((row) => row["on_hand"])).toEqual([1, 2]);
    expect(still.client.pace.waiting).toBe(1);
    await world.pass(6_000);
    expect(slow.view.rows).toEqual(server.rows());
    still.client.setPace(0);
    await world.pass(100);
    expect(still.view.rows).toEqual(server.rows());
    for (const each of [fast, slow, still]) expect(each.client.counters.faults).toBe(0);
  });

  it("are told what waits at the server when all are paused", async () => {
    const worker = new Worker();
    const { client } = tab(worker.line, "paused");
    await world.pass(100);
    expect(worker.host.client.pace.chosen).toBe("paused");
    world.socketEnd.send({ type: "tick", time: 0, waiting: 3 });
    await world.pass(100);
    expect(client.pace.waiting).toBe(3);
  });

  it("hear of a loss, and come back at once when the link is back, with exactly what they missed", async () => {
    const worker = new Worker();
    const tabs = [tab(worker.line), tab(worker.line)];
    await world.pass(15_000);
    server.lines.clear();
    world.onSocket = (socket) => {
      socket.close(1006);
    };
    world.onRequest = (request) => void request.fail();
    world.socketEnd.close(1006);
    await world.pass(3_000);
    expect(tabs.map(({ client }) => client.link.state)).not.toContain("open");
    server.write("C", 3);
    server.write("A", null);
    server.listenOnSockets(world);
    await world.pass(22_000);
    for (const { client, view } of tabs) {
      expect(client.link.state).toBe("open");
      expect(view.rows).toEqual(server.rows());
      expect(client.counters).toMatchObject({ faults: 0, resets: {} });
    }
    expect(world.held.sockets).toBe(1);
  });

  it.each(["asks for it", "looks at one again"])("come back at once when somebody %s", async (somebody) => {
    // A worker hears nothing of who looks at which tab.
    const worker = new Worker(altered(world, { signals: () => () => undefined }));
    const tabs = [tab(worker.line), tab(worker.line)] as const;
    await world.pass(15_000);
    world.onSocket = (socket) => {
      socket.close(1006);
    };
    world.onRequest = (request) => void request.fail();
    world.socketEnd.close(1006);
    await world.pass(60_000);
    while ((worker.host.client.link.nextTryAt ?? 0) < world.time + 5_000) await world.pass(500);
    server.write("C", 3);
    server.listenOnSockets(world);
    if (somebody === "asks for it") {
      tabs[0].hurry();
      tabs[0].client.retry();
    } else await world.signal("shown");
    await world.pass(100);
    for (const { client, view } of tabs) {
      expect(client.link.state).toBe("open");
      expect(view.rows).toEqual(server.rows());
    }
  });

  it("move to a new worker within two seconds when theirs dies, and the server sends only what changed", async () => {
    const worker = new Worker();
    const tabs = [tab(worker.line), tab(worker.line)];
    await world.pass(15_000);
    worker.die();
    server.write("C", 3);
    await world.pass(2_000);
    for (const { client, view, changes } of tabs) {
      expect(client.link.state).toBe("open");
      expect(view.rows).toEqual(server.rows());
      expect(changes.filter(({ kind }) => kind === "whole").length).toBeLessThanOrEqual(2);
      expect(client.counters.faults).toBe(0);
    }
    expect(worker.host.client.counters.resets).toEqual({});
    expect(world.held.sockets).toBe(1);
  });

  it("that are paused stand still and count on while all move to a new worker", async () => {
    const worker = new Worker();
    const live = tab(worker.line);
    const still = tab(worker.line, "paused");
    await world.pass(15_000);
    write(["A", 10]);
    await world.pass(100);
    expect(still.client.pace.waiting).toBe(1);
    worker.die();
    write(["B", 20]);
    await world.pass(15_000);
    write(["C", 30]);
    await world.pass(15_000);
    expect(live.view.rows).toEqual(server.rows());
    expect(still.view.rows.map((row) => row["on_hand"])).toEqual([1, 2]);
    expect(still.client.pace.waiting).toBe(3);
    still.client.setPace(0);
    await world.pass(100);
    expect(still.view.rows).toEqual(server.rows());
    for (const { client } of [live, still]) expect(client.counters).toMatchObject({ faults: 0, resets: {} });
  });

  it("are told of a refusal, and one that signs in brings all back", async () => {
    const worker = new Worker();
    const tabs = [tab(worker.line), tab(worker.line)];
    await world.pass(100);
    world.socketEnd.close(4500);
    await world.pass(100);
    for (const { client } of tabs) expect(client.link).toMatchObject({ state: "refused", reason: "signed_out" });
    tabs[0]?.client.retry();
    await world.pass(100);
    expect(tabs[0]?.client.link.state).toBe("open");
  });

  it("leave nothing behind when the last is closed", async () => {
    const worker = new Worker();
    const tabs = [tab(worker.line), tab(worker.line, 5_000)];
    await world.pass(100);
    for (const { client } of tabs) client.stop();
    await world.pass(2_000);
    expect(world.held).toEqual({ timers: 0, listeners: 0, sockets: 0, requests: 0 });
  });

  it("connect by themselves when nobody answers", async () => {
    const { client, view } = tab({ join: () => ({ say: () => undefined, leave: () => undefined }) });
    await world.pass(4_000);
    expect(client.link).toMatchObject({ state: "open", transport: "websocket" });
    expect(view.rows).toEqual(server.rows());
    client.stop();
    await world.pass(1_000);
    expect(world.held).toEqual({ timers: 0, listeners: 0, sockets: 0, requests: 0 });
  });

  it("that connected by themselves move over when somebody answers after all", async () => {
    const worker = new Worker();
    const slow: Line = {
      join: (hear, gone) =>
        worker.line.join((message) => {
          world.timer(10_000, () => {
            hear(message);
          });
        }, gone),
    };
    const late = tab(slow);
    await world.pass(4_000);
    expect(late.client.link.state).toBe("open");
    expect(world.held.sockets).toBe(2);
    await world.pass(30_000);
    expect(world.held.sockets).toBe(1);
    expect(late.client.link.state).toBe("open");
    write(["C", 3]);
    await world.pass(15_000);
    expect(late.view.rows).toEqual(server.rows());
    expect(late.client.counters).toMatchObject({ faults: 0, resets: {} });
  });
});

interface Claim {
  readonly tab: string;
  readonly held: () => void;
  readonly lost: (() => void) | undefined;
}

/** Tabs of one browser: locks go to the next in line, or to who seizes them; messages go to all others. */
class Browser {
  readonly #queues = new Map<string, Claim[]>();
  readonly #channels = new Map<string, (message: unknown) => void>();
  /** What a tab that hangs will find when it goes on. */
  readonly #hanging = new Map<string, (() => void)[]>();

  /** `slow`: what it asks the browser for takes this long to arrive there, while its messages do not. */
  neighbourhood(tab: string, slow = 0): Neighbourhood {
    return {
      lock: (name, held, { seize = false, lost } = {}) => {
        const claim = { tab, held, lost };
        const callOff = world.timer(slow, () => {
          const queue = this.#queues.get(name) ?? [];
          this.#queues.set(name, queue);
          const holder = seize ? queue.shift() : undefined;
          if (holder?.lost) this.#bring(holder.tab, holder.lost);
          if (seize) queue.unshift(claim);
          else queue.push(claim);
          if (queue[0] === claim) this.#bring(tab, held);
        });
        return () => {
          callOff();
          this.#release(name, claim);
        };
      },
      channel: (_, hear) => {
        this.#channels.set(tab, hear);
        return {
          say: (message) => {
            if (this.#hanging.has(tab)) return;
            const copy: unknown = structuredClone(message);
            for (const [other, heard] of this.#channels)
              if (other !== tab)
                this.#bring(other, () => {
                  heard(copy);
                });
          },
          close: () => this.#channels.delete(tab),
        };
      },
    };
  }

  /** The tab's own world: nothing runs in it while it hangs, and its dice show `roll`. */
  environment(tab: string, roll: number): Environment {
    return altered(world, {
      random: () => roll,
      timer: (ms, run) => {
        let due = true;
        const callOff = world.timer(ms, () => {
          this.#bring(tab, () => {
            if (due) run();
          });
        });
        return () => {
          due = false;
          callOff();
        };
      },
    });
  }

  /** The tab is gone without a word. */
  crash(tab: string): void {
    this.#channels.delete(tab);
    for (const [name, queue] of this.#queues)
      for (const claim of [...queue]) if (claim.tab === tab) this.#release(name, claim);
  }

  /** The tab hears and says nothing, and keeps what it holds. */
  hang(tab: string): void {
    this.#hanging.set(tab, []);
  }

  /** It goes on, first with what came meanwhile. */
  goOn(tab: string): void {
    const found = this.#hanging.get(tab) ?? [];
    this.#hanging.delete(tab);
    for (const each of found) each();
  }

  #bring(tab: string, what: () => void): void {
    queueMicrotask(() => {
      const hanging = this.#hanging.get(tab);
      if (hanging) hanging.push(what);
      else what();
    });
  }

  #release(name: string, claim: Claim): void {
    const queue = this.#queues.get(name) ?? [];
    const first = queue[0] === claim;
    const at = queue.indexOf(claim);
    if (at >= 0) queue.splice(at, 1);
    if (first && queue[0]) this.#bring(queue[0].tab, queue[0].held);
  }
}

describe("tabs without a worker", () => {
  it("are not taken for gone when their lock comes later than their word", async () => {
    const browser = new Browser();
    const tabs = [0, 1_000].map((slow) => {
      const id = `tab ${slow}`;
      const line = leadership(browser.neighbourhood(id, slow), id, world, () => new Host({ environment: world }));
      line.stand();
      return tab(line);
    });
    await world.pass(5_000);
    expect(world.held.sockets).toBe(1);
    for (let turn = 0; turn < 3; turn++) {
      write(["C", turn]);
      await world.pass(30_000);
      for (const { client, view } of tabs) {
        expect(client.link.state).toBe("open");
        expect(view.rows).toEqual(server.rows());
        expect(client.counters).toMatchObject({ faults: 0, reconnects: 0 });
      }
    }
  });

  /** Three tabs, the first of which leads, with dice of their own; and all connections that they make. */
  async function three(
    ...rolls: [number, number, number]
  ): Promise<{ browser: Browser; tabs: [Tab, Tab, Tab]; hosts: Host[] }> {
    const browser = new Browser();
    const hosts: Host[] = [];
    const open = (id: string, roll: number): Tab => {
      const environment = browser.environment(id, roll);
      const line = leadership(browser.neighbourhood(id), id, environment, () => {
        const host = new Host({ environment });
        hosts.push(host);
        return host;
      });
      line.stand();
      return tab(line, 0, environment);
    };
    const tabs: [Tab, Tab, Tab] = [open("one", rolls[0]), open("two", rolls[1]), open("three", rolls[2])];
    await world.pass(15_000);
    expect(hosts).toHaveLength(1);
    return { browser, tabs, hosts };
  }

  function liveAndWhole({ client, view }: Tab): void {
    expect(client.link.state).toBe("open");
    expect(view.rows).toEqual(server.rows());
    expect(client.counters).toMatchObject({ faults: 0, resets: {} });
  }

  it("share the connection of one, and another takes over within two seconds when it crashes", async () => {
    const { browser, tabs, hosts } = await three(0.1, 0.2, 0.9);
    write(["C", 3]);
    await world.pass(100);
    expect(world.held.sockets).toBe(1);
    tabs.forEach(liveAndWhole);

    const [first, ...others] = tabs;
    browser.crash("one");
    hosts[0]?.stop();
    first.client.stop();
    server.write("D", 4);
    await world.pass(2_000);
    expect(hosts).toHaveLength(2);
    expect(world.held.sockets).toBe(1);
    others.forEach(liveAndWhole);
    expect(hosts[1]?.client.counters.resets).toEqual({});
  });

  it("take the lead within two seconds from one that hangs, which follows when it goes on", async () => {
    const { browser, tabs, hosts } = await three(0.1, 0.2, 0.9);
    const [first, ...others] = tabs;
    browser.hang("one");
    server.write("D", 4);
    await world.pass(2_000);
    expect(hosts).toHaveLength(2);
    others.forEach(liveAndWhole);

    const reconnects = others.map(({ client }) => client.counters.reconnects);
    browser.goOn("one");
    await world.pass(2_000);
    expect(hosts[0]?.client.link.state).toBe("closed");
    expect(world.held.sockets).toBe(1);
    write(["E", 5]);
    await world.pass(30_000);
    expect(hosts).toHaveLength(2);
    tabs.forEach(liveAndWhole);
    expect(first.client.counters.reconnects).toBe(1);
    expect(others.map(({ client }) => client.counters.reconnects)).toEqual(reconnects);
  });

  it("leave the lead to one that is quiet but answers, and ask nothing while it speaks", async () => {
    const { browser, tabs, hosts } = await three(0.1, 0.2, 0.9);
    await world.pass(60_000);
    expect(hosts).toHaveLength(1);
    const asked: unknown[] = [];
    browser.neighbourhood("four").channel("", (said) => {
      if ((said as { what: string }).what === "asked") asked.push(said);
    });
    for (let turn = 0; turn < 20; turn++) {
      write(["C", turn]);
      await world.pass(250);
    }
    expect(asked).toEqual([]);
    await world.pass(1_000);
    expect(asked).not.toEqual([]);
    tabs.forEach(liveAndWhole);
  });

  it("ask nothing while nobody looks at them, and take over once somebody does", async () => {
    const { browser, tabs, hosts } = await three(0.1, 0.2, 0.9);
    world.isVisible = false;
    await world.pass(2_000);
    browser.hang("one");
    await world.pass(10_000);
    expect(hosts).toHaveLength(1);
    await world.signal("shown");
    server.write("D", 4);
    await world.pass(2_000);
    expect(hosts).toHaveLength(2);
    tabs.slice(1).forEach(liveAndWhole);
  });

  it("take nobody for hanging when the machine slept", async () => {
    const { tabs, hosts } = await three(0.1, 0.2, 0.9);
    for (let night = 0; night < 3; night++) {
      await world.sleep(60_000);
      await world.pass(10_000);
      tabs.forEach(liveAndWhole);
    }
    expect(hosts).toHaveLength(1);
  });

  it("take nobody for hanging who wakes up a little later than they", async () => {
    const { browser, tabs, hosts } = await three(0.1, 0.2, 0.9);
    browser.hang("one");
    await world.pass(700);
    await world.sleep(20_000);
    browser.goOn("one");
    await world.pass(10_000);
    expect(hosts).toHaveLength(1);
    tabs.forEach(liveAndWhole);
  });

  it("find who leads when several step in at once, and when several that slept go on", async () => {
    const { browser, tabs, hosts } = await three(0.5, 0.5, 0.5);
    browser.hang("one");
    server.write("D", 4);
    await world.pass(2_000);
    tabs.slice(1).forEach(liveAndWhole);
    expect(hosts.length).toBeGreaterThan(2);
    expect(hosts.slice(1).filter(({ client }) => client.link.state === "open")).toHaveLength(1);
    browser.hang("two");
    write(["E", 5]);
    await world.pass(2_000);
    liveAndWhole(tabs[2]);
    browser.goOn("one");
    browser.goOn("two");
    write(["F", 6]);
    await world.pass(30_000);
    expect(world.held.sockets).toBe(1);
    expect(hosts.filter(({ client }) => client.link.state === "open")).toHaveLength(1);
    tabs.forEach(liveAndWhole);
  });

  it("leave nothing behind when they stop", async () => {
    const browser = new Browser();
    const opened = ["one", "two"].map((id) => {
      const line = leadership(browser.neighbourhood(id), id, world, () => new Host({ environment: world }));
      return { end: line.stand(), client: tab(line).client };
    });
    await world.pass(5_000);
    for (const { end, client } of opened) {
      client.stop();
      end();
    }
    await world.pass(2_000);
    expect(world.held).toEqual({ timers: 0, listeners: 0, sockets: 0, requests: 0 });
  });
});
