// What fired last, and how much of it this person has not read.
//
// One view for the whole page: the newest that fired, the same for everybody, so the server encodes them once. Read is
// what the person's own row says.

import { ask, path } from "../services/notifications.service";
import { isOutdone } from "./outdone";
import { person, type Person } from "./person.store";
import type { NotificationRow } from "./rows";
import { createView, type View } from "./view.store";

/** So many of the newest are known at once; more unread than that is said as "99+". */
const KNOWN = 100;

type Source = Pick<View<NotificationRow>, "rows" | "loaded" | "error">;

export class Notifications {
  readonly #view: Source;
  readonly #person: Person;

  constructor(view: Source, who: Person) {
    this.#view = view;
    this.#person = who;
  }

  /** The newest that fired, the last first. */
  get newest(): readonly NotificationRow[] {
    return this.#view.rows;
  }

  get loaded(): boolean {
    return this.#view.loaded;
  }

  /** Whether the server tells this reader of notifications; undefined until it is known. */
  get served(): boolean | undefined {
    return this.#view.error ? false : this.#view.loaded || undefined;
  }

  isUnread(row: NotificationRow): boolean {
    return this.#person.served !== undefined && !this.#person.hasRead(row.notification_id, row.fired_version);
  }

  /** One fact is counted once: what is oversold came to be out of stock and low at the same moment. */
  get unread(): readonly NotificationRow[] {
    return this.newest.filter((row) => this.isUnread(row) && !isOutdone(row, this.newest));
  }

  /** Everything that fired until now is read. */
  readAll(): Promise<unknown> {
    return this.#person.readAll(Math.max(0, ...this.newest.map((row) => row.fired_version ?? 0)));
  }

  acknowledge(id: string): Promise<unknown> {
    return ask("POST", `notifications/${path(id)}/acknowledge`);
  }

  /** Not to be heard of until that moment, of the shop's clock, in milliseconds. */
  snooze(id: string, until: number): Promise<unknown> {
    return ask("POST", `notifications/${path(id)}/snooze`, { until: new Date(until).toISOString() });
  }

  resolve(id: string): Promise<unknown> {
    return ask("POST", `notifications/${path(id)}/resolve`);
  }
}

export const notifications = new Notifications(
  createView<NotificationRow>({
    feed: "notifications",
    filter: { fired_version: { gt: 0 } },
    order: ["-fired_version"],
    limit: KNOWN,
  }),
  person,
);
