// Finding a way that works: several transports as one channel.
//
// The first is tried; when it fails, or says no hello in its time, the next is tried too, beside it. The first hello
// wins and the others are dropped. A final refusal ends the race: the server was reached and said no.

import type { Ending } from "../machine";
import type { Caller, Channel, Transport } from "./channel";

/** Opens a channel over whichever of `transports` says hello first; `won` is told which. */
export function race(transports: readonly Transport[], caller: Caller, won: (winner: Transport) => void): Channel {
  const running = new Map<Transport, Channel>();
  const untried = [...transports];
  let winner: Channel | undefined;
  let hurry = (): void => undefined;

  const close = (): void => {
    hurry();
    running.forEach((channel) => {
      channel.close();
    });
    running.clear();
  };

  const fail = (ending: Ending): void => {
    close();
    caller.closed(ending);
  };

  const tryNext = (ending: Ending): void => {
    hurry();
    const transport = untried.shift();
    if (!transport) {
      fail(ending);
      return;
    }
    const present = (): boolean => (winner ? running.get(transport) === winner : running.has(transport));
    running.set(
      transport,
      transport.open({
        ...caller,
        arrived(bytes) {
          if (present()) caller.arrived(bytes);
        },
        frame(frame) {
          if (!present()) return;
          if (!winner) {
            if (frame.type !== "hello") return;
            hurry();
            winner = running.get(transport);
            for (const [other, channel] of running) {
              if (channel === winner) continue;
              running.delete(other);
              channel.close();
            }
            won(transport);
          }
          caller.frame(frame);
        },
        closed(ended) {
          if (!running.delete(transport)) return;
          if (winner || ended.final) fail(ended);
          else if (untried.length > 0) tryNext(ended);
          else if (running.size === 0) fail(ended);
        },
      }),
    );
    hurry = caller.environment.timer(transport.patience, () => {
      tryNext({ reason: "unreachable" });
    });
  };

  tryNext({ reason: "unreachable" });
  return {
    close,
    send(frame) {
      winner?.send(frame);
    },
  };
}
