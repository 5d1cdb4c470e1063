import { render, screen } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import KpiTile from "../../src/components/dashboard/KpiTile.svelte";
import { comparison } from "../../src/lib/comparison";
import { formatsFor } from "../../src/lib/format";

const formats = formatsFor("GBP", "Europe/London", "en-GB");
const tile = { label: "Net sales", asOf: "14:02", href: "/orders", line: [1, 2, null, 4] };

describe("a headline number", () => {
  it("stands with its comparison in words, its time, and the way to what is behind it", () => {
    const beside = comparison("112.40", "100", "yesterday by 14:02", { unit: "money", liking: "more", formats });
    render(KpiTile, { ...tile, value: formats.money("112.40"), comparison: beside });
    expect(screen.getByText("£112.40")).toBeInTheDocument();
    expect(screen.getByTitle("+12.4 % more than yesterday by 14:02")).toBeInTheDocument();
    expect(screen.getByText("as of 14:02")).toBeInTheDocument();
    expect(screen.getByRole("link")).toHaveAttribute("href", "/orders");
  });

  it("says no data where the sources never say, and never zero", () => {
    render(KpiTile, { ...tile, value: null, noData: true });
    expect(screen.getByText("No data")).toBeInTheDocument();
    expect(screen.queryByText(/0/, { selector: ".value" })).toBeNull();
  });

  it("calls for somebody in words too, not by colour alone", () => {
    render(KpiTile, { ...tile, value: "3", alarm: { shape: "square", tone: "critical", words: "Needs attention" } });
    expect(screen.getByText("Needs attention:")).toBeInTheDocument();
  });

  it("leaves a missing hour of its line open", () => {
    const { container } = render(KpiTile, { ...tile, value: "3" });
    const line = container.querySelector("path.line")?.getAttribute("d") ?? "";
    expect(line.match(/M/g)).toHaveLength(2);
  });
});
