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
export interface Table {
  readonly view: string;
  /** The fields that make up a row's key. */
  readonly key: readonly string[];
  /**
   * Whether the present connection serves this table. Frames for one that it does not, or no longer, were under way
   * when that ended; taking them would move rows or cursor past what the next subscription starts from.
   */
  served: boolean;
  /** Whether changes may have been missed, which the next will bring. */
  resuming: boolean;
  /** Whether content was there at least once. */
  readonly loaded: boolean;
  /** The rows by key text. Changed in place. */
  readonly rows: ReadonlyMap<string, WireRow>;
  /** What resumes this view (P3.3); undefined while only the whole content will do. */
  readonly cursor: string | undefined;
  /** The view or its connection was left: parts that came, and questions asked, are void. */
  leave(): void;
  /** The server says that the whole content will come. The rows stay until then. */
  reset(): undefined;
  /** Takes a part of the whole content (P5.1). */
  snapshot(frame: Omit<SnapshotFrame, "type" | "view">, epoch: string): Outcome;
  /** Takes a delta (P5.3), if it starts where the rows are (P5.6). */
  delta(frame: DeltaFrame, epoch: string): Outcome;
  /** Compares the rows with the server's checksum of them (P7). */
  checksum(frame: ChecksumFrame): Outcome;
  /** The server says that nothing of this view changed up to `to` (P6.1). */
  advance(to: number, epoch: string): void;
}

export function createTable(view: string, key: readonly string[]): Table {
  let rows = new Map<string, WireRow>();
  let phase: Phase = "awaiting";
  let parts: Parts | undefined;
  let of = "";
  let at = 0;

  /** The version that the rows are of; undefined while the whole content is awaited. */
  const current = (): number | undefined => (phase === "current" ? at : undefined);
  const keyOf = (row: WireRow): string => keyText(key.map((field) => textOf(row[field])));
  const begin = (to: number): Parts => (parts = { to, next: 0, rows: new Map() });

  const settle = (to: number): void => {
    parts = undefined;
    phase = "current";
    at = to;
  };

  /** What does not fit is a fault once; until it is healed, what was under way is expected not to fit. */
  const fault = (reason: Fault): Outcome => {
    parts = undefined;
    if (phase === "healing") return undefined;
    phase = "healing";
    return reason;
  };

  const store = (changed: Parts): RowChange[] => {
    const changes: RowChange[] = [];
    for (const [name, row] of changed.rows) {
      const before = rows.get(name);
      if (row) rows.set(name, row);
      else rows.delete(name);
      if (row ?? before) changes.push({ key: name, before, row });
    }
    settle(changed.to);
    return changes;
  };

  const table: Table = {
    view,
    key,
    served: false,
    resuming: true,
    get loaded() {
      return of !== "";
    },
    get rows() {
      return rows;
    },
    get cursor() {
      const version = current();
      return version === undefined ? version : `v1.${of}.${String(version).padStart(16, "0")}.${view}`;
    },
    leave() {
      table.served = false;
      parts = undefined;
      if (phase === "healing") phase = "awaiting";
    },
    reset() {
      parts = undefined;
      phase = "awaiting";
    },
    snapshot(frame, epoch) {
      if (frame.part === 0) begin(frame.at);
      if (parts?.next !== frame.part || parts.to !== frame.at) return fault("requested");
      parts.next += 1;
      for (const row of frame.rows) parts.rows.set(keyOf(row), row);
      if (frame.more) return undefined;
      rows = parts.rows as Map<string, WireRow>;
      of = epoch;
      settle(frame.at);
      return "whole";
    },
    delta({ from, to, upsert = [], remove = [], more }, epoch) {
      if (from !== (parts?.to ?? current()) || to <= from || epoch !== of) return fault("requested");
      const group = parts ?? begin(to);
      group.to = to;
      for (const row of upsert) group.rows.set(keyOf(row), row);
      for (const each of remove) group.rows.set(keyText(each), undefined);
      return more ? undefined : store(group);
    },
    checksum(frame) {
      const other = parts ?? current() !== frame.at;
      if (other || (frame.rows === rows.size && frame.sum === checksum(rows))) return undefined;
      return fault("checksum");
    },
    advance(to, epoch) {
      if (!parts && epoch === of && to > (current() ?? to)) at = to;
    },
  };
  return table;
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
