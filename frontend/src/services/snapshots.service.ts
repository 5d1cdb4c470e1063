// The last content of each view, kept on this machine, so that a page without a link has something to show, and a page
// that is loaded again asks only for what changed.
//
// Bounded: the newest 20 views, and 5 MB of text in all. Wiped when the person signs out.

import type { DBSchema, IDBPDatabase } from "idb";

import type { Kept } from "../realtime";

/** A view's content, and when it was put aside (local clock). */
export interface Snapshot {
  readonly kept: Kept;
  readonly at: number;
}

export interface Snapshots {
  load(view: string): Promise<Snapshot | undefined>;
  save(view: string, snapshot: Snapshot): Promise<void>;
  wipe(): Promise<void>;
}

export const VIEWS_MOST = 20;
export const CHARACTERS_MOST = 5_000_000;

/** The views to forget, given all: of the newest, as many stay as fit. */
export function surplus(kept: readonly { view: string; at: number; size: number }[]): string[] {
  let room = CHARACTERS_MOST;
  return [...kept]
    .sort((a, b) => b.at - a.at)
    .filter(({ size }, index) => (room -= size) < 0 || index >= VIEWS_MOST)
    .map(({ view }) => view);
}

interface Schema extends DBSchema {
  views: { key: string; value: { readonly at: number; readonly size: number; readonly text: string } };
}

async function open(): Promise<IDBPDatabase<Schema>> {
  const { openDB } = await import("idb");
  return openDB<Schema>("stockwire", 1, {
    upgrade(made) {
      made.createObjectStore("views");
    },
  });
}

/** This browser's. Where it forbids storage nothing is kept, and nothing else follows. */
export function browserSnapshots(): Snapshots {
  let opening: Promise<IDBPDatabase<Schema>> | undefined;
  const database = (): Promise<IDBPDatabase<Schema>> => (opening ??= open());
  return {
    async load(view) {
      try {
        const found = await (await database()).get("views", view);
        return found && { kept: JSON.parse(found.text) as Kept, at: found.at };
      } catch {
        return undefined;
      }
    },
    async save(view, { kept, at }) {
      try {
        const text = JSON.stringify(kept);
        const change = (await database()).transaction("views", "readwrite");
        await change.store.put({ at, size: text.length, text }, view);
        const all: { view: string; at: number; size: number }[] = [];
        for await (const { key, value } of change.store) all.push({ view: key, at: value.at, size: value.size });
        for (const gone of surplus(all)) await change.store.delete(gone);
        await change.done;
      } catch {
        // Without room, or without the right, the page goes on as it is.
      }
    },
    async wipe() {
      try {
        await (await database()).clear("views");
      } catch {
        // Nothing could be kept there either.
      }
    },
  };
}
