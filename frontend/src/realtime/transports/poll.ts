// Where streams do not pass either: one question after the other (P1.4). Each answer brings the frames since the last.

import { asFrame } from "../protocol";
import type { Transport } from "./channel";
import { repeat } from "./request";

export const poll: Transport = {
  name: "poll",
  patience: 10_000,
  open: (caller) =>
    repeat(caller, "/api/v1/poll", async (answer, take) => {
      const text = await answer.text();
      caller.arrived(text.length);
      const { frames } = JSON.parse(text) as { frames: readonly unknown[] };
      for (const each of frames) take(asFrame(each));
      return undefined;
    }),
};
