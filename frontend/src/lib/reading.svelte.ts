/**
 * Something read once and again when it may have changed. One read is under way at a time; what asks in between is answered by one more read afterwards.
 * The last answer stays while the next is awaited, and stays when the next fails.
 */

import { Refusal } from "./refusal";

export class Reading<Answer> {
  answer = $state.raw<Answer | null>(null);
  error = $state.raw<Refusal | null>(null);
  #again = false;
  #life: AbortController | null = null;
  readonly #read: (signal: AbortSignal) => Promise<Answer>;

  constructor(read: (signal: AbortSignal) => Promise<Answer>) {
    this.#read = read;
  }

  /** Reads now, or once more after the read that is under way. */
  refresh(): void {
    if (this.#life) this.#again = true;
    else void this.#run();
  }

  /** Gives up what is under way. */
  stop(): void {
    this.#again = false;
    this.#life?.abort();
    this.#life = null;
  }

  async #run(): Promise<void> {
    const life = new AbortController();
    this.#life = life;
    do {
      this.#again = false;
      try {
        const answer = await this.#read(life.signal);
        if (life.signal.aborted) return;
        this.answer = answer;
        this.error = null;
      } catch (error) {
        if (life.signal.aborted) return;
        this.error = error instanceof Refusal ? error : new Refusal(0, "unreadable");
      }
    } while (this.#again);
    this.#life = null;
  }
}
