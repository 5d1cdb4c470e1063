import { describe, expect, it, vi } from "vitest";

import { atHand } from "../../src/lib/at-hand";

describe("a part of the page that is fetched when it is first shown", () => {
  it("is promised once and at hand from then on", async () => {
    const fetch = vi.fn(() => Promise.resolve("screen"));
    const part = atHand(fetch);
    const promised = part();
    expect(promised).toBeInstanceOf(Promise);
    expect(await promised).toBe("screen");
    expect(part()).toBe("screen");
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it("is asked for again after it could not be brought", async () => {
    const fetch = vi
      .fn<() => Promise<string>>()
      .mockRejectedValueOnce(new Error("no network"))
      .mockResolvedValue("screen");
    const part = atHand(fetch);
    await expect(part()).rejects.toThrow("no network");
    expect(await part()).toBe("screen");
  });
});
