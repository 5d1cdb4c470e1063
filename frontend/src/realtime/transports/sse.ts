// Where sockets do not pass: a stream of Server-Sent Events (P1.3), read by `fetch` so that it can carry headers and a
// body, and can be given up.
//
// The stream has no way back. What the client says changes what it wants, so a new stream is opened with the cursors it
// holds; the old one is dropped first, and nothing of it is taken any more (P5.7).

import { parseFrame } from "../protocol";
import type { Transport } from "./channel";
import { repeat } from "./request";

/** One event of a stream. */
export interface StreamEvent {
  readonly type: string;
  readonly data: string;
  readonly id: string;
}

/**
 * Takes a stream's text in pieces of any size; gives each event to `emit` when its empty line is there. A byte order
 * mark before all is the decoder's to take away.
 */
export function eventParser(emit: (event: StreamEvent) => void): (text: string) => void {
  let rest = "";
  let type = "";
  let id = "";
  let data: string[] = [];

  const line = (text: string): void => {
    const [, name, value = ""] = /^([^:]*):? ?(.*)/s.exec(text) ?? [];
    if (name === "data") data.push(value);
    else if (name === "event") type = value;
    else if (name === "id" && !value.includes("\0")) id = value;
    if (text) return;
    if (data.length > 0) emit({ type: type || "message", data: data.join("\n"), id });
    [type, data] = ["", []];
  };

  return (text) => {
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
    repeat(caller, "/api/v1/stream", async (answer, take) => {
      const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
      const decoder = new TextDecoder();
      const parse = eventParser(({ data }) => {
        take(parseFrame(data));
      });
      for (;;) {
        const { value } = await reader.read();
        if (!value) return { reason: "lost" };
        caller.arrived(value.length);
        parse(decoder.decode(value, { stream: true }));
      }
    }),
};
