import "./observer";

import { render, screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { createRawSnippet } from "svelte";
import { describe, expect, it, vi } from "vitest";

import DataGrid from "../../src/components/grid/DataGrid.svelte";
import { pressed, type Column } from "../../src/components/grid/columns";
import type { RowChange } from "../../src/lib/highlights";

interface Row {
  readonly sku: string;
  readonly available: number;
}

const COLUMNS: readonly Column[] = [
  { id: "sku", label: "SKU", least: 100 },
  { id: "available", label: "Available", least: 80, end: true },
];
const ROWS: readonly Row[] = Array.from({ length: 100_000 }, (_, index) => ({ sku: `S-${index}`, available: index }));

const PLACED = ROWS.map((row) => ({ key: row.sku, row }));

const cell = createRawSnippet((row: () => unknown, column: () => string) => ({
  render: () => `<span>${String((row() as Record<string, unknown>)[column()])}</span>`,
}));

let tables = 0;

function show(more: { changeOf?: (key: string) => RowChange | undefined; current?: (key: string) => unknown } = {}) {
  const onopen = vi.fn();
  const onorder = vi.fn();
  render(DataGrid, {
    label: "Stock",
    columns: COLUMNS,
    rows: PLACED,
    current: more.current ?? ((key: string) => ROWS[Number(key.slice(2))]),
    changeOf: more.changeOf ?? (() => undefined),
    order: { column: "sku", direction: "ascending" as const },
    onorder,
    onopen,
    place: `table ${tables++}`,
    cell,
  });
  return { grid: screen.getByRole("grid", { name: "Stock" }), onopen, onorder };
}

describe("the table", () => {
  it("tells its whole size while it draws only what is seen", () => {
    const { grid } = show();
    expect(grid).toHaveAttribute("aria-rowcount", "100001");
    const rows = within(grid).getAllByRole("row");
    expect(rows.length).toBeLessThan(40);
    expect(rows[1]).toHaveAttribute("aria-rowindex", "2");
  });

  it("says by which column it is sorted", () => {
    const { grid } = show();
    expect(within(grid).getByRole("columnheader", { name: "SKU" })).toHaveAttribute("aria-sort", "ascending");
    expect(within(grid).getByRole("columnheader", { name: "Available" })).toHaveAttribute("aria-sort", "none");
  });

  it("has one tab stop, moved by the arrows", async () => {
    const { grid } = show();
    const user = userEvent.setup();
    await user.tab();
    expect(within(grid).getByRole("columnheader", { name: "SKU" })).toHaveFocus();
    await user.keyboard("{ArrowDown}{ArrowRight}");
    expect(document.activeElement).toHaveTextContent("0");
    expect(grid.querySelectorAll('[tabindex="0"]')).toHaveLength(1);
    await user.keyboard("{ArrowDown}{Home}");
    expect(document.activeElement).toHaveTextContent("S-1");
  });

  it("keeps the focus on a row far away, and reaches the last one with Ctrl and End", async () => {
    const { grid } = show();
    const user = userEvent.setup();
    await user.tab();
    await user.keyboard("{Control>}{End}{/Control}");
    expect(document.activeElement?.closest("[role=row]")).toHaveAttribute("aria-rowindex", "100001");
    expect(grid).toContainElement(document.activeElement as HTMLElement);
  });

  it("sorts by a column and opens a row with Enter", async () => {
    const { onopen, onorder } = show();
    const user = userEvent.setup();
    await user.tab();
    await user.keyboard("{ArrowRight}{Enter}");
    expect(onorder).toHaveBeenCalledWith("available");
    await user.keyboard("{ArrowDown}{ArrowDown}{Enter}");
    expect(onopen).toHaveBeenCalledWith(ROWS[1]);
  });

  it("shows the newest value at the row's held place", () => {
    const { grid } = show({ current: (key) => ({ sku: key, available: key === "S-2" ? 777 : 0 }) });
    expect(within(grid).getByText("777").closest("[role=row]")).toHaveAttribute("aria-rowindex", "4");
  });

  it("marks nothing on first load", () => {
    const { grid } = show();
    expect(grid.querySelector(".mark")).toBeNull();
  });

  it("marks a changed cell with its direction", () => {
    const change = { fields: { available: "down" as const }, at: Date.now() };
    const { grid } = show({ changeOf: (key) => (key === "S-1" ? change : undefined) });
    expect(grid.querySelectorAll(".mark")).toHaveLength(1);
    expect(grid.querySelector(".mark")).toHaveTextContent("▼");
  });
});

it("turns the order round at the second press", () => {
  const first = pressed({ column: "sku", direction: "ascending" }, "available", true);
  expect(first).toEqual({ column: "available", direction: "descending" });
  expect(pressed(first, "available", true).direction).toBe("ascending");
});
