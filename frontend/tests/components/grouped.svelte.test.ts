import "../components/observer";

import { render, screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { createRawSnippet, flushSync } from "svelte";
import { describe, expect, it, vi } from "vitest";

import type { Folding, TableView } from "../../src/components/grid/columns";
import DataGrid from "../../src/components/grid/DataGrid.svelte";
import { Grouped, type Totals } from "../../src/components/grid/grouped.svelte";

interface Row {
  readonly group: string;
  readonly value: number;
}

/** Sums by group, made anew each time. */
class Sums implements Totals<Row> {
  totals = new Map<string, Row>();
  readonly #rows = new Map<string, Row>();
  groupOf = (row: Row): string => row.group;
  sizeOf = (group: string): number => [...this.#rows.values()].filter((row) => row.group === group).length;

  *build(rows: ReadonlyMap<string, Row>): Generator<void, void> {
    this.take(rows.keys(), (key) => rows.get(key));
    yield;
  }

  take(keys: Iterable<string>, find: (key: string) => Row | undefined): Set<string> {
    const touched = new Set<string>();
    for (const key of keys) {
      for (const row of [this.#rows.get(key), find(key)]) if (row) touched.add(row.group);
      const row = find(key);
      if (row) this.#rows.set(key, row);
      else this.#rows.delete(key);
    }
    this.totals = new Map();
    for (const { group, value } of this.#rows.values())
      this.totals.set(group, { group, value: value + (this.totals.get(group)?.value ?? 0) });
    return touched;
  }
}

function grouped(...rows: [string, Row][]) {
  const all = new Map(rows);
  let tell: (keys: ReadonlySet<string> | undefined) => void = () => undefined;
  const view: TableView<Row> = {
    all,
    version: 1,
    loaded: true,
    pending: false,
    byKey: (key) => all.get(key),
    change: () => undefined,
    follow: (follower) => {
      tell = follower;
      return () => undefined;
    },
  };
  const toggled = vi.fn();
  const groups = new Grouped<Row>(view, () => new Sums(), toggled);
  groups.start();
  groups.sort({ valueOf: (row) => row.value, kind: "number", direction: "ascending" });
  const put = (key: string, row: Row): void => {
    all.set(key, row);
    tell(new Set([key]));
  };
  const keys = (): string[] => groups.unfold([...groups.all].map(([key, row]) => ({ key, row }))).map(({ key }) => key);
  return { groups, put, keys, toggled };
}

describe("a table by groups", () => {
  const rows: [string, Row][] = [
    ["1", { group: "A", value: 5 }],
    ["2", { group: "B", value: 7 }],
    ["3", { group: "A", value: 2 }],
  ];

  it("shows the groups' totals, and the rows of opened groups after them in the table's order", () => {
    const { groups, keys } = grouped(...rows);
    expect(keys()).toEqual(["A", "B"]);
    expect(groups.byKey("A")).toEqual({ group: "A", value: 7 });
    groups.open(["A"]);
    expect(keys()).toEqual(["A", "3", "1", "B"]);
    expect(["A", "3", "B"].map((key) => groups.stateOf(key))).toEqual(["open", "member", "closed"]);
  });

  it("takes changes over, and holds the rows inside an opened group as those of any table", () => {
    const { groups, put, keys } = grouped(...rows);
    groups.open(["A"]);
    put("3", { group: "A", value: 9 });
    put("4", { group: "A", value: 1 });
    expect(groups.byKey("A")?.value).toBe(15);
    const later = Date.now() + 6_000;
    groups.settle(true, later);
    expect(keys()).toEqual(["A", "3", "1", "B"]);
    expect(groups.waiting).toEqual({ rows: 1, moved: true });
    groups.reorder(later);
    expect(keys()).toEqual(["A", "4", "1", "3", "B"]);
  });
});

describe("groups under the keys", () => {
  const states: Record<string, "open" | "closed" | "member"> = { A: "open", a1: "member", a2: "member", B: "closed" };
  const toggle = vi.fn();
  const folding = {
    stateOf: (key: string) => states[key] ?? "member",
    toggle,
  } as unknown as Folding<string>;
  const cell = createRawSnippet((row: () => unknown) => ({ render: () => `<span>${String(row())}</span>` }));

  function show() {
    const onopen = vi.fn();
    render(DataGrid, {
      label: "Stock",
      columns: [
        { id: "name", label: "Name", least: 100 },
        { id: "value", label: "Value", least: 100 },
      ],
      rows: Object.keys(states).map((key) => ({ key, row: key })),
      folding,
      current: (key: string) => key,
      changeOf: () => undefined,
      order: { column: "name", direction: "ascending" as const },
      onorder: vi.fn(),
      onopen,
      place: "groups",
      cell,
    });
    flushSync();
    return { grid: screen.getByRole("treegrid", { name: "Stock" }), onopen };
  }

  it("are a tree grid that says what is open and how deep a row is", () => {
    const rows = within(show().grid).getAllByRole("row").slice(1);
    expect(rows.map((row) => row.getAttribute("aria-expanded"))).toEqual(["true", null, null, "false"]);
    expect(rows.map((row) => row.getAttribute("aria-level"))).toEqual(["1", "2", "2", "1"]);
  });

  it("open with Right and close with Left, which leads from a row inside to its group", async () => {
    const { onopen } = show();
    const user = userEvent.setup();
    await user.tab();
    await user.keyboard("{ArrowDown}{ArrowDown}{ArrowDown}{ArrowLeft}");
    expect(document.activeElement).toHaveTextContent("A");
    await user.keyboard("{ArrowLeft}");
    expect(toggle).toHaveBeenLastCalledWith("A");
    await user.keyboard("{ArrowDown}{Enter}");
    expect(onopen).toHaveBeenLastCalledWith("a1");
    await user.keyboard("{ArrowDown}{ArrowDown}{ArrowRight}");
    expect(toggle).toHaveBeenLastCalledWith("B");
    await user.keyboard("{Enter}");
    expect(toggle).toHaveBeenCalledTimes(3);
  });
});
