// Looking back: the views of this page as they were at a moment (spec/protocol.md 9), in place of the live ones.
//
// Each moment is one request, and its answer the whole content of every view; nothing follows by itself. What is shown
// stays until the answer for the next moment is there. While the server folds its log up to there it says how far it is,
// and is asked again.

import type { Subscription, ViewChange, ViewRequest, WireRow } from "../realtime";
import type { Environment } from "../realtime";
import { asFrame, type HelloFrame } from "../realtime/protocol";
import { createReplica, type Held } from "../realtime/replica";

const PATH = "/api/v1/past";
/** Longer addresses do not pass everywhere; their content goes into a body. */
const URL_MOST = 4_096;
/** Milliseconds until the server is asked again how far it is. */
const AGAIN = 400;
/** Milliseconds until a request that failed is tried again. */
const RETRY = 2_000;

/** How many events the server has folded, of how many. */
export interface Folding {
  readonly done: number;
  readonly of: number;
}

export class Past {
  readonly #environment: Environment;
  readonly #changed: () => void;
  readonly #replica = createReplica();
  #at: number;
  #shownAt: number | undefined;
  #hello: HelloFrame | undefined;
  #folding: Folding | undefined;
  #failed = false;
  #present: AbortController | undefined;
  #callOff: (() => void) | undefined;

  /** @param changed is called after anything but rows changed */
  constructor(environment: Environment, at: number, changed: () => void) {
    this.#environment = environment;
    this.#at = at;
    this.#changed = changed;
  }

  /** The moment that was asked for, in milliseconds since 1970. */
  get at(): number {
    return this.#at;
  }

  /** Whether what is shown is of that moment. */
  get settled(): boolean {
    return this.#shownAt === this.#at;
  }

  /** The version of the log that is shown. */
  get version(): number | undefined {
    return this.#hello?.version;
  }

  /** How far the server is on the way there; undefined when it is not folding. */
  get folding(): Folding | undefined {
    return this.#folding;
  }

  /** Whether the server could not be asked; it is tried again. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Goes to another moment. */
  go(at: number): void {
    if (at === this.#at) return;
    this.#at = at;
    this.#ask();
    this.#changed();
  }

  /** Holds a view until `stop`, as `Client.subscribe` does. */
  subscribe<R extends WireRow = WireRow>(request: ViewRequest, changed: (change: ViewChange) => void): Subscription<R> {
    const { order: _, ...rest } = request;
    const held = this.#replica.hold(request.limit === undefined ? rest : request);
    const listener = (change: ViewChange): void => {
      changed(change);
    };
    held.listeners.add(listener);
    if (!held.table?.loaded) this.#ask();
    return {
      get rows() {
        return (held.table?.rows ?? new Map()) as ReadonlyMap<string, R>;
      },
      get loaded() {
        return !!held.table?.loaded;
      },
      cursor: undefined,
      get key() {
        return held.table?.key;
      },
      get error() {
        return held.error;
      },
      stop: () => {
        held.listeners.delete(listener);
        if (held.listeners.size === 0) this.#replica.drop(held);
      },
    };
  }

  /** Gives up what is under way. Nothing is called any more. */
  stop(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#present?.abort();
    this.#present = undefined;
  }

  /** Asks for what is wanted when this turn of the page is over. */
  #ask(after = 0): void {
    this.stop();
    this.#callOff = this.#environment.timer(after, () => {
      this.#callOff = undefined;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    const { signal } = (this.#present = new AbortController());
    const at = this.#at;
    const wanted = [...this.#replica.held.values()].filter(({ error }) => !error);
    let outcome: "done" | "folding" | "failed";
    try {
      outcome = await this.#fetch(at, wanted, signal);
    } catch {
      outcome = "failed";
    }
    if (signal.aborted) return;
    this.#failed = outcome === "failed";
    if (outcome !== "folding") this.#folding = undefined;
    if (outcome === "done") this.#shownAt = at;
    else this.#ask(outcome === "folding" ? AGAIN : RETRY);
    this.#changed();
  }

  async #fetch(at: number, wanted: readonly Held[], signal: AbortSignal): Promise<"done" | "folding" | "failed"> {
    const views = wanted.map(({ id, request }) => ({ ...request, id }));
    const address = `${this.#environment.base}${PATH}?at=${new Date(at).toISOString()}`;
    const query = `&${new URLSearchParams({ views: JSON.stringify(views) }).toString()}`;
    const answer = await (query.length < URL_MOST
      ? this.#environment.fetch(address + query, { signal, cache: "no-store" })
      : this.#environment.fetch(address, {
          signal,
          cache: "no-store",
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ views }),
        }));
    if (answer.status === 202) {
      this.#folding = (await answer.json()) as Folding;
      return "folding";
    }
    if (answer.status === 400 || answer.status === 413) return this.#refuse(await answer.json());
    if (!answer.ok) return "failed";
    const { frames } = (await answer.json()) as { frames: readonly unknown[] };
    if (signal.aborted) return "failed";
    for (const each of frames) this.#take(each);
    return "done";
  }

  #take(each: unknown): void {
    const frame = asFrame(each);
    if (frame?.type === "hello") {
      this.#hello = frame;
      this.#replica.begin(frame.epoch);
    } else if (frame) this.#replica.receive(frame);
  }

  /** One view cannot be given; the others are asked for without it. */
  #refuse(problem: unknown): "folding" | "failed" {
    const id = (problem as { problems?: { path?: string }[] }).problems?.at(-1)?.path;
    const refused = id === undefined ? undefined : asFrame({ ...(problem as object), id, type: "error" });
    if (!refused) return "failed";
    this.#replica.receive(refused);
    return "folding";
  }
}
