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

/**
 * What a frame did. `nothing`: not yet visible, or not for this table. `whole`: all rows are new. `delta`: these rows
 * changed. `fault`: the frame does not fit; ask for the whole content.
 */
export type Outcome =
  | { readonly did: "nothing" | "whole" }
  | { readonly did: "delta"; readonly changes: readonly RowChange[] }
  | { readonly did: "fault"; readonly reason: "requested" | "checksum" };

const NOTHING: Outcome = { did: "nothing" };
const WHOLE: Outcome = { did: "whole" };

/**
 * `awaiting`: the whole content must come next. `healing`: it was asked for, what was under way before is dropped.
 * `current`: the rows are those of the cursor.
 */
type Phase = "awaiting" | "healing" | "current";

interface Parts {
  /** The version that the parts so far lead to. */
  to: number;
  next: number;
  readonly rows: Map<string, WireRow>;
  readonly gone: Set<string>;
}

/** A key's texts as one. */
export function keyText(key: readonly string[]): string {
  return key.join("\0");
}

/** One view's rows. */
export class Table {
  readonly view: string;
  #key: readonly string[];
  #rows = new Map<string, WireRow>();
  #phase: Phase = "awaiting";
  #parts: Parts | undefined;
  #epoch = "";
  #at = 0;
  #loaded = false;
  #served = false;
  #changes = 0;

  constructor(view: string, key: readonly string[]) {
    this.view = view;
    this.#key = key;
  }

  /** The rows by key text. Changed in place. */
  get rows(): ReadonlyMap<string, WireRow> {
    return this.#rows;
  }

  /** Rises with each visible change. */
  get changes(): number {
    return this.#changes;
  }

  /** Whether content was there at least once. */
  get loaded(): boolean {
    return this.#loaded;
  }

  /** The version that the rows are of; undefined while the whole content is awaited. */
  get at(): number | undefined {
    return this.#phase === "current" ? this.#at : undefined;
  }

  /** What resumes this view (P3.3); undefined when only the whole content will do. */
  get cursor(): string | undefined {
    if (this.#phase !== "current") return undefined;
    return `v1.${this.#epoch}.${String(this.#at).padStart(16, "0")}.${this.view}`;
  }

  /**
   * Whether the present connection serves this table. Frames for one that it does not, or no longer, were under way
   * when that ended; taking them would move rows or cursor past what the next subscription starts from.
   */
  get served(): boolean {
    return this.#served;
  }

  /** The server took the view on: what it sends from now on counts. */
  attach(): void {
    this.#served = true;
  }

  /** The view or its connection was left: parts that came, and questions asked, are void. */
  detach(): void {
    this.#served = false;
    this.#parts = undefined;
    if (this.#phase === "healing") this.#phase = "awaiting";
  }

  /** The server says that the whole content will come. The rows stay until then. */
  reset(): Outcome {
    this.#parts = undefined;
    this.#phase = "awaiting";
    return NOTHING;
  }

  /** Takes a part of the whole content (P5.1). */
  snapshot(frame: SnapshotFrame, epoch: string): Outcome {
    if (frame.part === 0) this.#parts = { to: frame.at, next: 0, rows: new Map(), gone: new Set() };
    const parts = this.#parts;
    if (parts?.next !== frame.part || parts.to !== frame.at) return this.#fault();
    parts.next += 1;
    for (const row of frame.rows) parts.rows.set(this.#keyOf(row), row);
    if (frame.more) return NOTHING;
    this.#rows = parts.rows;
    this.#epoch = epoch;
    this.#loaded = true;
    this.#settle(frame.at);
    return WHOLE;
  }

  /** Takes a delta (P5.3), if it starts where the rows are (P5.6). */
  delta(frame: DeltaFrame, epoch: string): Outcome {
    const from = this.#parts?.to ?? this.at;
    if (frame.from !== from || frame.to <= from || epoch !== this.#epoch) return this.#fault();
    const parts = (this.#parts ??= { to: from, next: 0, rows: new Map(), gone: new Set() });
    parts.to = frame.to;
    for (const row of frame.upsert ?? []) {
      const key = this.#keyOf(row);
      parts.gone.delete(key);
      parts.rows.set(key, row);
    }
    for (const key of (frame.remove ?? []).map(keyText)) {
      parts.rows.delete(key);
      parts.gone.add(key);
    }
    return frame.more ? NOTHING : { did: "delta", changes: this.#store(parts) };
  }

  #store(parts: Parts): RowChange[] {
    const changes: RowChange[] = [];
    for (const key of parts.gone) {
      const before = this.#rows.get(key);
      if (before && this.#rows.delete(key)) changes.push({ key, before, row: undefined });
    }
    for (const [key, row] of parts.rows) {
      changes.push({ key, before: this.#rows.get(key), row });
      this.#rows.set(key, row);
    }
    this.#settle(parts.to);
    return changes;
  }

  /** The server says that nothing of this view changed up to `to` (P6.1). */
  advance(to: number, epoch: string): void {
    if (this.#phase === "current" && !this.#parts && epoch === this.#epoch && to > this.#at) this.#at = to;
  }

  /** Compares the rows with the server's checksum of them (P7). */
  check(frame: ChecksumFrame): Outcome {
    if (this.#parts || this.at !== frame.at) return NOTHING;
    if (frame.rows === this.#rows.size && frame.sum === checksum(this.#rows)) return NOTHING;
    return this.#fault("checksum");
  }

  /** What does not fit is a fault once; until it is healed, what was under way is expected not to fit. */
  #fault(reason: "requested" | "checksum" = "requested"): Outcome {
    this.#parts = undefined;
    if (this.#phase === "healing") return NOTHING;
    this.#phase = "healing";
    return { did: "fault", reason };
  }

  #settle(at: number): void {
    this.#parts = undefined;
    this.#phase = "current";
    this.#at = at;
    this.#changes += 1;
  }

  #keyOf(row: WireRow): string {
    return keyText(this.#key.map((field) => textOf(row[field])));
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
