/**
 * The second hand of the page. Ages and countdowns read `secondHand.now`, which moves once a second while somebody looks and stands still, with no
 * timer, when nobody does.
 */

import { createSubscriber } from "svelte/reactivity";

class SecondHand {
  readonly #subscribe: () => void;

  constructor(now: () => number = () => Date.now()) {
    this.#read = now;
    this.#subscribe = createSubscriber((update) => {
      const timer = setInterval(update, 1000);
      return () => clearInterval(timer);
    });
  }

  readonly #read: () => number;

  /** The wall clock in milliseconds; reading it in an effect makes that effect run again each second. */
  get now(): number {
    this.#subscribe();
    return this.#read();
  }
}

export const secondHand = new SecondHand();
