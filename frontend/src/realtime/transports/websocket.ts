// The first choice: one socket, frames both ways (P1.2).

import type { Ending } from "../machine";
import { parseFrame, PROTOCOL, type ClientFrame } from "../protocol";
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
function endingOf(code: number): Ending {
  const final = code >= 4500 && code < 4600;
  return { reason: REASONS[code] ?? (final ? "refused" : "lost"), final };
}

export const websocket: Transport = {
  name: "websocket",
  patience: 4_000,
  open({ environment, server, client, wants, arrived, frame: take, closed }) {
    const send = (frame: ClientFrame): void => {
      socket.send(JSON.stringify(frame));
    };
    const socket = environment.socket(`${server.replace(/^http/, "ws")}/api/v1/ws`, `stockwire.v${PROTOCOL}`, {
      opened() {
        send({ type: "hello", protocol: PROTOCOL, client });
      },
      text(text) {
        arrived(text.length);
        let frame;
        try {
          frame = parseFrame(text);
        } catch {
          socket.close();
          closed({ reason: "malformed" });
        }
        if (!frame) return;
        // Before the hello is told: whoever hears of it and asks for a view then must not be asked for again.
        if (frame.type === "hello") {
          const { pace, views } = wants();
          send({ type: "pace", ...pace });
          views.forEach(send);
        }
        take(frame);
      },
      closed(code) {
        closed(endingOf(code));
      },
    });
    return {
      send,
      close() {
        socket.close();
      },
    };
  },
};
