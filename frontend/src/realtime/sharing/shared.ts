// A tab's way to the server over another's connection: a transport as any other, for a client that knows no difference.
//
// When the host goes, or its link comes back, the tab is told to come at once and not by its own backoff; and when somebody
// looks at the tab again, the host is told to hurry. Where no host answers, as where a browser forbids workers, the tab
// connects by itself; should one answer after all, it moves there.

import type { Environment, Signal } from "../environment";
import { PROTOCOL, type SubscribeFrame } from "../protocol";
import type { Kept } from "../table";
import type { Caller, Channel, Transport } from "../transports/channel";
import { race } from "../transports/race";
import { altered } from "./altered";
import type { HostMessage, Line, Membership } from "./line";

/** Nobody answered in this time: perhaps nobody will. */
const NOBODY = 2_000;
/** The host says when its link is lost; until then its tries are waited for. */
const PATIENCE = 60_000;

export interface Shared {
  readonly transport: Transport;
  /** The tab's environment, whose signals also tell when to come back. */
  readonly environment: Environment;
  /** Has whoever holds the connection try now, whatever its plan was. */
  readonly hurry: () => void;
}

/**
 * @param direct the ways to take when there is nobody to share with
 * @param kept the content of a view, by the frame that asked for it
 */
export function shared(
  line: Line,
  direct: readonly Transport[],
  environment: Environment,
  kept: (frame: SubscribeFrame) => Kept | undefined,
): Shared {
  const listeners = new Set<(signal: Signal) => void>();
  let name: Transport["name"] | undefined;
  let alone = false;
  let membership: Membership | undefined;
  /** Takes what the host says to the channel that is open now. */
  let take: (message: HostMessage) => void = () => undefined;

  const comeBack = (): void => {
    for (const listener of [...listeners]) listener("wake");
  };

  const join = (): Membership =>
    (membership ??= line.join(
      (message) => {
        if (message.type === "joined") name = message.transport ?? name;
        if (message.type === "back") comeBack();
        else take(message);
      },
      () => {
        membership = undefined;
        take({ type: "lost", ending: { reason: "moved" } });
        comeBack();
      },
    ));

  const hurry = (): void => {
    membership?.say({ type: "hurry" });
  };

  const leave = (): void => {
    take = () => undefined;
    membership?.leave();
    membership = undefined;
  };

  const open = (caller: Caller): Channel => {
    const host = join();
    const patience = environment.timer(NOBODY, () => {
      alone = true;
      take = () => undefined;
      caller.closed({ reason: "unreachable" });
      comeBack();
    });
    take = (message) => {
      patience();
      switch (message.type) {
        case "joined":
        case "back":
          break;
        case "carried":
          caller.arrived(message.bytes);
          break;
        case "give":
          host.say({ type: "given", frame: message.frame, kept: kept(message.frame) });
          break;
        case "lost":
          // The tab stays a guest, so that it hears when the link is back.
          take = () => undefined;
          caller.closed(message.ending);
          break;
        default:
          // As on a socket: before the hello is told.
          if (message.type === "hello") ask(host, caller);
          caller.frame(message);
      }
    };
    host.say({ type: "hello", protocol: PROTOCOL, client: caller.client });
    return {
      send: (frame) => {
        host.say(frame);
      },
      close: () => {
        patience();
        leave();
      },
    };
  };

  /** Connects by itself, for as long as no host answers. */
  const openAlone = (caller: Caller): Channel => {
    const channel = race(direct, caller, (way) => {
      ({ name } = way);
    });
    take = (message) => {
      if (message.type !== "joined") return;
      alone = false;
      take = () => undefined;
      channel.close();
      caller.closed({ reason: "moved" });
      comeBack();
    };
    join();
    return {
      send: (frame) => {
        channel.send(frame);
      },
      close: () => {
        channel.close();
        leave();
      },
    };
  };

  return {
    transport: {
      get name() {
        return name ?? "websocket";
      },
      patience: PATIENCE,
      open: (caller) => (alone ? openAlone(caller) : open(caller)),
    },
    hurry,
    environment: altered(environment, {
      signals(listener) {
        listeners.add(listener);
        const stop = environment.signals((signal) => {
          if (signal === "wake") hurry();
          listener(signal);
        });
        return () => {
          listeners.delete(listener);
          stop();
          leave();
        };
      },
    }),
  };
}

function ask(host: Membership, { wants }: Caller): void {
  const { pace, views } = wants();
  host.say({ type: "pace", ...pace });
  for (const view of views) host.say(view);
}
