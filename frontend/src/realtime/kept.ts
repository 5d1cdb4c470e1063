// A view's content, put aside and taken up again.

import type { Client, Subscription } from "./client";
import type { SubscribeFrame, ViewRequest, WireRow } from "./protocol";
import type { Kept } from "./table";

const nothing = (): void => undefined;

/** What to put aside of a view; undefined while it is not whole. Costs a copy of the list of rows. */
export function keep({
  cursor,
  key,
  rows,
}: Pick<Subscription, "cursor" | "key"> & { readonly rows: { values(): Iterable<WireRow> } }): Kept | undefined {
  return cursor === undefined || !key ? undefined : { cursor, key, rows: [...rows.values()] };
}

/** The content of a view that the client holds, by the frame that asked for it. */
export function keptOf(
  client: Pick<Client, "subscribe">,
  { type: _type, id: _id, cursor: _cursor, ...request }: SubscribeFrame,
): Kept | undefined {
  const held = client.subscribe(request, nothing);
  held.stop();
  return keep(held);
}

/** Takes up content for a view that somebody holds, unless it has some. What changed since follows with the link. */
export function restore(client: Pick<Client, "subscribe">, request: ViewRequest, kept: Kept): void {
  client.subscribe(request, nothing, kept).stop();
}
