import { describe, expect, it } from "vitest";

import { pushed } from "../../src/offline/pushes";

const ORIGIN = "https://shop.test";
const message = (more: object = {}, notification: object = {}): string =>
  JSON.stringify({
    web_push: 8030,
    notification: {
      title: "Blue mug is oversold at main",
      body: "Now: -3.",
      navigate: "https://shop.test/inventory?sku=MUG-01&in=main",
      tag: "default-oversold/location/main",
      lang: "en",
      ...notification,
    },
    severity: "warning",
    happened: "fired",
    ...more,
  });

describe("a push", () => {
  it("shows its words and leads to what it is about", () => {
    const { title, options } = pushed(message(), ORIGIN);
    expect([title, options.body, options.lang]).toEqual(["Blue mug is oversold at main", "Now: -3.", "en"]);
    expect(options.data.address).toBe("https://shop.test/inventory?sku=MUG-01&in=main");
  });

  it("takes the place of an earlier one about the same thing, and sounds again only when critical", () => {
    expect(pushed(message(), ORIGIN).options).toMatchObject({
      tag: "default-oversold/location/main",
      renotify: false,
      requireInteraction: false,
    });
    expect(pushed(message({ severity: "critical" }), ORIGIN).options).toMatchObject({
      renotify: true,
      requireInteraction: true,
    });
  });

  it("leads nowhere but to this page", () => {
    for (const navigate of ["https://elsewhere.test/orders/1001", "//elsewhere.test/orders/1001", "/orders/1001"])
      expect(pushed(message({}, { navigate }), ORIGIN).options.data.address).toBe("https://shop.test/orders/1001");
    for (const navigate of ["javascript:alert(1)", "data:text/html,x"])
      expect(pushed(message({}, { navigate }), ORIGIN).options.data.address).toBe("https://shop.test/notifications");
  });

  it.each([undefined, "", "nonsense", "null", "[]", '{"notification":5}'])(
    "that cannot be read (%s) is shown too, and leads to the centre",
    (text) => {
      const { title, options } = pushed(text, ORIGIN);
      expect(title).toBe("Stockwire");
      expect(options.data.address).toBe("https://shop.test/notifications");
    },
  );
});
