import { fireEvent, render, screen } from "@testing-library/svelte";
import { expect, it, vi } from "vitest";

import DaysChoice from "../../src/components/dashboard/DaysChoice.svelte";

it("takes a day, and takes the other end along when that passes it", async () => {
  const onchoose = vi.fn();
  render(DaysChoice, { days: { from: "2026-03-10", to: "2026-03-15" }, today: "2026-03-25", onchoose });
  await fireEvent.change(screen.getByLabelText("From"), { target: { value: "2026-03-02" } });
  expect(onchoose).toHaveBeenLastCalledWith({ from: "2026-03-02", to: "2026-03-15" });
  await fireEvent.change(screen.getByLabelText("From"), { target: { value: "2026-03-20" } });
  expect(onchoose).toHaveBeenLastCalledWith({ from: "2026-03-20", to: "2026-03-20" });
  await fireEvent.change(screen.getByLabelText("To"), { target: { value: "" } });
  expect(onchoose).toHaveBeenCalledTimes(2);
});
