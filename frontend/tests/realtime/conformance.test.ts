// The client's side of spec/cases: each case is a conversation that a conforming client has.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Ranking } from "../../src/realtime/order";
import { asFrame, type ClientFrame, type ViewRequest, type WireRow } from "../../src/realtime/protocol";
import { createReplica, type Held } from "../../src/realtime/replica";
import { keyText } from "../../src/realtime/table";

interface ViewState {
  rows?: readonly unknown[];
  loaded?: boolean;
  cursor?: string | null;
  error?: string | null;
}

interface Case {
  readonly name: string;
  readonly rules: readonly string[];
  readonly side: "client" | "server" | "both";
  readonly given?: { readonly rows: readonly unknown[]; readonly at: number };
  readonly steps?: readonly Record<string, unknown>[];
  readonly order?: readonly string[];
  readonly key?: readonly string[];
  readonly sorted?: readonly WireRow[];
}

const FOLDER = join(import.meta.dirname, "../../../spec/cases");
const CASES = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".json"))
  .flatMap((file) => JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Case[])
  .filter(({ side }) => side !== "server");

const named = (which: (each: Case) => unknown): [string, Case][] =>
  CASES.filter(which).map((each) => [each.name, each]);

/** Whether a value fits a pattern, as spec/cases/README.md says. */
function agrees(pattern: unknown, value: unknown): boolean {
  if (pattern === "*") return value !== undefined && value !== null;
  if (pattern === null) return value === undefined || value === null;
  if (Array.isArray(pattern)) {
    return (
      Array.isArray(value) && pattern.length === value.length && pattern.every((each, at) => agrees(each, value[at]))
    );
  }
  if (typeof pattern === "object") {
    const members = value as Record<string, unknown> | undefined;
    return Object.entries(pattern).every(([name, each]) => agrees(each, members?.[name]));
  }
  return pattern === value;
}

class Conversation {
  readonly #replica = createReplica();
  readonly #held = new Map<string, Held>();
  #answered: ClientFrame[] = [];

  receive(json: unknown): void {
    const frame = asFrame(json);
    if (frame?.type === "hello") this.#replica.begin(frame.epoch);
    else if (frame) this.#answered.push(...this.#replica.receive(frame));
  }

  subscribe({ id, ...request }: ViewRequest & { id: string }): void {
    const held = this.#replica.hold(request, id);
    held.listeners.add(() => undefined);
    this.#held.set(id, held);
  }

  resume(pattern: unknown): void {
    this.#compare(
      pattern,
      [...this.#held.values()].map((held) => this.#replica.asking(held)),
    );
  }

  send(pattern: unknown): void {
    this.#compare(pattern, this.#answered);
    this.#answered = [];
  }

  expect(state: Record<string, ViewState | number | Record<string, number>>): void {
    const { faults, resets } = this.#replica.incidents;
    for (const [name, wanted] of Object.entries(state)) {
      if (name === "faults") expect(faults).toBe(wanted);
      else if (name === "resets") expect(resets).toEqual(wanted);
      else this.#compareView(name, wanted as ViewState);
    }
  }

  #compareView(id: string, wanted: ViewState): void {
    const held = this.#held.get(id);
    const table = held?.table;
    if ("rows" in wanted) expect(new Ranking().rows(table?.rows ?? new Map())).toEqual(wanted.rows);
    if ("loaded" in wanted) expect(table?.loaded ?? false).toBe(wanted.loaded);
    if ("cursor" in wanted) expect(table?.cursor ?? null).toBe(wanted.cursor);
    if ("error" in wanted) expect(held?.error?.code ?? null).toBe(wanted.error);
  }

  #compare(pattern: unknown, frames: readonly ClientFrame[]): void {
    expect(agrees(pattern, frames), `${JSON.stringify(frames)} should fit ${JSON.stringify(pattern)}`).toBe(true);
  }
}

const VIEW = "00000000000000f1";

function opened({ rows, at }: NonNullable<Case["given"]>): Record<string, unknown>[] {
  return [
    { receive: { type: "hello", protocol: 1, epoch: "00000000000000aa", heartbeat: 20 } },
    { subscribe: { id: "a", feed: "inventory" } },
    { receive: { type: "subscribed", id: "a", view: VIEW, feed: "inventory", key: ["sku"] } },
    { receive: { type: "snapshot", view: VIEW, at, part: 0, rows } },
  ];
}

describe("a conforming client", () => {
  it.each(named(({ steps }) => steps))("%s", (_, { given, steps = [] }) => {
    const conversation = new Conversation();
    for (const step of [...(given ? opened(given) : []), ...steps]) {
      const [verb, value] = Object.entries(step)[0] as [keyof Conversation, never];
      conversation[verb](value);
    }
  });

  it.each(named(({ sorted }) => sorted))("%s", (_, { order = [], key = [], sorted = [] }) => {
    const keyed = sorted.map((row) => [keyText(key.map((field) => row[field] as string)), row] as const);
    fc.assert(
      fc.property(fc.shuffledSubarray(keyed, { minLength: keyed.length }), (shuffled) => {
        expect(new Ranking(order).rows(new Map(shuffled))).toEqual(sorted);
      }),
      { numRuns: 20 },
    );
  });

  it("has a case for every client rule that frames can show", () => {
    const cited = new Set(CASES.flatMap(({ rules }) => rules));
    const shown =
      "P1.1 P1.7 P3.1 P3.3 P3.5 P4.1 P4.3 P4.4 P4.5 P4.6 P4.7 P5.1 P5.2 P5.3 P5.4 P5.6 P5.7 P6.1 P6.3 P6.6 P7.1 P7.2 P8.2";
    expect(shown.split(" ").filter((rule) => !cited.has(rule))).toEqual([]);
  });
});
