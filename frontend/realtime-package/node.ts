// The world around a client that runs in Node: nobody hides the page, no battery runs low, and nothing is kept on disk.
//
// Node 20 has no WebSocket of its own; there a socket fails at once, and the client takes the next way.

import type { Environment } from "../src/realtime";

/** @param base the server's address, without a path */
export function nodeEnvironment(base: string): Environment {
  const memory = new Map<string, string>();

  const timer = (ms: number, run: () => void): (() => void) => {
    const id = setTimeout(run, ms);
    return () => {
      clearTimeout(id);
    };
  };

  return {
    base,
    timer,
    now: () => Date.now(),
    random: () => Math.random(),
    paint: (run) => timer(0, run),
    fetch: (url, init) => fetch(url, init),
    socket(url, protocol, listener) {
      if (typeof WebSocket === "undefined") {
        const forget = timer(0, () => {
          listener.closed(1006);
        });
        return { send: () => undefined, close: forget };
      }
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
          if (socket.readyState === WebSocket.OPEN) socket.send(text);
        },
        close() {
          socket.onopen = socket.onmessage = socket.onclose = null;
          socket.close();
        },
      };
    },
    online: () => true,
    visible: () => true,
    signals: () => () => undefined,
    recall: (name) => memory.get(name),
    remember(name, text) {
      memory.set(name, text);
    },
  };
}
