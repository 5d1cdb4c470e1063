// The shared worker: it holds the browser's one connection, and each tab reaches it by a port of its own.
//
// A port does not tell that its tab is gone. So a tab holds a lock under a name that it tells first; who gets that lock
// knows. Where there are no locks, a tab that says nothing for long is gone.

import { workerEnvironment } from "../environment";
import { Host } from "./host";
import type { GuestMessage, Introduction, Presence } from "./line";

const scope = self as unknown as { onconnect: ((event: MessageEvent) => void) | null; readonly navigator: Navigator };
const host = new Host({ environment: workerEnvironment(), name: "stockwire-page/1" });
const locks = scope.navigator.locks as LockManager | undefined;
const alive = `stockwire.worker.${Math.random()}`;
/** Nobody is told of the lock before it is held: who got it first would take this worker for gone. */
const held = new Promise<void>((granted) => {
  void locks?.request(alive, () => {
    granted();
    return new Promise(() => undefined);
  });
});

scope.onconnect = ({ ports: [port] }) => {
  if (!port) return;
  const guest = host.serve((message) => {
    port.postMessage(message);
  });
  const leave = (): void => {
    guest.leave();
    port.close();
  };
  port.onmessage = ({ data }: MessageEvent<GuestMessage | Introduction>) => {
    if (data.type === "join") void locks?.request(data.lock, leave);
    else if (data.type === "leave") leave();
    else guest.hear(data);
  };
  void held.then(() => {
    port.postMessage({ type: "here", lock: alive } satisfies Presence);
  });
};
