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
  readonly id: string;
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

  /** The view's place; `fresh` when the server has yet to be asked. */
  hold(request: ViewRequest): { readonly held: Held; readonly fresh: boolean } {
    const text = JSON.stringify(request);
    for (const held of this.#held.values()) {
      if (JSON.stringify(held.request) === text && !held.error) return { held, fresh: false };
    }
    const id = `${request.feed}-${(this.#named += 1)}`.slice(-64);
    const held: Held = { id, request, listeners: new Set(), table: undefined, error: undefined };
    this.#held.set(id, held);
    return { held, fresh: true };
  }

  /** Forgets the view and its rows. */
  drop({ id, table }: Held): void {
    this.#held.delete(id);
    if (table && ![...this.#held.values()].some((other) => other.table === table)) {
      this.#tables.delete(table.view);
      this.#resuming.delete(table);
    }
  }

  /** What asks the server for a view, from where its rows are. */
  asking({ id, request, table }: Held): SubscribeFrame {
    const cursor = table?.cursor;
    return { type: "subscribe", id, ...request, ...(cursor ? { cursor } : {}) };
  }

  /** Takes a frame of the present connection; gives what to answer. */
  receive(frame: ServerFrame): ClientFrame[] {
    switch (frame.type) {
      case "hello":
        this.#begin(frame.epoch);
        return [];
      case "subscribed":
        this.#name(frame.id, frame.view, frame.key);
        return [];
      case "error":
        this.#refuse(frame);
        return [];
      case "reset":
        this.#resets[frame.reason] = (this.#resets[frame.reason] ?? 0) + 1;
        this.#tables.get(frame.view)?.reset();
        return [];
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

  #begin(epoch: string): void {
    this.#epoch = epoch;
    for (const table of this.#tables.values()) {
      table.begin();
      this.#resuming.add(table);
    }
  }

  #name(id: string, view: string, key: readonly string[]): void {
    const held = this.#held.get(id);
    if (!held) return;
    held.error = undefined;
    if (held.table?.view === view) return;
    const had = this.#tables.get(view);
    held.table = had ?? new Table(view, key);
    this.#tables.set(view, held.table);
    if (had?.loaded) tell(held, { kind: "whole" });
  }

  #refuse(frame: ErrorFrame): void {
    const held = frame.id === undefined ? undefined : this.#held.get(frame.id);
    if (!held) return;
    held.error = frame;
    tell(held, { kind: "error" });
  }

  #advance(to: number): void {
    for (const table of this.#tables.values()) table.advance(to, this.#epoch);
    this.#resuming.clear();
  }

  #take(view: string, take: (table: Table) => Outcome): ClientFrame[] {
    const table = this.#tables.get(view);
    if (!table) return [];
    const outcome = take(table);
    const sharing = [...this.#held.values()].filter((held) => held.table === table);
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
