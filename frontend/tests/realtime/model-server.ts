// A server small enough to be right by looking at it: every write ever made is kept, and each connection gets, for each
// view, what was written after its cursor. It speaks all three transports to a `World`.

import type { ServerRequest, World } from "./world";
import { checksum } from "../../src/realtime/table";

export interface Stock {
  readonly sku: string;
  readonly on_hand: number;
  readonly version: number;
}

interface Asked {
  readonly id: string;
  readonly feed: string;
  readonly cursor?: string;
}

interface Line {
  /** Views that the connection holds, with their cursors. */
  readonly views: Map<string, number>;
  say(frame: object): void;
}

export class ModelServer {
  epoch = "00000000000000aa";
  version = 0;
  /** Parts of at most so many rows. */
  partRows = 1_000;
  heartbeat = 20;
  readonly #writes: { version: number; sku: string; on_hand: number | null }[] = [];
  readonly lines = new Set<Line>();

  /** Sets a product's stock; null takes it away. */
  write(sku: string, on_hand: number | null): void {
    this.version += 1;
    this.#writes.push({ version: this.version, sku, on_hand });
  }

  /** Another history with the same rows. */
  restore(): void {
    this.epoch = `00000000000000${(parseInt(this.epoch, 16) + 1).toString(16)}`;
    const rows = this.rows();
    this.#writes.length = 0;
    this.version = 0;
    for (const { sku, on_hand } of rows) this.write(sku, on_hand);
  }

  rows(): Stock[] {
    const rows = new Map<string, Stock>();
    for (const { sku, on_hand, version } of this.#writes) {
      if (on_hand === null) rows.delete(sku);
      else rows.set(sku, { sku, on_hand, version });
    }
    return [...rows.values()].sort((a, b) => (a.sku < b.sku ? -1 : 1));
  }

  /** Sends everyone what is new. */
  publish(): void {
    for (const line of this.lines) this.serve(line);
  }

  hello(): object {
    return {
      type: "hello",
      protocol: 1,
      server: "model/1",
      session: "s",
      epoch: this.epoch,
      version: this.version,
      time: 0,
      heartbeat: this.heartbeat,
      build: "b1",
      sources: [{ source: "till", age: 100, state: "ok" }],
      shop: {
        name: "Lamps",
        currency: "GBP",
        timezone: "Europe/London",
        clock: "wall",
        now: 1_000,
        simulated: false,
      },
    };
  }

  /** Takes a client's frame. */
  hear(line: Line, frame: Record<string, unknown>): void {
    switch (frame["type"]) {
      case "hello":
        line.say(this.hello());
        break;
      case "subscribe":
        this.subscribe(line, frame as unknown as Asked);
        break;
      case "unsubscribe":
        line.views.delete(viewOf(String(frame["id"])));
        line.say({ type: "unsubscribed", id: frame["id"] });
        break;
      case "resync":
        this.#whole(line, viewOf(String(frame["id"])), String(frame["reason"]));
        break;
      case "pace":
        line.say({ ...frame, type: "paced" });
        break;
      case "ping":
        line.say({ type: "pong", n: frame["n"], time: 0 });
        break;
      default:
        throw new Error(`not a client's frame: ${JSON.stringify(frame)}`);
    }
  }

  subscribe(line: Line, { id, feed, cursor }: Asked): void {
    const view = viewOf(id);
    line.say({ type: "subscribed", id, view, feed, key: ["sku"] });
    const [, epoch, version, name] = (cursor ?? "").split(".");
    if (cursor === undefined) this.#whole(line, view);
    else if (epoch !== this.epoch) this.#whole(line, view, "epoch");
    else if (name !== view) this.#whole(line, view, "view");
    else if (Number(version) > this.version) this.#whole(line, view, "ahead");
    else {
      line.views.set(view, Number(version));
      if (Number(version) === this.version) line.say({ type: "tick", to: this.version, time: 0 });
      else this.serve(line);
    }
  }

