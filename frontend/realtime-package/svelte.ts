// Svelte's store contract over a client, so that `$stock` in a component is a view's rows. Nothing of Svelte is needed:
// a store is whatever has this `subscribe`. What the first reader starts, the last one ends.

import type { Client, ViewRequest, WireRow } from "../src/realtime";
import { freshnessOf, type Freshness } from "../src/realtime/freshness";
import { ranked } from "../src/realtime/order";

export interface Readable<T> {
  /** Calls with the value now, and with each that follows, until the function that it gives is called. */
  subscribe(run: (value: T) => void): () => void;
}

/** A store whose value is told anew whenever `attend` says so, from the first reader on to the last. */
function store<T>(
  attend: (changed: () => void) => { readonly value: () => T; readonly stop: () => void },
): Readable<T> {
  const readers = new Set<(value: T) => void>();
  let attended: ReturnType<typeof attend> | undefined;
  return {
    subscribe(run) {
      // Another one each time: somebody may subscribe twice with the same function.
      const reader = (value: T): void => {
        run(value);
      };
      const { value, stop } = (attended ??= attend(() => {
        for (const each of readers) if (attended) each(attended.value());
      }));
      readers.add(reader);
      reader(value());
      return () => {
        if (!readers.delete(reader) || readers.size > 0) return;
        attended = undefined;
        stop();
      };
    },
  };
}

/** The rows of a view, in its order. */
export function rowsOf<R extends WireRow = WireRow>(
  client: Pick<Client, "subscribe">,
  request: ViewRequest,
): Readable<readonly R[]> {
  return store((changed) => {
    const held = ranked<R>(client, request, changed);
    return {
      value: () => held.rows,
      stop: () => {
        held.stop();
      },
    };
  });
}

/** How fresh what is shown is; told anew every second, because time alone changes it. */
export function freshness(client: Client, now: () => number = Date.now): Readable<Freshness> {
  return store((changed) => {
    const beat = setInterval(changed, 1_000);
    const unlisten = client.listen(changed);
    return {
      value: () => freshnessOf(client, now()),
      stop: () => {
        clearInterval(beat);
        unlisten();
      },
    };
  });
}
