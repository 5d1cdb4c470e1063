// How the tabs of this browser come by one connection: a shared worker where there are such, else a leader among the
// tabs, else each its own.

import workerUrl from "../realtime/sharing/worker?sharedworker&url";
import { poll, sse, websocket, type Environment, type Kept, type Transport } from "../realtime";
import type { SubscribeFrame } from "../realtime/protocol";
import { Host } from "../realtime/sharing/host";
import { leadership } from "../realtime/sharing/leader";
import {
  tabLock,
  type GuestMessage,
  type HostMessage,
  type Introduction,
  type Line,
  type Neighbourhood,
  type Presence,
} from "../realtime/sharing/line";
import { shared } from "../realtime/sharing/shared";
import { trusted } from "./trusted";

/** How a client reaches the server in this browser. */
export interface Way {
  readonly environment: Environment;
  readonly transports: readonly Transport[];
  /** Where the connection is held for several tabs: has it tried now, whatever the plan was. */
  readonly hurry?: () => void;
}

const DIRECT = [websocket, sse, poll];

/** The tabs of this browser; undefined where they cannot know of each other. */
export function browserNeighbourhood(): Neighbourhood | undefined {
  const locks = navigator.locks as LockManager | undefined;
  if (!locks || !("BroadcastChannel" in globalThis)) return undefined;
  return {
    lock(name, held, { seize = false, lost } = {}) {
      const life = new AbortController();
      const { signal } = life;
      let release = (): void => undefined;
      let holds = false;
      const hold = (): Promise<void> =>
        new Promise((done) => {
          release = done;
          holds = !signal.aborted;
          if (holds) held();
          else done();
        });
      locks.request(name, seize ? { steal: true } : { signal }, hold).catch(() => {
        if (holds && !signal.aborted) lost?.();
      });
      return () => {
        life.abort();
        release();
      };
    },
    channel(name, hear) {
      const channel = new BroadcastChannel(name);
      channel.onmessage = ({ data }) => {
        hear(data);
      };
      return {
        say: (message) => {
          channel.postMessage(message);
        },
        close: () => {
          channel.close();
        },
      };
    },
  };
}

/** A line to the worker: a port for each time that the tab joins. */
export function workerLine(connect: () => MessagePort, neighbourhood: Neighbourhood, id: string): Line {
  return {
    join(hear, gone) {
      const port = connect();
      const say = (message: GuestMessage | Introduction): void => {
        port.postMessage(message);
      };
      // Who asks for the lock before the tab holds it would take the tab for gone.
      let forget = neighbourhood.lock(tabLock(id), () => {
        say({ type: "join", lock: tabLock(id) });
      });
      const leave = (): void => {
        forget();
        port.onmessage = null;
        port.close();
      };
      port.onmessage = ({ data }: MessageEvent<HostMessage | Presence>) => {
        if (data.type !== "here") {
          hear(data);
          return;
        }
        const release = forget;
        const unwatch = neighbourhood.lock(data.lock, () => {
          leave();
          gone();
        });
        forget = () => {
          release();
          unwatch();
        };
      };
      return {
        say,
        leave() {
          say({ type: "leave" });
          leave();
        },
      };
    },
  };
}

/** This browser's way. `kept` gives a view's content by the frame that asked for it. */
export function browserWay(environment: Environment, kept: (frame: SubscribeFrame) => Kept | undefined): Way {
  const neighbourhood = browserNeighbourhood();
  if (!neighbourhood) return { environment, transports: DIRECT };
  const id = crypto.randomUUID();
  if ("SharedWorker" in globalThis) {
    const address = trusted("stockwire-worker", workerUrl);
    const connect = (): MessagePort => new SharedWorker(address, { type: "module", name: "stockwire" }).port;
    const way = shared(workerLine(connect, neighbourhood, id), DIRECT, environment, kept);
    return { environment: way.environment, transports: [way.transport], hurry: way.hurry };
  }
  const line = leadership(neighbourhood, id, environment, () => new Host({ environment, name: "stockwire-page/1" }));
  const way = shared(standing(line.stand, line, environment), DIRECT, environment, kept);
  return { environment: way.environment, transports: [way.transport], hurry: way.hurry };
}

/** A line on which the tab takes part in leading from its first joining until the browser puts the page away. */
function standing(stand: () => () => void, line: Line, environment: Environment): Line {
  let stands = false;
  return {
    join(hear, gone) {
      if (!stands) {
        stands = true;
        const resign = stand();
        const unwatch = environment.signals((signal) => {
          if (signal !== "leave") return;
          stands = false;
          unwatch();
          resign();
        });
      }
      return line.join(hear, gone);
    },
  };
}
