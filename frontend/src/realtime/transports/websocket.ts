// The first choice: one socket, frames both ways (P1.2).

import type { Ending } from "../machine";
import { parseFrame, PROTOCOL, SUBPROTOCOL, type ClientFrame, type ServerFrame } from "../protocol";
import type { Transport } from "./channel";

const REASONS: Readonly<Record<number, string>> = {
  4005: "token",
  4500: "signed_out",
  4503: "removed",
  4504: "limit",
  4507: "not_allowed",
  4510: "version",
};

/** What a close code says (P8.3): 45xx are final. */
export function endingOf(code: number): Ending {
  const final = code >= 4500 && code < 4600;
  return { reason: REASONS[code] ?? (final ? "refused" : "lost"), final };
}

export const websocket: Transport = {
  name: "websocket",
  patience: 4_000,
  open(caller) {
    let over = false;
    const end = (ending?: Ending): void => {
      if (over) return;
      over = true;
      socket.close();
      if (ending) caller.closed(ending);
    };
    const send = (frame: ClientFrame): void => {
      if (!over) socket.send(JSON.stringify(frame));
    };
    const socket = caller.environment.socket(`${caller.server.replace(/^http/, "ws")}/api/v1/ws`, SUBPROTOCOL, {
      opened() {
        send({ type: "hello", protocol: PROTOCOL, client: caller.client });
      },
      text(text) {
        if (over) return;
        caller.arrived(text.length);
        let frame: ServerFrame | undefined;
        try {
          frame = parseFrame(text);
        } catch {
          end({ reason: "malformed" });
          return;
        }
        if (frame) caller.frame(frame);
        if (frame?.type !== "hello") return;
        const { pace, views } = caller.wants();
        send({ type: "pace", ...pace });
        views.forEach(send);
      },
      closed(code) {
        end(endingOf(code));
      },
    });
    return { send, close: end };
  },
};
