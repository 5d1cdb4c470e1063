import { afterEach, describe, expect, it, vi } from "vitest";

import { atHand, eventually } from "../../src/lib/at-hand";

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

describe("a part that nobody asks for", () => {
  afterEach(() => {
    vi.useRealTimers();
    document.head.replaceChildren();
  });

  it("is tried until it comes, with its styles", async () => {
    vi.useFakeTimers();
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = "/assets/watch.css";
    document.head.append(link);
    const fetch = vi
      .fn<() => Promise<string>>()
      .mockRejectedValueOnce(new Error("no styles"))
      .mockRejectedValueOnce(new Error("no script"))
      .mockResolvedValue("watch");
    const promised = eventually(fetch)();
    await vi.advanceTimersByTimeAsync(999);
    expect(fetch).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(fetch).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await promised).toBe("watch");
    expect([...document.head.querySelectorAll("link")].map((one) => one.href)).toEqual([link.href, link.href]);
  });
});
