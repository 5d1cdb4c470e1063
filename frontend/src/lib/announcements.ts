/**
 * What a screen reader is told without being asked. One polite region speaks for the whole page; what is said about one subject replaces what was
 * waiting about it, and the region changes at most every ten seconds, so that a flapping link is one sentence and not twenty.
 */

import { createSubscriber } from "svelte/reactivity";

const PAUSE = 10_000;

/** Timers, as the announcer needs them. */
export interface Timers {
  now(): number;
  after(ms: number, run: () => void): () => void;
}

export const browserTimers: Timers = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export class Announcements {
  readonly #timers: Timers;
  readonly #waiting = new Map<string, string>();
  #said = "";
  #saidAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;
  #update = (): void => undefined;
  readonly #subscribe = createSubscriber((update) => {
    this.#update = update;
    return () => {
      this.#update = () => undefined;
      this.#cancel?.();
      this.#cancel = null;
    };
  });

  constructor(timers: Timers = browserTimers) {
    this.#timers = timers;
  }

  /** What the region says now. */
  get said(): string {
    this.#subscribe();
    return this.#said;
  }

  /** Says `words` about `subject`, at once or when the pause since the last words is over. */
  say(subject: string, words: string): void {
    this.#waiting.delete(subject);
    this.#waiting.set(subject, words);
    if (this.#cancel) return;
    const due = this.#saidAt + PAUSE - this.#timers.now();
    if (due <= 0) this.#speak();
    else this.#cancel = this.#timers.after(due, () => this.#speak());
  }

  #speak(): void {
    this.#cancel = null;
    this.#said = [...this.#waiting.values()].join(" ");
    this.#waiting.clear();
    this.#saidAt = this.#timers.now();
    this.#update();
  }
}

export const announcements = new Announcements();
