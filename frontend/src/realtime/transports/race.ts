// Finding a way that works: several transports as one channel.
//
// The first is tried; when it fails, or says no hello in its time, the next is tried too, beside it. The first hello
// wins and the others are dropped. A final refusal ends the race: the server was reached and said no. Later, a better
// way may be tried beside the one that won, and takes its place with its hello.

import type { Ending } from "../machine";
import type { Caller, Channel, Transport } from "./channel";

export interface Race extends Channel {
  /** Tries these ways too, beside the one that won. */
  challenge(ways: readonly Transport[]): void;
}

/** Opens a channel over whichever of `ways` says hello first; `won` is told which, before its hello. */
export function race(ways: readonly Transport[], caller: Caller, won: (winner: Transport) => void): Race {
  const running = new Map<Transport, Channel>();
  let winner: Transport | undefined;
  let untried: Transport[] = [];
  let calm = (): void => undefined;

  const drop = (but?: Transport): void => {
    calm();
    for (const [way, channel] of running) {
      if (way !== but && running.delete(way)) channel.close();
    }
  };

  const tryNext = (ending: Ending): void => {
    const way = untried.shift();
    if (!way) {
      drop(winner);
      if (!winner) caller.closed(ending);
      return;
    }
    calm();
    running.set(
      way,
      way.open({
        ...caller,
        frame(frame) {
          if (!running.has(way)) return;
          if (way !== winner) {
            if (frame.type !== "hello") return;
            winner = way;
            drop(way);
            won(way);
          }
          caller.frame(frame);
        },
        closed(ended) {
          if (!running.delete(way)) return;
          if (way === winner || (!winner && ended.final)) {
            drop();
            caller.closed(ended);
          } else if (untried.length > 0 || running.size === 0) tryNext(ended);
        },
      }),
    );
    calm = caller.environment.timer(way.patience, () => {
      tryNext({ reason: "unreachable" });
    });
  };

  const challenge = (some: readonly Transport[]): void => {
    untried = [...some];
    tryNext({ reason: "unreachable" });
  };

  challenge(ways);
  return {
    challenge,
    close: drop,
    send(frame) {
      if (winner) running.get(winner)?.send(frame);
    },
  };
}
