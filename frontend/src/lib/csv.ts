/**
 * Rows as CSV (RFC 4180), as they are filtered and sorted. Numbers stand as they are on the wire, exact and without grouping. A text that a spreadsheet would
 * take for a formula gets a leading apostrophe: a product named `=HYPERLINK(...)` must not run on somebody's desk.
 */

/** A value of a row; null is an empty cell. */
export type Cell = string | number | boolean | null;

const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^-?\d+(\.\d+)?$/;
const QUOTED = /[",\r\n]/;

/** One cell. A negative number is no formula. */
export function csvCell(value: Cell): string {
  if (value === null) return "";
  const text = String(value);
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The whole file. */
export function csv<Row>(
  heads: readonly string[],
  rows: Iterable<Row>,
  cellsOf: (row: Row) => readonly Cell[],
): string {
  const lines = [heads.map(csvCell).join(",")];
  for (const row of rows) lines.push(cellsOf(row).map(csvCell).join(","));
  return lines.join("\r\n") + "\r\n";
}

/** Hands a CSV file to the person. The mark in front tells spreadsheets that it is UTF-8. */
export function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
