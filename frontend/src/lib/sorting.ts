/** How the values of a column compare, and which way. */

export type Direction = "ascending" | "descending";

export type Kind = "text" | "number" | "moment";

/** A value as `<` puts it right: texts by their letters, quantities by size, moments by time. */
export function rankOf(value: string | number, kind: Kind): string | number {
  if (kind === "number") return Number(value);
  if (kind === "moment") return typeof value === "number" ? value : Date.parse(value);
  return value;
}
