/**
 * The order of rows on the screen. It is worked out over extracted keys, because comparing a hundred thousand rows field by field is what makes
 * a table stutter. Null comes last either way, ties keep the order they came in (rows arrive by key), as in rule P4.3 of the protocol.
 */

export type Direction = "ascending" | "descending";

/** How the values of a column compare. */
export type Kind = "text" | "number" | "moment";

/** The rows in the order of one value of each. The given array is left as it is. */
export function sorted<Row>(
  rows: readonly Row[],
  valueOf: (row: Row) => string | number | null,
  kind: Kind,
  direction: Direction,
): Row[] {
  const keyed: { key: string | number; row: Row }[] = [];
  const last: Row[] = [];
  for (const row of rows) {
    const value = valueOf(row);
    if (value === null) last.push(row);
    else keyed.push({ key: keyOf(value, kind), row });
  }
  const sign = direction === "ascending" ? 1 : -1;
  keyed.sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : 0));
  const result: Row[] = [];
  for (const { row } of keyed) result.push(row);
  for (const row of last) result.push(row);
  return result;
}

function keyOf(value: string | number, kind: Kind): string | number {
  if (kind === "number") return Number(value);
  if (kind === "moment") return typeof value === "number" ? value : Date.parse(value);
  return value;
}
