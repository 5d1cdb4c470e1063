import { render, screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";

import Bell from "../../src/components/notifications/Bell.svelte";
import NoticeList from "../../src/components/notifications/NoticeList.svelte";
import Toasts from "../../src/components/notifications/Toasts.svelte";
import { formatsFor } from "../../src/lib/format";
import { toasts } from "../../src/lib/toasts";
import type { NotificationRow } from "../../src/stores/rows";
import { notice } from "../fixtures/notices";

const NOW = Date.parse("2026-03-02T14:00:00Z");
const formats = formatsFor("GBP", "Europe/London", "en-GB");
const mug = (version: number, of: Partial<NotificationRow> = {}): NotificationRow =>
  notice(
    { kind: "oversold", subject: `stock/${version}/main`, name: `Mug ${version}`, fired_version: version, ...of },
    NOW,
  );

function list(rows: readonly NotificationRow[], more: object = {}) {
  const known = new Map(rows.map((row) => [row.notification_id, row]));
  return {
    rows,
    known: (id: string) => known.get(id),
    isUnread: () => true,
    formats,
    timezone: "Europe/London",
    now: NOW,
    onact: vi.fn(),
    onopen: vi.fn(),
    ...more,
  };
}
const titles = (): (string | null)[] => screen.getAllByRole("heading", { level: 3 }).map((one) => one.textContent);

it("the bell says how many are unread, also to who does not see it", () => {
  render(Bell, { unread: 120, open: false, onpress: vi.fn() });
  expect(screen.getByRole("button", { name: "Notifications, 120 unread" })).toHaveTextContent("99+");
});

describe("a list of notifications", () => {
  it("offers what can be done about each", async () => {
    const shown = list([mug(1)]);
    render(NoticeList, shown);
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Acknowledge: Mug 1 is oversold" }));
    await user.click(screen.getByRole("button", { name: "Snooze: Mug 1 is oversold" }));
    await user.click(screen.getByRole("button", { name: "15 min" }));
    await user.click(screen.getByRole("button", { name: "Resolve: Mug 1 is oversold" }));
    expect(shown.onact.mock.calls.map(([, act]) => act as unknown)).toEqual([
      { act: "acknowledge" },
      { act: "snooze", until: NOW + 900_000 },
      { act: "resolve" },
    ]);
  });

  it("offers nothing to do about what only happened", () => {
    render(
      NoticeList,
      list([notice({ kind: "back_in_stock", subject: "stock/1/main", state: "resolved", resolved_by: "" })]),
    );
    expect(screen.queryByRole("button", { name: /Acknowledge|Resolve/ })).toBeNull();
  });

  it("does not move under the pointer, and offers what came", async () => {
    const { rerender, container } = render(NoticeList, list([mug(1)]));
    const user = userEvent.setup();
    await user.hover(container.querySelector(".list") as HTMLElement);
    await rerender(list([mug(2), mug(1)]));
    expect(titles()).toHaveLength(1);
    await user.click(screen.getByRole("button", { name: "Show 1 new" }));
    expect(titles()).toHaveLength(2);
  });

  it("keeps what was acted on where it is, as it is now", async () => {
    const { rerender, container } = render(NoticeList, list([mug(2), mug(1)]));
    await userEvent.setup().hover(container.querySelector(".list") as HTMLElement);
    const done = mug(2, { state: "resolved", resolved_by: "ada" });
    await rerender(list([mug(1)], { known: (id: string) => (id === done.notification_id ? done : undefined) }));
    expect(titles()).toHaveLength(2);
    expect(screen.getByText("resolved by ada")).toBeInTheDocument();
  });
});

describe("toasts", () => {
  afterEach(() => toasts.putAllAway());

  it("interrupt a screen reader only for what needs action now", async () => {
    render(Toasts);
    toasts.tell({ key: "a", severity: "critical", title: "Mug is oversold", text: "Now -3" });
    toasts.tell({ key: "b", severity: "warning", title: "Tray is running low", text: "Now 3" });
    expect(await screen.findByRole("alert")).toHaveTextContent("Mug is oversold");
    expect(screen.getAllByRole("alert")).toHaveLength(1);
  });

  it("have one thing to do, and are put away one by one", async () => {
    const seen = vi.fn();
    render(Toasts);
    toasts.tell({
      key: "a",
      severity: "warning",
      title: "Mug",
      text: "",
      action: { words: "Open", href: "#mug" },
      seen,
    });
    toasts.tell({ key: "b", severity: "warning", title: "Tray", text: "" });
    const region = await screen.findByRole("region", { name: "News" });
    const user = userEvent.setup();
    await user.click(within(region).getByRole("button", { name: "Put away: Tray" }));
    await user.click(within(region).getByRole("link", { name: "Open" }));
    expect(seen).toHaveBeenCalledOnce();
    expect(screen.queryByRole("region", { name: "News" })).toBeNull();
  });
});
