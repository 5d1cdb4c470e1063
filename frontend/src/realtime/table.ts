// One view's rows as the server has them, and the rules by which frames change them (spec/protocol.md 5 and 7).
//
// All or nothing: parts of a snapshot or of a delta group are put aside and become visible, and the cursor moves, only
// when the last is there. So whenever the link breaks, what is shown and what the cursor says agree.
//
// The rows are a plain Map changed in place; whoever shows them is told which keys changed.

import type { ChecksumFrame, DeltaFrame, Json, SnapshotFrame, WireRow } from "./protocol";

/** One key's change: `row` undefined: it left; `before` undefined: it came. */
export interface RowChange {
  readonly key: string;
  readonly before: WireRow | undefined;
  readonly row: WireRow | undefined;
}

/** Why the whole content is asked for: a frame did not fit, or a checksum differed. */
export type Fault = "requested" | "checksum";

/** What a frame did: all rows are new, or these changed; or it does not fit. Undefined: nothing that can be seen yet. */
export type Outcome = "whole" | readonly RowChange[] | Fault | undefined;

/**
 * `awaiting`: the whole content must come next. `healing`: it was asked for, what was under way before is dropped.
 * `current`: the rows are those of the cursor.
 */
type Phase = "awaiting" | "healing" | "current";

interface Parts {
  /** The version that the parts so far lead to. */
  to: number;
  next: number;
  /** The newest of each key; undefined: it left. */
  readonly rows: Map<string, WireRow | undefined>;
}

/** A view's whole content, to be put aside and taken up again. */
export interface Kept {
  /** The version that it is of, and the view (P3.3). */
  readonly cursor: string;
  /** The fields that make up a row's key. */
  readonly key: readonly string[];
  readonly rows: readonly WireRow[];
}

/** A key's texts as one. */
export function keyText(key: readonly string[]): string {
  return key.join("\0");
}

/** One view's rows. */
export class Table {
  readonly view: string;
  /** The fields that make up a row's key. */
  readonly key: readonly string[];
  /**
   * Whether the present connection serves this table. Frames for one that it does not, or no longer, were under way
   * when that ended; taking them would move rows or cursor past what the next subscription starts from.
   */
  served = false;
  /** Whether changes may have been missed, which the next will bring. */
  resuming = false;
  /** Whether content was there at least once. */
  loaded = false;
  #rows = new Map<string, WireRow>();
  #phase: Phase = "awaiting";
  #parts: Parts | undefined;
  #epoch = "";
  #at = 0;

  constructor(view: string, key: readonly string[]) {
    this.view = view;
    this.key = key;
  }

  /** The rows by key text. Changed in place. */
  get rows(): ReadonlyMap<string, WireRow> {
    return this.#rows;
  }

  /** The version that the rows are of; undefined while the whole content is awaited. */
  get at(): number | undefined {
    return this.#phase === "current" ? this.#at : undefined;
  }

  /** What resumes this view (P3.3); undefined when only the whole content will do. */
  get cursor(): string | undefined {
    const at = this.at;
    return at === undefined ? at : `v1.${this.#epoch}.${String(at).padStart(16, "0")}.${this.view}`;
  }

  /** What to put aside; undefined when it is not whole. */
  get kept(): Kept | undefined {
    const { cursor, key } = this;
    return cursor === undefined ? undefined : { cursor, key, rows: [...this.#rows.values()] };
  }

  /** Takes up what was put aside. What has changed since is still missing. */
  restore({ cursor, rows }: Kept): void {
    const [, epoch = "", at] = cursor.split(".");
    this.snapshot({ type: "snapshot", view: this.view, at: Number(at), part: 0, rows }, epoch);
    this.resuming = true;
  }

  /** The view or its connection was left: parts that came, and questions asked, are void. */
  leave(): void {
    this.served = false;
    this.#parts = undefined;
    if (this.#phase === "healing") this.#phase = "awaiting";
  }

  /** The server says that the whole content will come. The rows stay until then. */
  reset(): void {
    this.#parts = undefined;
    this.#phase = "awaiting";
  }

  /** Takes a part of the whole content (P5.1). */
  snapshot({ part, at, rows, more }: SnapshotFrame, epoch: string): Outcome {
    if (part === 0) this.#begin(at);
    const parts = this.#parts;
    if (parts?.next !== part || parts.to !== at) return this.#fault();
    parts.next += 1;
    for (const row of rows) parts.rows.set(this.#keyOf(row), row);
    if (more) return undefined;
    this.#rows = parts.rows as Map<string, WireRow>;
    this.#epoch = epoch;
    this.loaded = true;
    this.#settle(at);
    return "whole";
  }

  /** Takes a delta (P5.3), if it starts where the rows are (P5.6). */
  delta({ from, to, upsert = [], remove = [], more }: DeltaFrame, epoch: string): Outcome {
    const at = this.#parts?.to ?? this.at;
    if (from !== at || to <= from || epoch !== this.#epoch) return this.#fault();
    const parts = this.#parts ?? this.#begin(to);
    parts.to = to;
    for (const row of upsert) parts.rows.set(this.#keyOf(row), row);
    for (const key of remove) parts.rows.set(keyText(key), undefined);
    return more ? undefined : this.#store(parts);
  }

  #store({ rows, to }: Parts): RowChange[] {
    const changes: RowChange[] = [];
    for (const [key, row] of rows) {
      const before = this.#rows.get(key);
      if (row) this.#rows.set(key, row);
      else this.#rows.delete(key);
      if (row ?? before) changes.push({ key, before, row });
    }
    this.#settle(to);
    return changes;
  }

  /** The server says that nothing of this view changed up to `to` (P6.1). */
  advance(to: number, epoch: string): void {
    if (this.#phase === "current" && !this.#parts && epoch === this.#epoch && to > this.#at) this.#at = to;
  }

  /** Compares the rows with the server's checksum of them (P7). */
  check({ at, rows, sum }: ChecksumFrame): Outcome {
    const other = this.#parts ?? this.at !== at;
    if (other || (rows === this.#rows.size && sum === checksum(this.#rows))) return undefined;
    return this.#fault("checksum");
  }

  /** What does not fit is a fault once; until it is healed, what was under way is expected not to fit. */
  #fault(reason: Fault = "requested"): Outcome {
    this.#parts = undefined;
    if (this.#phase === "healing") return undefined;
    this.#phase = "healing";
    return reason;
  }

  #begin(to: number): Parts {
    return (this.#parts = { to, next: 0, rows: new Map() });
  }

  #settle(at: number): void {
    this.#parts = undefined;
    this.#phase = "current";
    this.#at = at;
  }

  #keyOf(row: WireRow): string {
    return keyText(this.key.map((field) => textOf(row[field])));
  }
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

const BYTE_STEPS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});
const utf8 = new TextEncoder();

/** CRC-32 (IEEE 802.3) of a text's UTF-8 bytes. */
export function crc32(text: string): number {
  let rest = -1;
  for (const byte of utf8.encode(text)) rest = (BYTE_STEPS[(rest ^ byte) & 255] as number) ^ (rest >>> 8);
  return ~rest >>> 0;
}

/** The checksum of P7.1. */
export function checksum(rows: ReadonlyMap<string, WireRow>): number {
  let sum = 0;
  for (const [key, row] of rows) sum = (sum + crc32(`${key}@${row.version}`)) >>> 0;
  return sum;
}
