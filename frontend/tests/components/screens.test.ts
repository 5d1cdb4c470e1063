import { render, screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import EmptyInstallation from "../../src/components/dashboard/EmptyInstallation.svelte";
import UrgentStock from "../../src/components/dashboard/UrgentStock.svelte";
import LanguageChoice from "../../src/components/shell/LanguageChoice.svelte";
import PaceControl from "../../src/components/shell/PaceControl.svelte";
import { formatsFor } from "../../src/lib/format";
import { language } from "../../src/lib/language.svelte";
import SignIn from "../../src/pages/SignIn.svelte";
import { session } from "../../src/stores/session.store";
import { stockRows } from "../fixtures/shop";

const formats = formatsFor("GBP", "Europe/London", "en-GB");

describe("urgent stock", () => {
  it("says how far below zero a product is", () => {
    const [row] = stockRows(1, 0);
    if (!row) throw new Error("The made-up shop is empty.");
    render(UrgentStock, { rows: [{ ...row, available: -4, stock_status: "oversold" }], loaded: true, formats });
    expect(screen.getByText("Oversold by 4")).toBeInTheDocument();
    expect(screen.getByRole("link")).toHaveAttribute("href", expect.stringContaining("/inventory?sku="));
  });

  it("says that nothing is urgent, which is not the same as loading", () => {
    render(UrgentStock, { rows: [], loaded: true, formats });
    expect(screen.getByText("Nothing is oversold, out of stock or low.")).toBeInTheDocument();
  });
});

it("an empty installation says how to send the first event to this very address", () => {
  render(EmptyInstallation, { origin: "http://shop.test:8420" });
  expect(screen.getByLabelText("Command that sends a first event")).toHaveTextContent(
    "curl http://shop.test:8420/api/v1/events",
  );
});

describe("the pace", () => {
  it("pauses with one press and goes back to the speed before", async () => {
    const onpace = vi.fn();
    const { rerender } = render(PaceControl, { chosen: 5000, effective: 5000, paused: false, onpace });
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Pause updates" }));
    expect(onpace).toHaveBeenLastCalledWith("paused");
    await rerender({ chosen: 5000, effective: 5000, paused: true, onpace });
    await user.click(screen.getByRole("button", { name: "Resume updates" }));
    expect(onpace).toHaveBeenLastCalledWith(5000);
  });

  it("shows the effective speed when it is slower than the wish", () => {
    render(PaceControl, { chosen: 0, effective: 30_000, paused: false, onpace: vi.fn() });
    expect(screen.getByRole("option", { name: "Live (now 30 s)" })).toBeInTheDocument();
  });
});

describe("signing in", () => {
  beforeEach(() => window.history.replaceState(null, "", "/sign-in"));

  it("spends the token of the address, takes it out of it, and goes to the overview", async () => {
    const spent = vi.spyOn(session, "signIn").mockResolvedValue("ok");
    window.history.replaceState(null, "", "/sign-in#one-time");
    render(SignIn);
    expect(window.location.hash).toBe("");
    await vi.waitFor(() => expect(window.location.pathname).toBe("/"), { timeout: 60_000 });
    expect(spent).toHaveBeenCalledExactlyOnceWith("one-time");
  });

  it("says how to get a new link when this one was used", async () => {
    vi.spyOn(session, "signIn").mockResolvedValue("refused");
    window.history.replaceState(null, "", "/sign-in#spent");
    render(SignIn);
    expect(await screen.findByText("This link was used or is too old")).toBeInTheDocument();
    expect(screen.getByText("stockwire link")).toBeInTheDocument();
  });

  it("keeps the token for another try when nobody answers", async () => {
    const spent = vi.spyOn(session, "signIn").mockResolvedValueOnce("unreachable").mockResolvedValueOnce("ok");
    window.history.replaceState(null, "", "/sign-in#later");
    render(SignIn);
    await userEvent.click(await screen.findByRole("button", { name: "Try again" }));
    await vi.waitFor(() => expect(window.location.pathname).toBe("/"), { timeout: 60_000 });
    expect(spent).toHaveBeenLastCalledWith("later");
  });

  it("explains itself without a token", () => {
    render(SignIn);
    expect(screen.getByRole("heading", { name: "Sign in to Stockwire" })).toBeInTheDocument();
  });
});

describe("the language", () => {
  afterEach(() => language.choose("en"));

  it("is chosen by its own name, and what is on the screen follows without a reload", async () => {
    render(LanguageChoice);
    render(PaceControl, { chosen: 0, effective: 0, paused: false, onpace: vi.fn() });
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "Language" }), "Deutsch");
    expect(await screen.findByRole("button", { name: "Aktualisierung anhalten" })).toBeInTheDocument();
    expect(screen.getByRole("combobox", { name: "Sprache" })).toHaveValue("de");
    expect(screen.getByRole("option", { name: "Alle 5 s" })).toBeInTheDocument();
  });
});
