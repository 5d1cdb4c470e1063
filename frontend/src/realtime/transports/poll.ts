// Where streams do not pass either: one question after the other (P1.4). Each answer brings the frames since the last.

import { asFrame } from "../protocol";
import type { Transport } from "./channel";
import { repeat } from "./repeat";

export const poll: Transport = {
  name: "poll",
  patience: 10_000,
  open: (caller) =>
    repeat(caller, "/api/v1/poll", "application/json", async (answer, alive) => {
      const text = await answer.text();
      if (!alive()) return undefined;
      caller.arrived(text.length);
      const { frames } = JSON.parse(text) as { frames: readonly unknown[] };
      for (const each of frames) {
        const frame = alive() ? asFrame(each) : undefined;
        if (frame) caller.frame(frame);
      }
      return "again";
    }),
};
