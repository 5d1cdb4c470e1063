// Everything the client needs from the world around it: clock, dice, timers, network, and what the page's life tells.
// Whoever wants to test the client, or run it elsewhere, brings another one.

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

/**
 * What happens to the page or its machine. `wake`: the network is back, or somebody looks again. `hide`: nobody looks.
 * `leave`: the page is put away, perhaps to come back.
 */
export type Signal = "wake" | "offline" | "hide" | "leave";

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
  /** Tells what happens to the page until the function it gives is called. */
  signals(listener: (signal: Signal) => void): () => void;
  /** What was remembered under a name, over reloads where the browser allows. */
  recall(name: string): string | undefined;
  remember(name: string, text: string): void;
}

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
    signals(listener) {
      const life = new AbortController();
      const { signal } = life;
      const on = (type: string, told: Signal): void => {
        globalThis.addEventListener(
          type,
          () => {
            listener(told);
          },
          { signal },
        );
      };
      on("online", "wake");
      on("offline", "offline");
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
    online: () => navigator.onLine,
    visible,
    signals(listener) {
      const life = new AbortController();
      const { signal } = life;
      const on = (target: EventTarget, told: Readonly<Record<string, Signal>>): void => {
        for (const [type, what] of Object.entries(told))
          target.addEventListener(
            type,
            () => {
              listener(type === "visibilitychange" && !visible() ? "hide" : what);
            },
            { signal },
          );
      };
      on(window, { online: "wake", offline: "offline", pagehide: "leave", pageshow: "wake" });
      on(document, { visibilitychange: "wake", freeze: "leave", resume: "wake" });
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
