import { afterEach, describe, expect, it, vi } from "vitest";

import { heedConditions } from "../../src/realtime/conditions";
import { browserEnvironment } from "../../src/realtime/environment";
import type { Signal } from "../../src/realtime/environment";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("the browser as an environment", () => {
  it("tells what happens to the page, until nobody listens any more", () => {
    const told: Signal[] = [];
    const stop = browserEnvironment().signals((signal) => told.push(signal));
    for (const type of ["online", "offline", "pagehide", "pageshow"]) window.dispatchEvent(new Event(type));
    for (const type of ["visibilitychange", "freeze", "resume"]) document.dispatchEvent(new Event(type));
    expect(told).toEqual(["wake", "offline", "leave", "wake", "wake", "leave", "wake"]);
    stop();
    window.dispatchEvent(new Event("online"));
    expect(told).toHaveLength(7);
  });

  it("opens sockets that can be let go of without another word", () => {
    class FakeSocket {
      static readonly OPEN = 1;
      static last: FakeSocket;
      readyState = 1;
      closed = false;
      sent: string[] = [];
      onopen: (() => void) | null = null;
      onmessage: ((event: { data: unknown }) => void) | null = null;
      onclose: ((event: { code: number }) => void) | null = null;
      constructor(
        readonly url: string,
        readonly protocol: string,
      ) {
        FakeSocket.last = this;
      }
      send(text: string): void {
        this.sent.push(text);
      }
      close(): void {
        this.closed = true;
      }
    }
    vi.stubGlobal("WebSocket", FakeSocket);
    const heard: unknown[] = [];
    const socket = browserEnvironment().socket("ws://shop.test/", "stockwire.v1", {
      opened: () => heard.push("opened"),
      text: (text) => heard.push(text),
      closed: (code) => heard.push(code),
    });
    const { last } = FakeSocket;
    last.onopen?.();
    last.onmessage?.({ data: "a" });
    last.onclose?.({ code: 1006 });
    socket.send("b");
    expect(heard).toEqual(["opened", "a", 1006]);
    expect(last.sent).toEqual(["b"]);
    socket.close();
    expect([last.closed, last.onopen, last.onmessage, last.onclose]).toEqual([true, null, null, null]);
  });

  it("paints with the next frame, or within a second when the page paints nothing", () => {
    vi.useFakeTimers();
    vi.stubGlobal("requestAnimationFrame", () => 1);
    vi.stubGlobal("cancelAnimationFrame", () => undefined);
    const painted: string[] = [];
    const environment = browserEnvironment();
    environment.paint(() => painted.push("a"));
    environment.paint(() => painted.push("b"))();
    vi.advanceTimersByTime(1_000);
    expect(painted).toEqual(["a"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("goes on where storage is forbidden", () => {
    vi.stubGlobal("localStorage", undefined);
    const environment = browserEnvironment();
    environment.remember("pace", "5");
    expect(environment.recall("pace")).toBeUndefined();
  });
});

describe("network and battery", () => {
  it("slow the pace where the browser tells of them, until nobody listens any more", async () => {
    const connection = Object.assign(new EventTarget(), { saveData: true, effectiveType: "slow-2g" });
    const battery = Object.assign(new EventTarget(), { level: 0.1, charging: false });
    vi.stubGlobal(
      "navigator",
      Object.assign(Object.create(navigator) as object, { connection, getBattery: () => Promise.resolve(battery) }),
    );
    const slowed = new Map<string, number>();
    const stop = heedConditions({ slow: (reason, interval) => void slowed.set(reason, interval) });
    await Promise.resolve();
    expect(Object.fromEntries(slowed)).toEqual({ metered: 5_000, slow: 5_000, battery: 10_000 });
    connection.saveData = false;
    battery.charging = true;
    connection.dispatchEvent(new Event("change"));
    battery.dispatchEvent(new Event("chargingchange"));
    expect(Object.fromEntries(slowed)).toEqual({ metered: 0, slow: 5_000, battery: 0 });
    stop();
    battery.charging = false;
    battery.dispatchEvent(new Event("chargingchange"));
    expect(slowed.get("battery")).toBe(0);
  });

  it("are nobody's matter where the browser does not tell of them", () => {
    const slowed: string[] = [];
    heedConditions({ slow: (reason) => void slowed.push(reason) })();
    expect(slowed).toEqual([]);
  });
});
