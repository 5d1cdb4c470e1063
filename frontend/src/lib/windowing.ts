/**
 * Windowing of rows that are all equally high: which of them the screen needs, by arithmetic alone. Variable heights were rejected: they need
 * measuring, and measuring a hundred thousand rows is what a table that scrolls well must never do.
 */

/** The rows to draw, first inclusive, end exclusive. */
export interface Window {
  readonly first: number;
  readonly end: number;
}

/** How many rows beyond either edge are kept drawn, so that a quick flick does not show bare ground. */
const SPARE = 6;

/** The rows seen at a scroll position, with spare ones on either side. */
export function windowAt(scrolled: number, height: number, rowHeight: number, count: number): Window {
  const first = Math.floor(Math.max(0, scrolled) / rowHeight);
  const seen = Math.ceil(Math.max(0, height) / rowHeight) + 1;
  return {
    first: Math.min(Math.max(0, first - SPARE), Math.max(0, count - 1)),
    end: Math.min(count, first + seen + SPARE),
  };
}

/** The indices to draw: the window, and one more row that must stay because it has the focus. */
export function drawn(window: Window, kept: number | null, count: number): number[] {
  const indices: number[] = [];
  if (kept !== null && kept >= 0 && kept < window.first && kept < count) indices.push(kept);
  for (let index = window.first; index < window.end; index++) indices.push(index);
  if (kept !== null && kept >= window.end && kept < count) indices.push(kept);
  return indices;
}

/** Where to scroll so that a row is wholly seen; the present position when it is. `covered` is the height of what stays on top. */
export function scrollToSee(index: number, scrolled: number, height: number, rowHeight: number, covered = 0): number {
  const top = index * rowHeight;
  if (top < scrolled) return top;
  const room = height - covered;
  if (top + rowHeight > scrolled + room) return top + rowHeight - room;
  return scrolled;
}

/**
 * Which drawn element shows which row. A row that scrolls in takes over the element of one that scrolled out, since filling an element anew costs a
 * fraction of making one; a row that stays keeps its own, and with it the focus.
 */
export class Slots {
  readonly #slots = new Map<number, number>();
  #made = 0;

  /** The slots of some row indices, in the same order. */
  take(indices: readonly number[]): number[] {
    const staying = new Set(indices);
    const free: number[] = [];
    for (const [index, slot] of this.#slots) {
      if (staying.has(index)) continue;
      free.push(slot);
      this.#slots.delete(index);
    }
    return indices.map((index) => {
      const slot = this.#slots.get(index) ?? free.pop() ?? this.#made++;
      this.#slots.set(index, slot);
      return slot;
    });
  }
}
