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
import { Table, type Kept, type Outcome, type RowChange } from "./table";

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

export class Replica {
  /** The ids and views held now. */
  readonly held = new Map<string, Held>();
  readonly #tables = new Map<string, Table>();
  readonly #resets: Partial<Record<ResetReason, number>> = {};
  #epoch = "";
  #named = 0;
  #faults = 0;

  get incidents(): Incidents {
    return { resets: this.#resets, faults: this.#faults };
  }

  /** The view's place: an equal request's, or a new one. */
  hold(request: ViewRequest, id = this.#newId(request)): Held {
    const text = JSON.stringify(request);
    for (const held of this.held.values()) {
      if (JSON.stringify(held.request) === text && !held.error) return held;
    }
    const held: Held = { id, request, listeners: new Set(), table: undefined, error: undefined };
    this.held.set(id, held);
    return held;
  }

  /** Nobody listens any more: what still comes for it is left aside, but its rows stay. Gives what to tell the server. */
  release(held: Held): ClientFrame {
    const { id, table, request } = held;
    this.held.delete(id);
    held.id = this.#newId(request);
    this.held.set(held.id, held);
    if (table && !this.#sharing(table).some(({ listeners }) => listeners.size > 0)) {
      table.leave();
      table.resuming = true;
    }
    return { type: "unsubscribe", id };
  }

  #newId({ feed }: ViewRequest): string {
    return `${feed}-${(this.#named += 1)}`;
  }

  /** Forgets the view and its rows. */
  drop({ id, table }: Held): void {
    this.held.delete(id);
    if (table && this.#sharing(table).length === 0) this.#tables.delete(table.view);
  }

  #sharing(table: Table): Held[] {
    return [...this.held.values()].filter((held) => held.table === table);
  }

  /** Takes up a view's content of earlier, unless it has some. */
  restore(held: Held, kept: Kept): void {
    const view = kept.cursor.split(".")[3] ?? "";
    if (held.table) return;
    held.table = this.#tables.get(view) ?? new Table(view, kept.key);
    this.#tables.set(view, held.table);
    if (!held.table.loaded) held.table.restore(kept);
    tell(held, { kind: "whole" });
  }

  /** What asks the server for a view, from where its rows are. */
  asking({ id, request, table }: Held): SubscribeFrame {
    const cursor = table?.cursor;
    return { type: "subscribe", id, ...request, ...(cursor ? { cursor } : {}) };
  }

  /** A hello came: nothing is served until it is named again. `away`: changes may have been missed meanwhile. */
  begin(epoch: string, away = true): void {
    this.#epoch = epoch;
    for (const table of this.#tables.values()) {
      table.leave();
      table.resuming ||= away;
    }
  }

  /** Takes a frame of the present connection; gives what to answer. */
  receive(frame: ServerFrame): ClientFrame[] {
    if (frame.type === "subscribed") this.#name(frame);
    else if (frame.type === "error") this.#refuse(frame);
    else if ("view" in frame) return this.#take(frame);
    else if ("to" in frame && frame.to !== undefined) this.#advance(frame.to);
    return [];
  }

  #name({ id, view, key }: SubscribedFrame): void {
    const held = this.held.get(id);
    if (!held) return;
    const table = this.#tables.get(view) ?? new Table(view, key);
    this.#tables.set(view, table);
    table.served = true;
    if (held.table === table) return;
    held.table = table;
    if (table.loaded) tell(held, { kind: "whole" });
  }

  #refuse(frame: ErrorFrame): void {
    const held = this.held.get(frame.id ?? "");
    if (!held) return;
    held.error = frame;
    tell(held, { kind: "error" });
  }

  #advance(to: number): void {
    for (const table of this.#tables.values()) {
      if (!table.served) continue;
      table.advance(to, this.#epoch);
      table.resuming = false;
    }
  }

  #take(frame: ViewFrame): ClientFrame[] {
    const table = this.#tables.get(frame.view);
    if (!table?.served) return [];
    const outcome = this.#apply(frame, table);
    if (!outcome) return [];
    const sharing = this.#sharing(table);
    if (outcome === "requested" || outcome === "checksum") {
      this.#faults += 1;
      return sharing.slice(0, 1).map(({ id }) => ({ type: "resync", id, reason: outcome }));
    }
    const { resuming: resumed } = table;
    table.resuming = false;
    for (const held of sharing)
      tell(held, outcome === "whole" ? { kind: outcome } : { kind: "delta", changes: outcome, resumed });
    return [];
  }

  #apply(frame: ViewFrame, table: Table): Outcome {
    switch (frame.type) {
      case "snapshot":
        return table.snapshot(frame, this.#epoch);
      case "delta":
        return table.delta(frame, this.#epoch);
      case "checksum":
        return table.check(frame);
      case "reset":
        this.#resets[frame.reason] = (this.#resets[frame.reason] ?? 0) + 1;
        table.reset();
        return undefined;
    }
  }
}

function tell({ listeners }: Held, change: ViewChange): void {
  for (const listener of listeners) listener(change);
}
