import { render, screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import RuleForm from "../../src/components/notifications/RuleForm.svelte";
import { formatsFor } from "../../src/lib/format";
import { BLANK } from "../../src/lib/rule-words";
import { definitionOf } from "../../src/stores/rules.store";
import type { RuleRow } from "../../src/stores/rows";
import { rule } from "../fixtures/notices";

const formats = formatsFor("GBP", "Europe/London", "en-GB");
const MAIL = { channel_id: "mail-1", name: "Office mail" };

/** What the server was sent, and what it answers; by default what a list of channels needs, and else that it is done. */
let sent: { method: string; path: string; body: Record<string, unknown> }[] = [];
let answers: Record<string, { status: number; body: unknown }> = {};

beforeEach(() => {
  sent = [];
  answers = {};
  vi.stubGlobal("fetch", (path: string, { method, body }: { method: string; body?: string }) => {
    if (method !== "GET") sent.push({ method, path, body: JSON.parse(body ?? "{}") as Record<string, unknown> });
    const lists = { channels: [MAIL], subscriptions: [], deliveries: [] };
    const { status, body: said } = answers[`${method} ${path}`] ?? { status: 200, body: method === "GET" ? lists : {} };
    return Promise.resolve(new Response(JSON.stringify(said), { status }));
  });
});
afterEach(() => vi.unstubAllGlobals());

function opened(of: RuleRow | null, newest: RuleRow | null = of) {
  const onclose = vi.fn();
  const begin = of === null ? BLANK : definitionOf(of);
  const { rerender } = render(RuleForm, { begin, rule: of, newest, formats, onclose });
  return { onclose, rerender, user: userEvent.setup() };
}

const field = (name: string | RegExp): HTMLElement => screen.getByLabelText(name);

describe("the form of a rule", () => {
  it("holds a metric against the same time last week, where there is one", async () => {
    const { onclose, user } = opened(null);
    await user.selectOptions(field("What"), "metric");
    await user.selectOptions(field("Metric"), "net_sales");
    await user.selectOptions(field("Period"), "today");
    await user.selectOptions(field("Comparison"), "below");
    await user.selectOptions(field("Compared with"), "week_before");
    await user.clear(field("Limit"));
    await user.type(field("Limit"), "25");
    expect(
      screen.getByText("Tell me when net sales today is more than 25 % below the same time last week."),
    ).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Add rule" }));
    await vi.waitFor(() => expect(onclose).toHaveBeenCalled());
    expect(sent[0]?.body).toMatchObject({
      metric: "net_sales",
      comparison: "below",
      against: "week_before",
      threshold: 25,
    });
    await user.selectOptions(field("Metric"), "source_lag");
    await user.selectOptions(field("Period"), "now");
    expect(field("Compared with")).toHaveDisplayValue("a number");
  });

  it("says by which channels it tells", async () => {
    const { onclose, user } = opened(rule({ kind: "oversold", name: "Oversold" }));
    await user.click(field("what each person has chosen"));
    await user.click(await screen.findByLabelText("Browsers and phones"));
    await user.click(screen.getByRole("button", { name: "Save" }));
    await vi.waitFor(() => expect(onclose).toHaveBeenCalled());
    expect(sent[0]?.body.channels).toEqual(["mail-1"]);
  });

  it("does not overwrite what somebody else changed meanwhile", async () => {
    const mine = rule({ kind: "oversold", name: "Oversold", revision: 1 });
    const theirs = { ...mine, name: "By another", revision: 2, updated_by: "bea" };
    const { onclose, rerender, user } = opened(mine);
    const path = "PUT /api/v1/rules/default-oversold";
    answers[path] = { status: 409, body: { code: "conflict", detail: "was changed" } };
    await user.click(screen.getByRole("button", { name: "Save" }));
    expect(await screen.findByText(/Somebody else has changed it meanwhile/)).toBeVisible();
    await rerender({ newest: theirs });
    expect(screen.getByText(/bea has changed this rule/)).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Take theirs" }));
    expect(field("Name")).toHaveValue("By another");
    expect(screen.queryByText(/bea has changed/)).toBeNull();
    answers = {};
    await user.click(screen.getByRole("button", { name: "Save" }));
    await vi.waitFor(() => expect(onclose).toHaveBeenCalled());
    expect(sent.map(({ body }) => body.revises)).toEqual([1, 2]);
  });

  it.each([
    ["by_hour", /one value an hour is kept/, /Would have fired 2 times/],
    ["not_kept", /cannot be tried/, null],
  ])("says what of the past is not known (%s)", async (gap, words, fired) => {
    const { user } = opened(null);
    const found = { fired: 2, since: "2026-03-02T10:00:00Z", complete: false, gap, per_day: [], examples: [] };
    answers["POST /api/v1/rules/preview"] = { status: 200, body: found };
    await user.click(screen.getByRole("button", { name: "Try it on the past" }));
    expect(await screen.findByText(words)).toBeVisible();
    expect(screen.queryAllByText(/Would have fired/).length).toBe(fired === null ? 0 : 1);
  });
});
