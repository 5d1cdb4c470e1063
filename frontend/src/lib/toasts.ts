/**
 * What pops up in the corner. At most three stand there, the newest first; the rest is a number. What is for information only goes after five seconds, not
 * counting while somebody points at it or is inside; what warns stays until it is put away. The same key again counts up in its place.
 *
 * Toasts tell nothing that is not kept elsewhere: a notification is in the centre, whatever becomes of its toast.
 */

import { createSubscriber } from "svelte/reactivity";

import { browserTimers, type Timers } from "./announcements";

export const SHOWN = 3;
/** How long information stands. */
export const STANDS = 5_000;

export interface Told {
  /** What it is about: told again, it takes the place of what was told before. */
  readonly key: string;
  readonly severity: "info" | "warning" | "critical";
  readonly title: string;
  readonly text: string;
  /** Information that the person asked for, which stays too. */
  readonly stays?: boolean | undefined;
  /** The one thing to do. */
  readonly action?: { readonly words: string; readonly href: string } | undefined;
  /** Calls when the person followed it or put it away. */
  readonly seen?: (() => void) | undefined;
}

export interface Toast extends Told {
  /** How often it was told while it stands. */
  readonly count: number;
}

/** What is left of a toast's time; `stop` while it runs. */
interface Clock {
  left: number;
  startedAt: number;
  stop: (() => void) | null;
}

export class Toasts {
  readonly #timers: Timers;
  #all: readonly Toast[] = [];
  readonly #clocks = new Map<string, Clock>();
  #held = false;
  readonly #updates = new Set<() => void>();
  readonly #subscribe = createSubscriber((update) => {
    this.#updates.add(update);
    return () => this.#updates.delete(update);
  });

  constructor(timers: Timers = browserTimers) {
    this.#timers = timers;
  }

  /** Those that stand, the newest first. */
  get shown(): readonly Toast[] {
    this.#subscribe();
    return this.#all.slice(0, SHOWN);
  }

  /** How many more there are. */
  get more(): number {
    this.#subscribe();
    return Math.max(0, this.#all.length - SHOWN);
  }

  tell(told: Told): void {
    const before = this.#all.find(({ key }) => key === told.key);
    const toast = { ...told, count: (before?.count ?? 0) + 1 };
    this.#stop(told.key);
    // In its place, so that nothing moves under the pointer.
    this.#all = before ? this.#all.map((one) => (one === before ? toast : one)) : [toast, ...this.#all];
    this.#changed();
  }

  /** It is no longer so, or was read elsewhere. */
  withdraw(key: string): void {
    if (!this.#all.some((one) => one.key === key)) return;
    this.#stop(key);
    this.#all = this.#all.filter((one) => one.key !== key);
    this.#changed();
  }

  /** The person is done with it. */
  putAway(key: string): void {
    this.#all.find((one) => one.key === key)?.seen?.();
    this.withdraw(key);
  }

  putAllAway(): void {
    for (const { key } of this.#all) this.putAway(key);
  }

  /** Somebody points at the toasts or is inside: no clock runs. */
  hold(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    if (held) for (const clock of this.#clocks.values()) this.#rest(clock);
    else this.#run();
  }

  #rest(clock: Clock): void {
    if (!clock.stop) return;
    clock.stop();
    clock.stop = null;
    clock.left -= this.#timers.now() - clock.startedAt;
  }

  #stop(key: string): void {
    this.#clocks.get(key)?.stop?.();
    this.#clocks.delete(key);
  }

  /** Lets the clocks of the information that stands run. */
  #run(): void {
    if (this.#held) return;
    for (const { key, severity, stays } of this.#all.slice(0, SHOWN)) {
      if (severity !== "info" || stays) continue;
      const clock: Clock = this.#clocks.get(key) ?? { left: STANDS, startedAt: 0, stop: null };
      this.#clocks.set(key, clock);
      if (clock.stop) continue;
      clock.startedAt = this.#timers.now();
      clock.stop = this.#timers.after(Math.max(0, clock.left), () => this.withdraw(key));
    }
  }

  #changed(): void {
    this.#run();
    for (const update of this.#updates) update();
  }
}

export const toasts = new Toasts();
