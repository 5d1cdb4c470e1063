// All views that this page holds, and what each frame means for them. No I/O: frames in, frames to send out.
//
// A view is asked for under an id of our own and named by the server. Ids whose views have one name share one table,
// because the server sends its frames once (P4.4). A view let go of is kept for a while, so that coming back to a page
// costs what changed meanwhile and not its whole content.

import type {
  ChecksumFrame,
  ClientFrame,
  DeltaFrame,
  ErrorFrame,
  ResetFrame,
  ResetReason,
  ServerFrame,
  SnapshotFrame,
  SubscribedFrame,
  SubscribeFrame,
  ViewRequest,
} from "./protocol";
import { createTable, type Kept, type Outcome, type RowChange, type Table } from "./table";

/** What a listener of a view is told. `whole`: anything may have changed. `resumed`: what was missed while away. */
export type ViewChange =
  | { readonly kind: "whole" | "error" }
  | { readonly kind: "delta"; readonly changes: readonly RowChange[]; readonly resumed: boolean };

/** The frames that are about one view. */
type ViewFrame = SnapshotFrame | DeltaFrame | ResetFrame | ChecksumFrame;

/** One view asked for, by one or several listeners. */
export interface Held {
  /** New each time the server is asked anew on one connection, so that answers to an earlier asking are known as such. */
  id: string;
  readonly request: ViewRequest;
  readonly listeners: Set<(change: ViewChange) => void>;
  table: Table | undefined;
  error: ErrorFrame | undefined;
}

/** What went other than planned, counted. */
export interface Incidents {
  /** Resets by the server, by reason. */
  readonly resets: Partial<Record<ResetReason, number>>;
  /** Frames that did not fit, and checksums that differed. */
  readonly faults: number;
}

export interface Replica {
  /** The ids and views held now. */
  readonly held: ReadonlyMap<string, Held>;
  readonly incidents: Incidents;
  /** The view's place: an equal request's, or a new one. */
  hold(request: ViewRequest, id?: string): Held;
  /** Nobody listens any more: what still comes for it is left aside, but its rows stay. Gives what to tell the server. */
  release(held: Held): ClientFrame;
  /** Forgets the view and its rows. */
  drop(held: Held): void;
  /** Takes up a view's content of earlier, unless it has some. */
  restore(held: Held, kept: Kept): void;
  /** What asks the server for a view, from where its rows are. */
  readonly asking: (held: Held) => SubscribeFrame;
  /** A hello came: nothing is served until it is named again. `away`: changes may have been missed meanwhile. */
  begin(epoch: string, away?: boolean): void;
  /** Takes a frame of the present connection; gives what to answer. */
  receive(frame: ServerFrame): ClientFrame[];
}

export function createReplica(): Replica {
  const holds = new Map<string, Held>();
  const tables = new Map<string, Table>();
  const resets: Partial<Record<ResetReason, number>> = {};
  let epoch = "";
  let named = 0;
  let faults = 0;

  const newId = ({ feed }: ViewRequest): string => `${feed}-${(named += 1)}`;
  const sharing = (table: Table): Held[] => [...holds.values()].filter((held) => held.table === table);

  const tableOf = (view: string, key: readonly string[]): Table => {
    const table = tables.get(view) ?? createTable(view, key);
    tables.set(view, table);
    return table;
  };

  const name = ({ id, view, key }: SubscribedFrame): void => {
    const held = holds.get(id);
    if (!held) return;
    const table = tableOf(view, key);
    table.served = true;
    if (held.table === table) return;
    held.table = table;
    if (table.loaded) tell(held, { kind: "whole" });
  };

  const refuse = (frame: ErrorFrame): void => {
    const held = holds.get(frame.id ?? "");
    if (!held) return;
    held.error = frame;
    tell(held, { kind: "error" });
  };

  const advance = (to: number): void => {
    for (const table of tables.values()) {
      if (table.served) table.advance(to, epoch);
    }
  };

  const take = (frame: ViewFrame): ClientFrame[] => {
    const table = tables.get(frame.view);
    if (!table?.served) return [];
    if (frame.type === "reset") resets[frame.reason] = (resets[frame.reason] ?? 0) + 1;
    // Each type of frame is what the method of its name takes.
    const outcome = (table[frame.type] as (frame: ViewFrame, epoch: string) => Outcome)(frame, epoch);
    if (!outcome) return [];
    if (outcome === "requested" || outcome === "checksum") {
      faults += 1;
      return sharing(table)
        .slice(0, 1)
        .map(({ id }) => ({ type: "resync", id, reason: outcome }));
    }
    const { resuming: resumed } = table;
    table.resuming = false;
    for (const held of sharing(table))
      tell(held, outcome === "whole" ? { kind: outcome } : { kind: "delta", changes: outcome, resumed });
    return [];
  };

  return {
    held: holds,
    get incidents() {
      return { resets, faults };
    },
    hold(request, id = newId(request)) {
      const text = JSON.stringify(request);
      for (const held of holds.values()) {
        if (JSON.stringify(held.request) === text && !held.error) return held;
      }
      const held: Held = { id, request, listeners: new Set(), table: undefined, error: undefined };
      holds.set(id, held);
      return held;
    },
    release(held) {
      const { id, table, request } = held;
      holds.delete(id);
      held.id = newId(request);
      holds.set(held.id, held);
      if (table && !sharing(table).some(({ listeners }) => listeners.size > 0)) {
        table.leave();
        table.resuming = true;
      }
      return { type: "unsubscribe", id };
    },
    drop({ id, table }) {
      holds.delete(id);
      if (table && sharing(table).length === 0) tables.delete(table.view);
    },
    restore(held, { cursor, key, rows }) {
      if (held.table) return;
      const [, of = "", at, view = ""] = cursor.split(".");
      const table = (held.table = tableOf(view, key));
      if (!table.loaded) table.snapshot({ at: Number(at), part: 0, rows }, of);
      tell(held, { kind: "whole" });
    },
    asking({ id, request, table }) {
      const cursor = table?.cursor;
      return { type: "subscribe", id, ...request, ...(cursor ? { cursor } : {}) };
    },
    begin(now, away = true) {
      epoch = now;
      for (const table of tables.values()) {
        table.leave();
        table.resuming ||= away;
      }
    },
    receive(frame) {
      if (frame.type === "subscribed") name(frame);
      else if (frame.type === "error") refuse(frame);
      else if ("view" in frame) return take(frame);
      else if ("to" in frame && frame.to !== undefined) advance(frame.to);
      return [];
    },
  };
}

function tell({ listeners }: Held, change: ViewChange): void {
  for (const listener of listeners) listener(change);
}
