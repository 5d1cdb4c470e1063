import { render, screen } from "@testing-library/svelte";
import { expect, it } from "vitest";

import WallOrders from "../../src/components/wall/WallOrders.svelte";
import WallOverview from "../../src/components/wall/WallOverview.svelte";
import { formatsFor } from "../../src/lib/format";
import { hourRows, metricRows, orderRows } from "../fixtures/shop";

const formats = formatsFor("GBP", "Europe/London", "en-GB");
const NOW = Date.parse("2026-03-02T14:00:00Z");

it.each([true, false])("a wall shows money only without privacy (privacy %j)", (privacy) => {
  const rows = metricRows(NOW, [], [], hourRows(NOW));
  render(WallOverview, { rows, loaded: true, formats, privacy });
  expect(screen.queryAllByText(/£/)).toHaveLength(privacy ? 0 : 2);
  expect(screen.getByText("Orders placed")).toBeInTheDocument();
});

it("shows none, and neither no data nor a placeholder, for an average of nothing", () => {
  const rows = metricRows(NOW, [], [], hourRows(NOW)).map((row) =>
    row.metric === "average_order_value" ? { ...row, value: null } : row,
  );
  render(WallOverview, { rows, loaded: true, formats, privacy: false });
  expect(screen.getByText("–")).toBeInTheDocument();
});

it("a wall with privacy names no customer and no total", () => {
  const [order] = orderRows(1, NOW);
  if (!order) throw new Error("The made-up shop is empty.");
  render(WallOrders, { rows: [order], loaded: true, formats, now: NOW, privacy: true });
  expect(screen.queryByText(/£/)).toBeNull();
  expect(screen.queryByText(order.customer_name ?? "")).toBeNull();
  expect(screen.getByText(order.number)).toBeInTheDocument();
});
