// All views that this page holds, and what each frame means for them. No I/O: frames in, frames to send out.
//
// A view is asked for under an id of our own and named by the server. Ids whose views have one name share one table,
// because the server sends its frames once (P4.4). A view let go of is kept for a while, so that coming back to a page
// costs what changed meanwhile and not its whole content.

import type { ErrorFrame, ResetReason, ServerFrame, SubscribeFrame, ViewRequest, ClientFrame } from "./protocol";
import { Table, type Outcome, type RowChange } from "./table";

/** What a listener of a view is told. `whole`: anything may have changed. `resumed`: what was missed while away. */
export type ViewChange =
  | { readonly kind: "whole" | "error" }
  | { readonly kind: "delta"; readonly changes: readonly RowChange[]; readonly resumed: boolean };

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
  #held = new Map<string, Held>();
  #tables = new Map<string, Table>();
  #resuming = new Set<Table>();
  #epoch = "";
  #named = 0;
  #faults = 0;
  #resets: Partial<Record<ResetReason, number>> = {};

  get incidents(): Incidents {
    return { resets: this.#resets, faults: this.#faults };
  }

  /** The ids and views held now. */
  get held(): ReadonlyMap<string, Held> {
    return this.#held;
  }

  /** The view's place: an equal request's, or a new one. */
  hold(request: ViewRequest, id = this.#newId(request)): Held {
    const text = JSON.stringify(request);
    for (const held of this.#held.values()) {
      if (JSON.stringify(held.request) === text && !held.error) return held;
    }
    const held: Held = { id, request, listeners: new Set(), table: undefined, error: undefined };
    this.#held.set(id, held);
    return held;
  }

  /** Nobody listens any more: what still comes for it is left aside, but its rows stay. Gives what to tell the server. */
  release(held: Held): ClientFrame {
    const { id, table, request } = held;
    this.#held.delete(id);
    held.id = this.#newId(request);
    this.#held.set(held.id, held);
    if (table && !this.#sharing(table).some(({ listeners }) => listeners.size > 0)) {
      table.detach();
      this.#resuming.add(table);
    }
    return { type: "unsubscribe", id };
  }

  #newId({ feed }: ViewRequest): string {
    return `${feed}-${(this.#named += 1)}`;
  }

  /** Forgets the view and its rows. */
  drop({ id, table }: Held): void {
    this.#held.delete(id);
    if (!table || this.#sharing(table).length > 0) return;
    this.#tables.delete(table.view);
    this.#resuming.delete(table);
  }

  #sharing(table: Table): Held[] {
    return [...this.#held.values()].filter((held) => held.table === table);
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
      table.detach();
      if (away) this.#resuming.add(table);
    }
  }

  /** Takes a frame of the present connection; gives what to answer. */
  receive(frame: ServerFrame): ClientFrame[] {
    switch (frame.type) {
      case "subscribed":
        this.#name(frame.id, frame.view, frame.key);
        return [];
      case "error":
        this.#refuse(frame);
        return [];
      case "reset":
        return this.#take(frame.view, (table) => {
          this.#resets[frame.reason] = (this.#resets[frame.reason] ?? 0) + 1;
          return table.reset();
        });
      case "snapshot":
        return this.#take(frame.view, (table) => table.snapshot(frame, this.#epoch));
      case "delta":
        return this.#take(frame.view, (table) => table.delta(frame, this.#epoch));
      case "checksum":
        return this.#take(frame.view, (table) => table.check(frame));
      case "tick":
      case "heartbeat":
        if (frame.to !== undefined) this.#advance(frame.to);
        return [];
      default:
        return [];
    }
  }

  #name(id: string, view: string, key: readonly string[]): void {
    const held = this.#held.get(id);
    if (!held) return;
    const had = this.#tables.get(view);
    const table = had ?? new Table(view, key);
    this.#tables.set(view, table);
    table.attach();
    if (held.table === table) return;
    held.table = table;
    if (table.loaded) tell(held, { kind: "whole" });
  }

  #refuse(frame: ErrorFrame): void {
    const held = frame.id === undefined ? undefined : this.#held.get(frame.id);
    if (!held) return;
    held.error = frame;
    tell(held, { kind: "error" });
  }

  #advance(to: number): void {
    for (const table of this.#tables.values()) {
      if (!table.served) continue;
      table.advance(to, this.#epoch);
      this.#resuming.delete(table);
    }
  }

  #take(view: string, take: (table: Table) => Outcome): ClientFrame[] {
    const table = this.#tables.get(view);
    if (!table?.served) return [];
    const outcome = take(table);
    const sharing = this.#sharing(table);
    if (outcome.did === "fault") {
      this.#faults += 1;
      return sharing.slice(0, 1).map(({ id }) => ({ type: "resync", id, reason: outcome.reason }));
    }
    if (outcome.did === "nothing") return [];
    const resumed = this.#resuming.delete(table);
    const change: ViewChange =
      outcome.did === "delta" ? { kind: "delta", changes: outcome.changes, resumed } : { kind: "whole" };
    for (const held of sharing) tell(held, change);
    return [];
  }
}

function tell(held: Held, change: ViewChange): void {
  for (const listener of held.listeners) listener(change);
}
