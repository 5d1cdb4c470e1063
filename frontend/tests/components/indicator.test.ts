import { render, screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";

import RealTimeIndicator from "../../src/components/dashboard/RealTimeIndicator.svelte";
import { formatsFor } from "../../src/lib/format";
import type { Level } from "../../src/lib/ladder";

const NOW = 1_000_000;

function show(level: Level, more: { waiting?: number; nextTryAt?: number; silent?: boolean } = {}) {
  const retry = vi.fn();
  const view = render(RealTimeIndicator, {
    freshness: { level, ageMs: 190_000, waiting: more.waiting ?? 0 },
    link: {
      state: "open",
      nextTryAt: more.nextTryAt,
      transport: "websocket",
      roundTrip: 23.4,
      reason: undefined,
      lastFrameAt: NOW - 190_000,
    },
    sources: [
      { source: "shop", ageMs: 3000, state: "ok" },
      { source: "warehouse", ageMs: 1_320_000, state: more.silent ? "silent" : "ok" },
    ],
    pace: { effective: 5000, paused: false, reason: "hidden" },
    counters: { frames: 1204, bytes: 381_204, resets: { epoch: 1, view: 0 }, faults: 0, reconnects: 2 },
    formats: formatsFor("GBP", "Europe/London", "en-GB"),
    now: NOW,
    asOf: "14:02:11",
    onretry: retry,
  });
  return { ...view, retry, button: screen.getByRole("button", { expanded: false }) };
}

describe("the indicator", () => {
  it.each([
    ["live", "Live"],
    ["delayed", "Delayed"],
    ["stale", "Stale"],
    ["reconnecting", "Reconnecting"],
    ["offline", "Offline"],
    ["paused", "Paused by you"],
    ["error", "Not connected"],
    ["connecting", "Connecting"],
  ] as const)("says %s in a word beside its shape", (level, word) => {
    const { button } = show(level);
    expect(within(button).getByText(word)).toBeInTheDocument();
    expect(button.querySelector("svg.shape")).not.toBeNull();
  });

  it("keeps a silent shop apart from a good link", () => {
    const { button } = show("live", { silent: true });
    expect(within(button).getByText("Live")).toBeInTheDocument();
    expect(within(button).getByText("warehouse silent")).toBeInTheDocument();
  });

  it("does not claim to know the shop while the link is lost", () => {
    const { button } = show("reconnecting");
    expect(button.querySelectorAll("svg.shape.unknown")).toHaveLength(1);
  });

  it("shows what waits while paused", () => {
    const { button } = show("paused", { waiting: 128 });
    expect(within(button).getByText("128 changes waiting")).toBeInTheDocument();
  });

  it("opens its details by keyboard, and Escape brings the focus back", async () => {
    const { button } = show("live");
    const user = userEvent.setup();
    await user.tab();
    expect(button).toHaveFocus();
    await user.keyboard("{Enter}");
    const details = screen.getByRole("region", { name: "Connection details" });
    for (const words of [
      "WebSocket",
      "23 ms",
      "every 5 s, slower while this tab is hidden",
      "1 another history",
      "1,204 frames, 381.2 kB",
    ]) {
      expect(within(details).getByText(words)).toBeInTheDocument();
    }
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("region", { name: "Connection details" })).toBeNull();
    expect(button).toHaveFocus();
  });

  it("offers to retry now when the link is lost, and only then", async () => {
    const user = userEvent.setup();
    const lost = show("reconnecting", { nextTryAt: NOW + 4400 });
    expect(within(lost.button).getByText("next try in 4 s")).toBeInTheDocument();
    await user.click(lost.button);
    await user.click(screen.getByRole("button", { name: "Retry now" }));
    expect(lost.retry).toHaveBeenCalledOnce();
    lost.unmount();

    const live = show("live");
    await user.click(live.button);
    expect(screen.queryByRole("button", { name: "Retry now" })).toBeNull();
  });
});
