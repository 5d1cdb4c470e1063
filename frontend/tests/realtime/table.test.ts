import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compareField, Ranking } from "../../src/realtime/order";
import { asFrame, parseFrame, type ServerFrame, type WireRow } from "../../src/realtime/protocol";
import { createReplica } from "../../src/realtime/replica";
import { crc32 } from "../../src/realtime/table";
import { ModelServer } from "./model-server";

/** What may happen between a server and a reader. */
type Deed =
  | { readonly do: "write"; readonly sku: string; readonly level: number | null }
  | { readonly do: "publish" | "deliver" | "repeat" | "lose" | "cut" | "restore" | "check" | "release" | "return" };

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      sku: fc.constantFrom("A", "B", "C", "D", "E"),
      level: fc.option(fc.nat(9), { nil: null }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("publish" as const) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("deliver" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("repeat", "lose", "cut", "restore", "check", "release", "return" as const),
    }),
  },
);

/** A replica on a line to a model server; frames travel in order, unless the network misbehaves. */
class Reader {
  readonly replica = createReplica();
  readonly server = new ModelServer();
  readonly #pipe: ServerFrame[] = [];
  #line = this.#connect();
  #greeted = false;
  readonly #held = this.replica.hold({ feed: "inventory" });
  readonly #listener = (): void => undefined;

  constructor() {
    this.server.partRows = 2;
    this.#held.listeners.add(this.#listener);
    this.#open();
  }

  #connect(): { views: Map<string, number>; say: (frame: object) => void } {
    return {
      views: new Map(),
      say: (frame) => {
        const checked = asFrame(JSON.parse(JSON.stringify(frame)));
        if (checked) this.#pipe.push(checked);
      },
    };
  }

  #open(): void {
    this.#greeted = false;
    this.#line.say(this.server.hello());
  }

  #ask(): void {
    if (this.#greeted && this.#held.listeners.size > 0)
      this.server.hear(this.#line, { ...this.replica.asking(this.#held) });
  }

  /** What the client does with a frame. */
  #take(frame: ServerFrame): void {
    if (frame.type === "hello") {
      this.replica.begin(frame.epoch);
      this.#greeted = true;
      this.#ask();
    } else {
      for (const answer of this.replica.receive(frame)) this.server.hear(this.#line, { ...answer });
    }
  }

  /** One deed; gives whether the network did something that a fault may follow from. */
  act(deed: Deed): boolean {
    const [frame] = this.#pipe;
    switch (deed.do) {
      case "write":
        this.server.write(deed.sku, deed.level);
        return false;
      case "publish":
        this.server.serve(this.#line);
        return false;
      case "deliver":
        if (frame) this.#take(this.#pipe.shift() as ServerFrame);
        return false;
      case "repeat":
        if (!frame || frame.type === "hello") return false;
        this.#pipe.splice(0, 0, frame);
        return true;
      case "lose":
        if (!frame || frame.type === "hello" || frame.type === "subscribed") return false;
        this.#pipe.shift();
        return true;
      case "cut":
        this.#pipe.length = 0;
        this.#line = this.#connect();
        this.#open();
        return false;
      case "restore":
        this.server.restore();
        return this.act({ do: "cut" }) || false;
      case "check":
        this.server.serve(this.#line);
        this.server.check(this.#line);
        return false;
      case "release":
        if (!this.#held.listeners.delete(this.#listener)) return false;
        this.server.hear(this.#line, { ...this.replica.release(this.#held) });
        return false;
      case "return":
        if (this.#held.listeners.has(this.#listener)) return false;
        this.#held.listeners.add(this.#listener);
        this.#ask();
        return false;
    }
  }

  /** Lets everything arrive that is on its way. */
  rest(): void {
    this.act({ do: "return" });
    do {
      this.act({ do: "deliver" });
      if (this.#pipe.length === 0) this.server.serve(this.#line);
    } while (this.#pipe.length > 0);
  }

  get rows(): readonly WireRow[] {
    return new Ranking().rows(this.#held.table?.rows ?? new Map());
  }
}

describe("the rows of a view", () => {
  it("end as the server's, without a fault, however often the link is cut, left and taken up", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 120 }), (deeds) => {
        const reader = new Reader();
        for (const each of deeds) if (each.do !== "repeat" && each.do !== "lose") reader.act(each);
        reader.rest();
        expect(reader.rows).toEqual(reader.server.rows());
        expect(reader.replica.incidents.faults).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  it("end as the server's even when frames are lost or come twice, once a checksum came", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 120 }), (deeds) => {
        const reader = new Reader();
        for (const each of deeds) reader.act(each);
        reader.rest();
        reader.act({ do: "cut" });
        reader.rest();
        reader.act({ do: "check" });
        reader.rest();
        expect(reader.rows).toEqual(reader.server.rows());
      }),
      { numRuns: 400 },
    );
  });

  it("rise in version only, but after a reset", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 80 }), (deeds) => {
        const reader = new Reader();
        let before = new Map<string, number>();
        let resets = 0;
        for (const each of deeds) {
          if (each.do === "restore") continue;
          reader.act(each);
          const now = new Map(reader.rows.map((row) => [row["sku"] as string, row.version]));
          const total = Object.values(reader.replica.incidents.resets).reduce((sum, count) => sum + count, 0);
          if (total === resets)
            for (const [sku, version] of now) expect(version).toBeGreaterThanOrEqual(before.get(sku) ?? 0);
          [before, resets] = [now, total];
        }
      }),
    );
  });
});

