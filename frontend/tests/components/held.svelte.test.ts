import "./observer";

import { fireEvent, render, screen } from "@testing-library/svelte";
import { createRawSnippet, flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import LiveTable from "../../src/components/grid/LiveTable.svelte";
import type { TableView } from "../../src/components/grid/columns";

type Row = { readonly name: string };

let tables = 0;

/** A table by name of one row, to which rows come. */
function table(opened: string | null = null) {
  let version = $state(1);
  const all = new Map<string, Row>([["n", { name: "n" }]]);
  let tell: (keys: ReadonlySet<string> | undefined) => void = () => undefined;
  const view: TableView<Row> = {
    all,
    get version() {
      return version;
    },
    loaded: true,
    pending: false,
    byKey: (key) => all.get(key),
    change: () => undefined,
    follow: (follower) => {
      tell = follower;
      return () => undefined;
    },
  };
  const empty = createRawSnippet(() => ({ render: () => "<i></i>" }));
  render(LiveTable<Row>, {
    label: "Stock",
    view,
    columns: [{ id: "name", label: "Name", least: 80 }],
    order: { column: "name", direction: "ascending" as const },
    valueOf: (row: Row) => row.name,
    kindOf: () => "text" as const,
    place: `held ${String(tables++)}`,
    opened,
    onorder: () => undefined,
    onopen: () => undefined,
    cell: createRawSnippet((row: () => Row) => ({
      render: () => "<span></span>",
      setup: (span) => {
        $effect(() => {
          span.textContent = row().name;
        });
      },
    })),
    card: empty,
    none: empty,
    cardHeight: 80,
  });
  flushSync();
  return {
    /** A row comes, and the time after which a table may be put in order is over. */
    comes: (name: string): void => {
      vi.advanceTimersByTime(6_000);
      all.set(name, { name });
      tell(new Set([name]));
      version += 1;
      flushSync();
    },
    names: (): (string | null)[] =>
      screen
        .getAllByRole("row")
        .slice(1)
        .sort((a, b) => Number(a.getAttribute("aria-rowindex")) - Number(b.getAttribute("aria-rowindex")))
        .map((row) => row.textContent.trim()),
  };
}

describe("a table keeps its order", () => {
  beforeEach(() =>
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "setInterval", "clearTimeout", "clearInterval"] }),
  );
  afterEach(() => vi.useRealTimers());

  const body = (): Element => screen.getByRole("grid").querySelector(".rows") as Element;

  it("unless nobody is there", () => {
    const { comes, names } = table();
    comes("a");
    expect(names()).toEqual(["a", "n"]);
  });

  it("and moves the rows that are there instead of writing them anew", () => {
    const { comes } = table();
    const before = screen.getByText("n");
    comes("a");
    expect(screen.getByText("n")).toBe(before);
    expect(before.closest("[role=row]")?.getAttribute("aria-rowindex")).toBe("3");
  });

  it("under the pointer", async () => {
    const { comes, names } = table();
    await fireEvent.pointerEnter(body());
    comes("a");
    expect(names()).toEqual(["n"]);
    await fireEvent.pointerLeave(body());
    comes("b");
    expect(names()).toEqual(["a", "b", "n"]);
  });

  it("with the focus inside", async () => {
    const { comes, names } = table();
    await fireEvent.focusIn(screen.getByText("n"));
    comes("a");
    expect(names()).toEqual(["n"]);
    await fireEvent.focusOut(screen.getByText("n"));
    comes("b");
    expect(names()).toEqual(["a", "b", "n"]);
  });

  it("while one of its rows is opened", () => {
    const { comes, names } = table("n");
    comes("a");
    expect(names()).toEqual(["n"]);
  });

  it("while it is scrolled", async () => {
    const { comes, names } = table();
    const grid = screen.getByRole("grid");
    grid.scrollTop = 10;
    await fireEvent.scroll(grid);
    comes("a");
    expect(names()).toEqual(["n"]);
  });

  it("offers what came meanwhile, and shows it when asked", async () => {
    const { comes, names } = table();
    await fireEvent.pointerEnter(body());
    comes("a");
    comes("b");
    const offer = screen.getByRole("button", { name: "2 new or gone, reorder" });
    await fireEvent.click(offer);
    expect(names()).toEqual(["a", "b", "n"]);
    expect(screen.queryByRole("button")).toBeNull();
  });
});
