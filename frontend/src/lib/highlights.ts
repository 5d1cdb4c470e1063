/**
 * Which changed cells are marked. A mark points at a change; when much of the screen changes at once it points at nothing, so above a tenth of
 * the visible cells no cell is marked at all.
 */

export type Mark = "up" | "down" | "set";

/** What a store says about a row's last change. */
export interface RowChange {
  readonly fields: Readonly<Record<string, Mark>>;
  /** When, in milliseconds. */
  readonly at: number;
}

/** How long a change is worth a mark. */
export const MARKED_FOR = 1500;

/** The share of visible cells above which nothing is marked. */
const CROWD = 0.1;

/**
 * The marks of the rows on the screen, by row key.
 *
 * @param cellsPerRow how many cells of a row are visible
 */
export function marks(
  keys: readonly string[],
  columns: readonly string[],
  changeOf: (key: string) => RowChange | undefined,
  now: number,
): ReadonlyMap<string, RowChange> {
  const found = new Map<string, RowChange>();
  let cells = 0;
  for (const key of keys) {
    const change = changeOf(key);
    if (!change || now - change.at >= MARKED_FOR) continue;
    const count = columns.reduce((sum, column) => sum + (change.fields[column] ? 1 : 0), 0);
    if (count === 0) continue;
    cells += count;
    found.set(key, change);
  }
  return cells > keys.length * columns.length * CROWD ? new Map() : found;
}
