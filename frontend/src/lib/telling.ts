/**
 * Which of what fired becomes a toast. Nothing does for ten seconds after the page was loaded or its link came back, nor while nobody sees the page; what came
 * meanwhile is one summary afterwards. How far was told is kept on this browser, so that of two windows one tells it.
 */

import type { NotificationRow, Severity } from "../stores/rows";
import type { Timers } from "./announcements";
import { atLeast } from "./notices";
import type { Told, Toasts } from "./toasts";

/** How long nothing pops up after loading or reconnecting. */
export const QUIET = 10_000;
export const SUMMARY = "summary";

/** Keeps a number over pages. */
export interface Mark {
  get(): number;
  set(version: number): void;
}

export interface Looking {
  /** What is unread, the newest first. */
  readonly unread: readonly NotificationRow[];
  /** The newest version that fired, read or not. */
  readonly newest: number;
  /** What is less grave stays in the centre. */
  readonly least: Severity;
  /** Whether the person has it before them right now. */
  readonly sees: (row: NotificationRow) => boolean;
}

export interface Words {
  one(row: NotificationRow): Told;
  many(rows: readonly NotificationRow[]): Omit<Told, "key">;
}

const NOTHING: Looking = { unread: [], newest: 0, least: "info", sees: () => false };

export class Telling {
  readonly #toasts: Toasts;
  readonly #timers: Timers;
  readonly #mark: Mark;
  readonly #words: Words;
  #looking = NOTHING;
  #visible = true;
  #quiet = true;
  #cancel: (() => void) | null = null;
  readonly #told = new Map<string, string>();

  constructor(toasts: Toasts, timers: Timers, mark: Mark, words: Words) {
    this.#toasts = toasts;
    this.#timers = timers;
    this.#mark = mark;
    this.#words = words;
  }

  /** The link is there, for the first time or again. */
  connected(): void {
    this.#cancel?.();
    this.#quiet = true;
    this.#cancel = this.#timers.after(QUIET, () => {
      this.#cancel = null;
      this.#quiet = false;
      this.#sumUp();
    });
  }

  /** Somebody sees the page, or nobody. */
  seen(visible: boolean): void {
    if (visible === this.#visible) return;
    this.#visible = visible;
    if (visible && !this.#quiet) this.#sumUp();
  }

  /** What is there now. */
  heed(looking: Looking): void {
    this.#looking = looking;
    if (looking.newest > 0 && looking.newest < this.#mark.get()) this.#mark.set(0); // another history began
    const open = new Set(looking.unread.map((row) => row.notification_id));
    for (const [id, key] of this.#told) {
      if (open.has(id)) continue;
      this.#told.delete(id);
      this.#toasts.withdraw(key);
    }
    if (this.#quiet || !this.#visible) return;
    for (const row of this.#fresh().reverse()) {
      const told = this.#words.one(row);
      this.#told.set(row.notification_id, told.key);
      this.#toasts.tell(told);
    }
    this.#mark.set(Math.max(this.#mark.get(), looking.newest));
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** What is to be told: beyond the mark, grave enough, not before the person's eyes, and still so. */
  #fresh(): NotificationRow[] {
    const { unread, least, sees } = this.#looking;
    const told = this.#mark.get();
    return unread.filter(
      (row) =>
        (row.fired_version ?? 0) > told &&
        atLeast(row.severity, least) &&
        row.state !== "acknowledged" &&
        row.state !== "snoozed" &&
        !sees(row),
    );
  }

  #sumUp(): void {
    const fresh = this.#fresh();
    this.#mark.set(Math.max(this.#mark.get(), this.#looking.newest));
    if (fresh.length > 0) this.#toasts.tell({ ...this.#words.many(fresh), key: SUMMARY });
  }
}
