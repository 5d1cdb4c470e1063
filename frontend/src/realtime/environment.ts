// Everything the client needs from the world around it: clock, dice, timers, network, and what the page's life tells.
// Whoever wants to test the client, or run it elsewhere, brings another one.

import type { Conditions } from "./pauses";

/** What a socket tells. After `closed` it tells nothing more. */
export interface SocketListener {
  opened(): void;
  text(text: string): void;
  closed(code: number): void;
}

export interface Socket {
  send(text: string): void;
  /** Ends it; its listener hears nothing more. */
  close(): void;
}

/** What happens to the page. `conditions`: network or battery changed. `leave`: it is put away, perhaps to come back. */
export type Signal = "online" | "offline" | "shown" | "hidden" | "leave" | "conditions";

export interface Environment {
  /** Milliseconds since 1970, as the machine believes. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
  /** Calls once after `ms` milliseconds; gives what calls it off. */
  timer(ms: number, run: () => void): () => void;
  /** Calls before the next painting, or soon when nothing is painted; gives what calls it off. */
  paint(run: () => void): () => void;
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Never calls the listener before it returns. */
  socket(url: string, protocol: string, listener: SocketListener): Socket;
  /** Where relative addresses start. */
  readonly base: string;
  online(): boolean;
  visible(): boolean;
  conditions(): Conditions;
  /** Tells what happens to the page until the function it gives is called. */
  signals(listener: (signal: Signal) => void): () => void;
  /** What was remembered under a name, over reloads where the browser allows. */
  recall(name: string): string | undefined;
  remember(name: string, text: string): void;
}

interface Battery extends EventTarget {
  readonly level: number;
  readonly charging: boolean;
}

interface BrowserNavigator extends Navigator {
  readonly connection?: EventTarget & { readonly saveData?: boolean; readonly effectiveType?: string };
  getBattery?: () => Promise<Battery>;
}

const LOW_BATTERY = 0.2;
const PAINT_AT_LATEST = 1_000;

function timer(ms: number, run: () => void): () => void {
  const id = setTimeout(run, ms);
  return () => {
    clearTimeout(id);
  };
}

/** What a page and a worker have alike. */
const SHARED = {
  now: () => Date.now(),
  random: () => Math.random(),
  timer,
  fetch: (url: string, init: RequestInit) => fetch(url, init),
  socket(url: string, protocol: string, listener: SocketListener): Socket {
    const socket = new WebSocket(url, protocol);
    socket.onopen = () => {
      listener.opened();
    };
    socket.onmessage = ({ data }) => {
      listener.text(String(data));
    };
    socket.onclose = ({ code }) => {
      listener.closed(code);
    };
    return {
      send(text) {
        if (socket.readyState === 1) socket.send(text);
      },
      close() {
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
      },
    };
  },
};

/** A worker, which nobody looks at and which keeps nothing. */
export function workerEnvironment(): Environment {
  const memory = new Map<string, string>();
  return {
    ...SHARED,
    base: location.origin,
    paint: (run) => timer(0, run),
    online: () => navigator.onLine,
    visible: () => true,
    conditions: () => ({ metered: false, slow: false, battery: false }),
    signals(listener) {
      const life = new AbortController();
      for (const signal of ["online", "offline"] as const)
        globalThis.addEventListener(
          signal,
          () => {
            listener(signal);
          },
          { signal: life.signal },
        );
      return () => {
        life.abort();
      };
    },
    recall: (name) => memory.get(name),
    remember: (name, text) => {
      memory.set(name, text);
    },
  };
}

/** The browser this runs in. */
export function browserEnvironment(): Environment {
  const browser = navigator as BrowserNavigator;
  const { connection } = browser;
  let battery: Battery | undefined;
  const visible = (): boolean => document.visibilityState !== "hidden";

  return {
    ...SHARED,
    base: location.origin,
    paint(run) {
      const now = (): void => {
        stop();
        run();
      };
      const frame = requestAnimationFrame(now);
      const late = timer(PAINT_AT_LATEST, now);
      const stop = (): void => {
        cancelAnimationFrame(frame);
        late();
      };
      return stop;
    },
    online: () => browser.onLine,
    visible,
    conditions: () => ({
      metered: !!connection?.saveData,
      slow: !!connection?.effectiveType?.endsWith("2g"),
      battery: !!battery && !battery.charging && battery.level <= LOW_BATTERY,
    }),
    signals(listener) {
      const life = new AbortController();
      const { signal } = life;
      const on = (target: EventTarget | undefined, told: Readonly<Record<string, Signal>>): void => {
        for (const [type, what] of Object.entries(told))
          target?.addEventListener(
            type,
            () => {
              listener(type === "visibilitychange" && !visible() ? "hidden" : what);
            },
            { signal },
          );
      };
      on(window, { online: "online", offline: "offline", pagehide: "leave", pageshow: "shown" });
      on(document, { visibilitychange: "shown", freeze: "leave", resume: "shown" });
      on(connection, { change: "conditions" });
      void browser.getBattery?.().then(
        (found) => {
          if (signal.aborted) return;
          battery = found;
          on(found, { levelchange: "conditions", chargingchange: "conditions" });
          listener("conditions");
        },
        () => undefined,
      );
      return () => {
        life.abort();
      };
    },
    recall(name) {
      try {
        return localStorage.getItem(name) ?? undefined;
      } catch {
        return undefined;
      }
    },
    remember(name, text) {
      try {
        localStorage.setItem(name, text);
      } catch {
        // Not remembering is all that follows where storage is forbidden or full.
      }
    },
  };
}
