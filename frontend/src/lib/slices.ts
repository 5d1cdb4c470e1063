/** Long work in slices, so that the page answers in between. */

const SLICE_MS = 8;

/**
 * Runs the steps of some work, a few milliseconds at a time; the first slice at once, so short work is done when this returns.
 *
 * @returns what calls the rest off
 */
export function inSlices(work: Iterator<unknown, void>, done: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const slice = (): void => {
    const until = performance.now() + SLICE_MS;
    do {
      if (work.next().done) {
        done();
        return;
      }
    } while (performance.now() < until);
    timer = setTimeout(slice, 0);
  };
  slice();
  return () => clearTimeout(timer);
}
