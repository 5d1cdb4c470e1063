// The reducer is played what readers of the simulated shop were sent, and must hold what they held, after every frame.
//
// The simulator (tests/simulation) cuts links, restarts the server, loses its power and restores copies, and checks its
// readers against the log. Its tapes (tests/simulation/tape.py) are made anew by the test that runs this file; their
// folder is named by STOCKWIRE_TAPES.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { parseFrame, type ViewRequest, type WireRow } from "../../src/realtime/protocol";
import { createReplica, type Held } from "../../src/realtime/replica";
import { checksum, type Kept } from "../../src/realtime/table";

type Sent = Readonly<Record<string, unknown>>;

/** A view's cursor, number of rows and checksum. */
type Standing = readonly [cursor: string | null, rows: number, sum: number];

interface Line {
  readonly reader: string;
  readonly asks?: readonly (ViewRequest & { readonly id: string })[];
  readonly frame?: Sent;
  readonly holds?: Readonly<Record<string, Standing>>;
  readonly rows?: Readonly<Record<string, readonly WireRow[]>>;
  readonly saved?: true;
  readonly "began anew"?: true;
}

/** A reader that lives in this language. */
class Reader {
  readonly #asks: NonNullable<Line["asks"]>;
  readonly #held = new Map<string, Held>();
  #replica = createReplica();
  #saved = new Map<string, Kept>();

  constructor(asks: NonNullable<Line["asks"]>) {
    this.#asks = asks;
    this.#beginAnew();
  }

  /** Does what the line says; gives what differs after it. */
  take(line: Line): string[] {
    if (line.frame) this.#receive(line.frame);
    if (line.saved) this.#save();
    if (line["began anew"]) this.#beginAnew();
    const found = Object.entries(line.holds ?? {}).flatMap(([id, holds]) => this.#compare(id, holds));
    for (const [id, rows] of Object.entries(line.rows ?? {})) {
      const have = [...(this.#held.get(id)?.table?.rows.values() ?? [])];
      if (sorted(have) !== sorted(rows)) found.push(`${id} holds other rows`);
    }
    if (this.#replica.incidents.faults > 0) found.push("a frame did not fit");
    return found.map((each) => `${line.reader}: ${each}`);
  }

  #receive(value: Sent): void {
    const frame = parseFrame(JSON.stringify(value));
    if (frame?.type === "hello") this.#replica.begin(frame.epoch);
    if (frame) this.#replica.receive(frame);
  }

  #compare(id: string, [cursor, rows, sum]: Standing): string[] {
    const table = this.#held.get(id)?.table;
    if (!table) return [`${id} has no table`];
    const have = JSON.stringify([table.cursor ?? null, table.rows.size, checksum(table.rows)]);
    const should = JSON.stringify([cursor, rows, sum]);
    return have === should ? [] : [`${id} is ${have} and should be ${should}`];
  }

  #save(): void {
    this.#saved = new Map();
    for (const [id, { table }] of this.#held) {
      if (table?.cursor === undefined) continue;
      this.#saved.set(id, { cursor: table.cursor, key: table.key, rows: [...table.rows.values()] });
    }
  }

  #beginAnew(): void {
    this.#replica = createReplica();
    for (const { id, ...request } of this.#asks) {
      const held = this.#replica.hold(request, id);
      this.#held.set(id, held);
      const kept = this.#saved.get(id);
      if (kept) this.#replica.restore(held, kept);
    }
  }
}

const sorted = (rows: readonly WireRow[]): string => JSON.stringify(rows.map((row) => JSON.stringify(row)).sort());

/** Plays a tape; gives the frames it had and the first differences. `heard`: what the reducer makes of a frame. */
function play(path: string, heard = (frame: Sent): Sent => frame): { frames: number; found: string[] } {
  const readers = new Map<string, Reader>();
  let frames = 0;
  for (const [number, text] of readFileSync(path, "utf8").trim().split("\n").entries()) {
    const told = JSON.parse(text) as Line;
    const line = told.frame ? { ...told, frame: heard(told.frame) } : told;
    if (line.asks) readers.set(line.reader, new Reader(line.asks));
    frames += line.frame ? 1 : 0;
    const found = readers.get(line.reader)?.take(line) ?? [`${line.reader} was not introduced`];
    if (found.length > 0) return { frames, found: found.map((each) => `line ${String(number + 1)}: ${each}`) };
  }
  return { frames, found: [] };
}

const FOLDER = process.env["STOCKWIRE_TAPES"] ?? "";
const TAPES = readdirSync(FOLDER).map((name) => join(FOLDER, name));

describe("the reducer, played what readers of the simulation were sent", () => {
  it.each(TAPES)("holds what they held: %s", (tape) => {
    const { frames, found } = play(tape);
    expect(found).toEqual([]);
    expect(frames).toBeGreaterThan(0);
  });

  it("would be caught keeping what was removed", () => {
    const deaf = ({ remove: _, ...frame }: Sent): Sent => frame;
    expect(TAPES.flatMap((tape) => play(tape, deaf).found)).not.toEqual([]);
  });

  it("would be caught taking a part before the last is there", () => {
    const hasty = ({ more: _, ...frame }: Sent): Sent => frame;
    expect(TAPES.flatMap((tape) => play(tape, hasty).found)).not.toEqual([]);
  });
});
