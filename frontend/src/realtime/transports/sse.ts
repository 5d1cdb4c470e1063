// Where sockets do not pass: a stream of Server-Sent Events (P1.3), read by `fetch` so that it can carry headers and a
// body, and can be given up.
//
// The stream has no way back. What the client says changes what it wants, so a new stream is opened with the cursors it
// holds; the old one is dropped first, and nothing of it is taken any more (P5.7).

import { parseFrame } from "../protocol";
import type { Transport } from "./channel";
import { repeat } from "./repeat";

/** One event of a stream. */
export interface StreamEvent {
  readonly type: string;
  readonly data: string;
  readonly id: string;
}

/** Takes a stream's text in pieces of any size; gives each event to `emit` when its empty line is there. */
export function eventParser(emit: (event: StreamEvent) => void): (text: string) => void {
  let rest = "";
  let begun = false;
  let type = "";
  let id = "";
  let data: string[] = [];

  const line = (text: string): void => {
    if (text === "") {
      if (data.length > 0) emit({ type: type || "message", data: data.join("\n"), id });
      [type, data] = ["", []];
      return;
    }
    const colon = text.indexOf(":");
    const name = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (name === "data") data.push(value);
    else if (name === "event") type = value;
    else if (name === "id" && !value.includes("\0")) id = value;
  };

  return (text) => {
    if (!begun && text) {
      begun = true;
      text = text.replace(/^\ufeff/, "");
    }
    // A CR at the end may be half of a CRLF; it waits for what follows.
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    lines.forEach(line);
  };
}

export const sse: Transport = {
  name: "sse",
  patience: 3_000,
  open: (caller) =>
    repeat(caller, "/api/v1/stream", "text/event-stream", async (answer, alive) => {
      const reader = answer.body?.getReader();
      const decoder = new TextDecoder();
      const parse = eventParser(({ data }) => {
        const frame = alive() ? parseFrame(data) : undefined;
        if (frame) caller.frame(frame);
      });
      for (;;) {
        const piece = await reader?.read();
        if (!alive()) return undefined;
        if (!piece || piece.done) return { reason: "lost" };
        caller.arrived(piece.value.byteLength);
        parse(decoder.decode(piece.value, { stream: true }));
      }
    }),
};