describe("an order kept up change by change", () => {
  it("is what sorting anew gives", () => {
    const row = fc.record({
      sku: fc.constantFrom("A", "B", "C", "D", "E", "F"),
      on_hand: fc.option(fc.integer({ min: -3, max: 3 })),
    });
    fc.assert(
      fc.property(fc.array(fc.array(fc.tuple(row, fc.boolean()), { maxLength: 6 }), { maxLength: 12 }), (turns) => {
        const table = new Map<string, WireRow>();
        const kept = new Ranking(["-on_hand"]);
        for (const [version, turn] of turns.entries()) {
          for (const [each, gone] of turn) {
            if (gone) table.delete(each.sku);
            else table.set(each.sku, { ...each, version });
            kept.touch([each.sku]);
          }
          expect(kept.rows(table)).toEqual(new Ranking(["-on_hand"]).rows(table));
        }
      }),
    );
  });

  it("is the same array until something changed", () => {
    const table = new Map<string, WireRow>([["A", { version: 1 }]]);
    const ranking = new Ranking();
    const rows = ranking.rows(table);
    expect(ranking.rows(table)).toBe(rows);
    ranking.touch(["A"]);
    expect(ranking.rows(table)).not.toBe(rows);
  });
});

describe("how a field changed", () => {
  it.each([
    ["on_hand", 1, 2, "up"],
    ["on_hand", 2, 1, "down"],
    ["total", "9.99", "10.00", "up"],
    ["total", "-1.00", "-2.00", "down"],
    ["value", "10.00", "9.00", "down"],
    ["updated_at", "2026-03-02T14:02:11Z", "2026-03-02T14:02:12Z", "up"],
    ["status", "placed", "packed", "set"],
    ["reorder_point", null, 3, "set"],
    ["irregular", false, true, "set"],
    ["skipped", ["a"], ["a"], undefined],
    ["on_hand", 1, 1, undefined],
  ] as const)("%s from %j to %j is %s", (field, before, after, direction) => {
    expect(compareField(field, before, after)).toBe(direction);
  });
});

describe("what comes in", () => {
  it.each([
    "not json",
    "[]",
    "null",
    "7",
    "{}",
    '{"type":7}',
    '{"type":"snapshot","view":"v","at":1,"part":0}',
    '{"type":"delta","view":"v","from":"1","to":2}',
    '{"type":"delta","view":"v","from":1,"to":2,"upsert":{}}',
    '{"type":"hello","epoch":7,"heartbeat":20}',
  ])("is refused when it is no frame: %s", (text) => {
    expect(() => parseFrame(text)).toThrow(SyntaxError);
  });

  it.each(['{"type":"weather"}', '{"type":"constructor"}'])("is ignored when its type is not known: %s", (text) => {
    expect(parseFrame(text)).toBeUndefined();
  });
});

describe("the checksum", () => {
  it.each([
    ["", 0],
    ["123456789", 0xcbf43926],
    ["Lämpe@7", 1_747_791_492],
  ])("of %j is CRC-32 of its UTF-8", (text, sum) => {
    expect(crc32(text)).toBe(sum);
  });
});
