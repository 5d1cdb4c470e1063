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
 * Which drawn element shows which row. A row that comes in takes over the element of one that went out, since filling an element anew costs a fraction of
 * making one; a row that stays keeps its own wherever it moves, and with it the focus, so that a new order moves elements and fills few.
 */
export class Slots {
  /** In the order of the rows, which is that of their elements: those that went out are taken over in the same order, so that no element has to be moved. */
  #slots: ReadonlyMap<string, number> = new Map();
  #made = 0;

  /** The slots of some rows by key, in the same order. */
  take(keys: readonly string[]): number[] {
    const staying = new Set(keys);
    const free = [...this.#slots].filter(([key]) => !staying.has(key)).map(([, slot]) => slot);
    let used = 0;
    const slots = keys.map((key) => this.#slots.get(key) ?? free[used++] ?? this.#made++);
    this.#slots = new Map(keys.map((key, at) => [key, slots[at] as number]));
    return slots;
  }
}
