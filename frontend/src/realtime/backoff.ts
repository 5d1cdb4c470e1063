// When to try again. Pure: the clock and the dice are arguments.
//
// Full jitter, because after a server restart every page in the shop wants back at once: the wait is anywhere between
// nothing and a ceiling that doubles up to 20 s. There is no last try.

const FIRST = 500;
const MOST = 20_000;
const CLEAN = 1_000;

/** A connection that held this long starts the count of tries anew, in milliseconds. */
export const STABLE = 10_000;

const LOOP_TRIES = 5;
const LOOP_SPAN = 10_000;

/**
 * Milliseconds to wait before try number `tries` (0: the first after a link that was stable).
 *
 * @param roll a random number from 0 to below 1
 * @param retryAfter the least the server asked for, in milliseconds
 */
export function backoff(tries: number, roll: number, retryAfter = 0): number {
  const ceiling = tries === 0 ? CLEAN : Math.min(MOST, FIRST * 2 ** tries);
  return retryAfter + roll * ceiling;
}

/** Milliseconds until another look while the machine says it has no network: it is sometimes wrong. */
export function offlinePatience(roll: number): number {
  return MOST * (0.5 + roll / 2);
}

/**
 * When another try is allowed, given when the last ones were: wakes and clicks skip the wait above, but five tries in
 * ten seconds are a loop and not a wish.
 */
export function allowedAt(recent: readonly number[], now: number): number {
  const first = recent.at(-LOOP_TRIES) ?? 0;
  return first > now ? now : Math.max(now, first + LOOP_SPAN);
}

/** The times of the last tries, with one more. */
export function noted(recent: readonly number[], now: number): readonly number[] {
  return [...recent, now].slice(-LOOP_TRIES);
}
