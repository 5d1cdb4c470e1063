import { beforeEach, describe, expect, it } from "vitest";

import { SavedViews, viewOf } from "../../src/lib/saved-views.svelte";

beforeEach(() => {
  localStorage.clear();
});

describe("a person's views", () => {
  it("are the address without the open row and the moment looked back at", () => {
    expect(viewOf(new URLSearchParams("status=low&sku=MUG&in=main&at=2026-03-02T14:00:00Z&q=mug"))).toBe(
      "q=mug&status=low",
    );
  });

  it("are found again on this browser, by screen", () => {
    new SavedViews("/inventory").save("Low", new URLSearchParams("status=low"));
    expect(new SavedViews("/inventory").views).toEqual([{ name: "Low", query: "status=low" }]);
    expect(new SavedViews("/orders").views).toEqual([]);
  });

  it("are replaced by one of the same name, and forgotten", () => {
    const views = new SavedViews("/inventory");
    views.save("Low", new URLSearchParams("status=low"));
    views.save("Low", new URLSearchParams("status=low,oversold"));
    expect(views.views).toEqual([{ name: "Low", query: "status=low%2Coversold" }]);
    views.forget("Low");
    expect(new SavedViews("/inventory").views).toEqual([]);
  });

  it("begin with none where what is kept is not what was written", () => {
    for (const kept of ["nonsense", "3", '{"/inventory":5}', '{"/inventory":[{"name":1}]}']) {
      localStorage.setItem("stockwire.views", kept);
      expect(new SavedViews("/inventory").views).toEqual([]);
    }
  });
});
