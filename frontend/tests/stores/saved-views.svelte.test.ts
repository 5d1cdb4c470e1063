import { beforeEach, describe, expect, it, vi } from "vitest";

import type { Person } from "../../src/stores/person.store";
import { SavedViews, viewOf } from "../../src/stores/saved-views.store";

/** A server that keeps a row for this reader, or none. */
function someone(served: boolean, views: Record<string, Record<string, string>> = {}) {
  return {
    served,
    viewsOf: (screen: string) => views[screen] ?? {},
    keepView: vi.fn((screen: string, name: string, query: string) => {
      views[screen] = { ...views[screen], [name]: query };
      return Promise.resolve();
    }),
    forgetView: vi.fn((screen: string, name: string) => {
      delete views[screen]?.[name];
      return Promise.resolve();
    }),
  };
}
const on = (screen: string, who: ReturnType<typeof someone>): SavedViews =>
  new SavedViews(screen, who as unknown as Person);

beforeEach(() => {
  localStorage.clear();
});

it("a view is the address without the open row and the moment looked back at", () => {
  expect(viewOf(new URLSearchParams("status=low&sku=MUG&in=main&at=2026-03-02T14:00:00Z&q=mug"))).toBe(
    "q=mug&status=low",
  );
});

describe("a person's views", () => {
  it("stand in the person's own row, by screen", async () => {
    const who = someone(true);
    await on("/inventory", who).save("Low", new URLSearchParams("status=low"));
    expect(who.keepView).toHaveBeenCalledExactlyOnceWith("inventory", "Low", "status=low");
    expect(on("/inventory", who).views).toEqual([{ name: "Low", query: "status=low" }]);
    expect(on("/orders", who).views).toEqual([]);
    expect(localStorage.getItem("stockwire.views")).not.toContain("Low");
  });

  it("are handed over by the browser that kept them, once", async () => {
    await on("/orders", someone(false)).save("Late", new URLSearchParams("lateness=late"));
    const who = someone(true);
    const views = on("/orders", who);
    expect(views.views).toEqual([{ name: "Late", query: "lateness=late" }]);
    await views.handOver();
    await on("/orders", who).handOver();
    expect(who.keepView).toHaveBeenCalledExactlyOnceWith("orders", "Late", "lateness=late");
    expect(views.views).toEqual([{ name: "Late", query: "lateness=late" }]);
  });

  it("stay with the browser when handing over is refused", async () => {
    await on("/orders", someone(false)).save("Late", new URLSearchParams("lateness=late"));
    const who = someone(true);
    who.keepView.mockRejectedValue(new Error("refused"));
    await on("/orders", who).handOver();
    expect(on("/orders", someone(false)).views).toEqual([{ name: "Late", query: "lateness=late" }]);
  });

  it("are forgotten where they are kept", async () => {
    const who = someone(true, { orders: { Late: "lateness=late" } });
    await on("/orders", who).forget("Late");
    expect(on("/orders", who).views).toEqual([]);
  });
});

describe("without a row for this reader, a person's views", () => {
  it("are found again on this browser, by screen", async () => {
    await on("/inventory", someone(false)).save("Low", new URLSearchParams("status=low"));
    expect(on("/inventory", someone(false)).views).toEqual([{ name: "Low", query: "status=low" }]);
    expect(on("/orders", someone(false)).views).toEqual([]);
  });

  it("are replaced by one of the same name, and forgotten", async () => {
    const views = on("/inventory", someone(false));
    await views.save("Low", new URLSearchParams("status=low"));
    await views.save("Low", new URLSearchParams("status=low,oversold"));
    expect(views.views).toEqual([{ name: "Low", query: "status=low%2Coversold" }]);
    await views.forget("Low");
    expect(on("/inventory", someone(false)).views).toEqual([]);
  });

  it("begin with none where what is kept is not what was written", () => {
    for (const kept of ["nonsense", "3", '{"/inventory":5}', '{"/inventory":[{"name":1}]}']) {
      localStorage.setItem("stockwire.views", kept);
      expect(on("/inventory", someone(false)).views).toEqual([]);
    }
  });
});