  serve(line: Line): void {
    for (const [view, from] of line.views) {
      if (from === this.version) continue;
      const changed = new Map(this.#writes.filter(({ version }) => version > from).map((write) => [write.sku, write]));
      const writes = [...changed.values()].sort((a, b) => a.version - b.version);
      let at = from;
      for (let index = 0; index < writes.length; index += this.partRows) {
        const part = writes.slice(index, index + this.partRows);
        const more = index + this.partRows < writes.length;
        const to = more ? (part.at(-1)?.version ?? at) : this.version;
        line.say({
          type: "delta",
          view,
          from: at,
          to,
          upsert: part
            .filter(({ on_hand }) => on_hand !== null)
            .map(({ sku, on_hand, version }) => ({ sku, on_hand, version })),
          remove: part.filter(({ on_hand }) => on_hand === null).map(({ sku }) => [sku]),
          ...(more ? { more } : {}),
        });
        at = to;
      }
      line.views.set(view, this.version);
    }
  }

  check(line: Line): void {
    const rows = this.rows();
    const sum = checksum(new Map(rows.map((row) => [row.sku, row as never])));
    for (const view of line.views.keys())
      line.say({ type: "checksum", view, at: this.version, rows: rows.length, sum });
  }

  #whole(line: Line, view: string, reason?: string): void {
    if (reason) line.say({ type: "reset", view, reason });
    const rows = this.rows();
    const parts = Math.max(1, Math.ceil(rows.length / this.partRows));
    for (let part = 0; part < parts; part++) {
      line.say({
        type: "snapshot",
        view,
        at: this.version,
        part,
        ...(part < parts - 1 ? { more: true } : {}),
        rows: rows.slice(part * this.partRows, (part + 1) * this.partRows),
      });
    }
    line.views.set(view, this.version);
  }

  // --- over a world's network ---

  /** Accepts every socket of the world and answers at once. */
  listenOnSockets(world: World): void {
    world.onSocket = (socket) => {
      const line: Line = {
        views: new Map(),
        say: (frame) => {
          socket.send(frame);
        },
      };
      socket.onFrame = (frame) => {
        this.hear(line, frame);
      };
      this.lines.add(line);
      socket.accept();
    };
  }

  /** Answers streams and polls of the world. */
  listenOnRequests(world: World): void {
    world.onRequest = (request) => {
      void (request.url.pathname.endsWith("/stream") ? this.#stream(request) : this.#poll(request));
    };
  }

  async #stream(request: ServerRequest): Promise<void> {
    const write = await request.stream();
    const line: Line = {
      views: new Map(),
      say: (frame) =>
        void write(`event: ${String((frame as { type: string }).type)}\ndata: ${JSON.stringify(frame)}\n\n`),
    };
    this.lines.add(line);
    this.#begin(line, request);
  }

  #poll(request: ServerRequest): void {
    const frames: object[] = [];
    const answer = (): void => {
      this.lines.delete(line);
      queueMicrotask(() => void request.answer(200, { frames }));
    };
    const line: Line = {
      views: new Map(),
      say: (frame) => {
        const { type } = frame as { type: string };
        // That nothing changed is not worth an answer (P1.4).
        if (type !== "tick") frames.push(frame);
        if (type === "delta" || type === "snapshot") answer();
      },
    };
    this.lines.add(line);
    this.#begin(line, request);
    if (Number(request.wants["wait"]) > 0) return;
    frames.push({ type: "heartbeat", to: this.version, time: 0 });
    answer();
  }

  #begin(line: Line, request: ServerRequest): void {
    line.say(this.hello());
    for (const asked of request.wants["views"] as Asked[]) this.subscribe(line, asked);
  }
}

/** The model names a view by the id that asks for it: all ids of a feed hold the same one. */
function viewOf(id: string): string {
  return `view0000${id.slice(0, 8).padEnd(8, "0")}`;
}
