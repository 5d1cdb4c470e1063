// How long changes take from being recorded to being painted here: the 95th percentile over the newest paintings, by
// nearest rank. The server's clock stands in its frames, so a browser's clock that is wrong does no harm.

const KEPT = 200;

export class DeliveryLag {
  readonly #lags: number[] = [];

  /** A change was painted so many milliseconds after it was recorded. */
  note(ms: number): void {
    this.#lags.push(Math.max(0, ms));
    if (this.#lags.length > KEPT) this.#lags.shift();
  }

  /** Milliseconds; undefined until something was painted. */
  get p95(): number | undefined {
    const sorted = [...this.#lags].sort((a, b) => a - b);
    return sorted[Math.ceil(sorted.length * 0.95) - 1];
  }
}
