import { beforeEach, describe, expect, it } from "vitest";

import { orderAddress, routeOf, router, stockAddress } from "../../src/lib/router";

describe("addresses", () => {
  it("lead to their screens", () => {
    expect(routeOf("/")).toEqual({ name: "overview" });
    expect(routeOf("/inventory")).toEqual({ name: "inventory" });
    expect(routeOf("/orders/")).toEqual({ name: "orders" });
    expect(routeOf("/sign-in")).toEqual({ name: "sign-in" });
    expect(routeOf("/nowhere")).toEqual({ name: "missing" });
    expect(routeOf("/orders/1/2")).toEqual({ name: "missing" });
  });

  it("carry any order id and any SKU unharmed", () => {
    for (const id of ["shop/17 ä", "100%", "a?b#c", "../x"]) {
      expect(routeOf(new URL(orderAddress(id), "http://shop.test").pathname)).toEqual({ name: "order", id });
    }
    const query = new URL(stockAddress("A&B/1", "Hall 2"), "http://shop.test").searchParams;
    expect([query.get("sku"), query.get("in")]).toEqual(["A&B/1", "Hall 2"]);
  });

  it("that are badly encoded lead to an order that is not there, not to an error", () => {
    expect(routeOf("/orders/%E0%A4%A")).toEqual({ name: "order", id: "%E0%A4%A" });
  });
});

describe("the query", () => {
  beforeEach(() => window.history.replaceState(null, "", "/inventory?status=low"));

  it("keeps what it is not asked about", () => {
    router.ask({ q: "mug" });
    expect(window.location.search).toBe("?status=low&q=mug");
  });

  it("loses fields that are empty", () => {
    router.ask({ status: null });
    expect(window.location.href).toMatch(/\/inventory$/);
  });
});

describe("links", () => {
  function clicked(href: string, how: MouseEventInit = {}): boolean {
    const link = document.createElement("a");
    link.href = href;
    document.body.append(link);
    const event = new MouseEvent("click", { bubbles: true, cancelable: true, ...how });
    link.addEventListener("click", (seen) => router.follow(seen));
    link.dispatchEvent(event);
    link.remove();
    return event.defaultPrevented;
  }

  it("to screens are followed in place", () => {
    expect(clicked("/orders?late=late")).toBe(true);
    expect(window.location.pathname + window.location.search).toBe("/orders?late=late");
  });

  it("are the browser's with a key held, or to elsewhere", () => {
    expect(clicked("/inventory", { ctrlKey: true })).toBe(false);
    expect(clicked("/docs")).toBe(false);
    expect(clicked("https://shop.test/orders")).toBe(false);
  });
});
