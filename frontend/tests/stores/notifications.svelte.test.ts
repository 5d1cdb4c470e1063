import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Refusal } from "../../src/lib/refusal";
import { Notifications } from "../../src/stores/notifications.store";
import { Person, USUAL } from "../../src/stores/person.store";
import type { NotificationRow, PersonRow } from "../../src/stores/rows";
import { Watching } from "../../src/stores/watching.store";
import { notice, personRow } from "../fixtures/notices";

/** A view as it stands. */
function view<Row>(rows: readonly Row[], more: object = {}) {
  return { rows, loaded: true, error: undefined, ...more };
}
const nobody = { type: "error", code: "forbidden" } as const;
const at = (version: number): NotificationRow =>
  notice({ kind: "oversold", subject: `stock/${version}/main`, fired_version: version });
const someone = (row: Partial<PersonRow> = {}): Person => new Person(view([{ ...personRow(), watched: [], ...row }]));

/** What was asked of the server, which answers with that status. */
function server(status = 200) {
  const asked: [string, string, unknown][] = [];
  vi.stubGlobal("fetch", (address: string, init: RequestInit) => {
    asked.push([init.method ?? "", address, init.body === undefined ? undefined : JSON.parse(init.body as string)]);
    return Promise.resolve(
      new Response(JSON.stringify(status < 400 ? { version: 9 } : { code: "forbidden" }), { status }),
    );
  });
  return asked;
}

beforeEach(() => localStorage.clear());
afterEach(() => vi.unstubAllGlobals());

describe("what is unread", () => {
  it("fired after what the person read through, and was not read by itself", () => {
    const rows = [at(60), at(50), at(40)];
    const read = [at(50).notification_id];
    const store = new Notifications(view(rows), someone({ read_through: 40, read }));
    expect(store.unread.map((row) => row.fired_version)).toEqual([60]);
  });

  it("counts a shelf once that came to be low, out of stock and oversold at once", () => {
    const shelf = (kind: "low_stock" | "out_of_stock" | "oversold", fired_version: number) =>
      notice({ kind, subject: "stock/MUG/main", fired_version });
    const at_once = [shelf("low_stock", 60), shelf("out_of_stock", 60), shelf("oversold", 60)];
    const store = new Notifications(view([...at_once, shelf("out_of_stock", 50)]), someone());
    expect(store.unread.map(({ kind, fired_version }) => [kind, fired_version])).toEqual([
      ["oversold", 60],
      ["out_of_stock", 50],
    ]);
  });

  it("is everything for who never read anything, and nothing until it is known who looks", () => {
    expect(new Notifications(view([at(1)]), new Person(view<PersonRow>([]))).unread).toHaveLength(1);
    expect(new Notifications(view([at(1)]), new Person(view<PersonRow>([], { loaded: false }))).unread).toEqual([]);
  });

  it("is read by the version that fired last", async () => {
    const asked = server();
    await new Notifications(view([at(60), at(50)]), someone()).readAll();
    expect(asked).toEqual([["POST", "/api/v1/notifications/read", { through: 60 }]]);
  });
});

describe("what a person does about a notification", () => {
  it("names it as one part of the address, whatever is in its id", async () => {
    const asked = server();
    const store = new Notifications(view([at(60)]), someone());
    await store.acknowledge("low/stock/A B/main@12");
    await store.snooze("low/x@12", Date.parse("2026-03-02T14:15:00Z"));
    await store.resolve("low/x@12");
    expect(asked).toEqual([
      ["POST", "/api/v1/notifications/low%2Fstock%2FA%20B%2Fmain%4012/acknowledge", undefined],
      ["POST", "/api/v1/notifications/low%2Fx%4012/snooze", { until: "2026-03-02T14:15:00.000Z" }],
      ["POST", "/api/v1/notifications/low%2Fx%4012/resolve", undefined],
    ]);
  });

  it("that was refused says why", async () => {
    server(409);
    await expect(new Notifications(view([]), someone()).resolve("x")).rejects.toMatchObject({
      status: 409,
      code: "forbidden",
    });
  });

  it("that nobody answered is a refusal too", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
    await expect(someone().readAll(3)).rejects.toEqual(new Refusal(0, "silent"));
  });
});

describe("a person", () => {
  it("who said nothing is told without shouting", () => {
    expect(new Person(view<PersonRow>([])).preferences).toEqual(USUAL);
  });

  it("whose row the server does not keep is not served", () => {
    expect(new Person(view<PersonRow>([], { error: nobody })).served).toBe(false);
    expect(new Person(view<PersonRow>([], { loaded: false })).served).toBeUndefined();
  });
});

describe("watching an order", () => {
  it("counts at once and stands in the person's row", async () => {
    const asked = server();
    const who = someone();
    const watching = new Watching(who);
    const done = watching.toggle("10/1");
    expect(watching.has("10/1")).toBe(true);
    await done;
    expect(asked).toEqual([["PUT", "/api/v1/me/watched/10%2F1", undefined]]);
    expect(localStorage.getItem("stockwire.watched")).toBeNull();
  });

  it("ends at once, and goes on when that was refused", async () => {
    server(500);
    const watching = new Watching(someone({ watched: ["7"] }));
    const done = watching.toggle("7");
    expect(watching.has("7")).toBe(false);
    await expect(done).rejects.toBeInstanceOf(Refusal);
    expect(watching.has("7")).toBe(true);
  });

  it("is this browser's own business where the server keeps no row, or has no room for it", async () => {
    const here = new Watching(new Person(view<PersonRow>([], { error: nobody })));
    await here.toggle("1");
    server(403);
    const refused = new Watching(someone());
    await refused.toggle("2");
    expect([here.has("1"), refused.has("2")]).toEqual([true, true]);
    expect(JSON.parse(localStorage.getItem("stockwire.watched") ?? "")).toEqual(["1", "2"]);
  });

  it("of before is handed over once", async () => {
    localStorage.setItem("stockwire.watched", '["1","2"]');
    const asked = server();
    const watching = new Watching(someone({ watched: ["2"] }));
    expect(watching.ids).toEqual(["2", "1"]);
    await watching.handOver();
    await watching.handOver();
    expect(asked.map(([method, address]) => [method, address])).toEqual([
      ["PUT", "/api/v1/me/watched/1"],
      ["PUT", "/api/v1/me/watched/2"],
    ]);
    expect(localStorage.getItem("stockwire.watched")).toBeNull();
  });

  it("of before is lost to nobody when handing over fails", async () => {
    localStorage.setItem("stockwire.watched", '["1"]');
    server(503);
    const watching = new Watching(someone());
    await watching.handOver();
    expect(watching.ids).toEqual(["1"]);
  });
});
