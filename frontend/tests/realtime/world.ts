// A world to test the client in: a clock that moves when told, a network that is cut when told, and a count of all that
// the client holds on to, which must be nothing once it is stopped.

import type { Environment, Signal, SocketListener } from "../../src/realtime/environment";

/** The server's end of a socket. */
export interface ServerSocket {
  /** Called with each frame that the client says. */
  onFrame: (frame: Record<string, unknown>) => void;
  readonly open: boolean;
  accept(): void;
  send(frame: unknown): void;
  sendText(text: string): void;
  close(code: number): void;
}

/** The server's end of a request. */
export interface ServerRequest {
  readonly url: URL;
  readonly init: RequestInit;
  /** What was asked for, from the query or the body. */
  readonly wants: Record<string, unknown>;
  readonly open: boolean;
  /** Answers with a whole body. */
  answer(status: number, body: unknown, headers?: Record<string, string>): Promise<void>;
  /** Answers with a stream and gives what writes to it. */
  stream(): Promise<(text: string) => Promise<void>>;
  /** Cuts the connection. */
  fail(): Promise<void>;
}

interface Alarm {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Lets promises and streams that are ready go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export class World implements Environment {
  readonly base = "http://shop.test";
  time = 1_700_000_000_000;
  roll = 0.5;
  isOnline = true;
  isVisible = true;
  readonly memory = new Map<string, string>();
  readonly sockets: ServerSocket[] = [];
  readonly requests: ServerRequest[] = [];
  readonly listeners = new Set<(signal: Signal) => void>();
  /** Called for each new socket and request: a server that is up. */
  onSocket: (socket: ServerSocket) => void = () => undefined;
  onRequest: (request: ServerRequest) => void = () => undefined;

  readonly #alarms = new Set<Alarm>();
  #order = 0;

  // --- what the client sees ---

  now(): number {
    return this.time;
  }

  random(): number {
    return this.roll;
  }

  timer(ms: number, run: () => void): () => void {
    const alarm = { at: this.time + ms, order: this.#order++, run };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  paint(run: () => void): () => void {
    return this.timer(16, run);
  }

  socket(url: string, _protocol: string, listener: SocketListener): { send(text: string): void; close(): void } {
    let state: "connecting" | "open" | "closed" = "connecting";
    const end: ServerSocket = {
      onFrame: () => undefined,
      get open() {
        return state !== "closed";
      },
      accept: () => {
        if (state !== "connecting") return;
        state = "open";
        listener.opened();
      },
      send: (frame) => {
        end.sendText(JSON.stringify(frame));
      },
      sendText: (text) => {
        if (state === "open") listener.text(text);
      },
      close: (code) => {
        if (state === "closed") return;
        state = "closed";
        listener.closed(code);
      },
    };
    if (!url.startsWith("ws://shop.test/")) throw new Error(`not this shop's: ${url}`);
    this.sockets.push(end);
    this.timer(0, () => {
      this.onSocket(end);
    });
    return {
      send: (text) => {
        queueMicrotask(() => {
          if (state === "open") end.onFrame(JSON.parse(text) as Record<string, unknown>);
        });
      },
      close: () => {
        state = "closed";
      },
    };
  }

  fetch(url: string, init: RequestInit): Promise<Response> {
    return new Promise<Response>((resolve, reject) => {
      let open = true;
      let cut = (): void => undefined;
      const end = async (): Promise<void> => {
        open = false;
        await settle();
      };
      const address = new URL(url);
      const wants =
        typeof init.body === "string"
          ? (JSON.parse(init.body) as Record<string, unknown>)
          : Object.fromEntries(
              [...address.searchParams].map(([name, text]) => [name, name === "views" ? JSON.parse(text) : text]),
            );
      const request: ServerRequest = {
        url: address,
        init,
        wants,
        get open() {
          return open;
        },
        answer: (status, body, headers = {}) => {
          if (open) resolve(new Response(JSON.stringify(body), { status, headers }));
          return end();
        },
        stream: async () => {
          const encoder = new TextEncoder();
          let write: (text: string) => void = () => undefined;
          const body = new ReadableStream<Uint8Array>({
            start(controller) {
              write = (text) => {
                controller.enqueue(encoder.encode(text));
              };
              cut = () => {
                controller.error(new TypeError("cut"));
              };
            },
          });
          resolve(new Response(body, { status: 200, headers: { "content-type": "text/event-stream" } }));
          await settle();
          return async (text) => {
            if (open) write(text);
            await settle();
          };
        },
        fail: () => {
          if (open) {
            cut();
            reject(new TypeError("cut"));
          }
          return end();
        },
      };
      init.signal?.addEventListener("abort", () => {
        if (!open) return;
        open = false;
        cut();
        reject(new DOMException("given up", "AbortError"));
      });
      this.requests.push(request);
      this.timer(0, () => {
        this.onRequest(request);
      });
    });
  }

  online(): boolean {
    return this.isOnline;
  }

  visible(): boolean {
    return this.isVisible;
  }

  signals(listener: (signal: Signal) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  recall(name: string): string | undefined {
    return this.memory.get(name);
  }

  remember(name: string, text: string): void {
    this.memory.set(name, text);
  }

  // --- what the test does ---

  /** Moves the clock, running what is due on the way. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const due = [...this.#alarms].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!due) break;
      this.#alarms.delete(due);
      this.time = Math.max(this.time, due.at);
      due.run();
    }
    this.time = end;
    await settle();
  }

  /** The machine sleeps: the clock moves and nothing runs, then all that was due runs late. */
  async sleep(ms: number): Promise<void> {
    this.time += ms;
    await this.pass(0);
  }

  async signal(what: "online" | "offline" | "shown" | "hidden" | "leave"): Promise<void> {
    if (what === "online" || what === "offline") this.isOnline = what === "online";
    if (what === "shown" || what === "hidden") this.isVisible = what === "shown";
    const told = ({ online: "wake", shown: "wake", hidden: "hide", offline: "offline", leave: "leave" } as const)[what];
    for (const listener of [...this.listeners]) listener(told);
    await this.pass(0);
  }

  /** The newest socket. */
  get socketEnd(): ServerSocket {
    const end = this.sockets.at(-1);
    if (!end) throw new Error("no socket was opened");
    return end;
  }

  get request(): ServerRequest {
    const request = this.requests.at(-1);
    if (!request) throw new Error("nothing was requested");
    return request;
  }

  /** All that somebody still holds on to. */
  get held(): { timers: number; listeners: number; sockets: number; requests: number } {
    return {
      timers: this.#alarms.size,
      listeners: this.listeners.size,
      sockets: this.sockets.filter(({ open }) => open).length,
      requests: this.requests.filter(({ open }) => open).length,
    };
  }
}
