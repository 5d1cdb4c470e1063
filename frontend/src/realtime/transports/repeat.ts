// A channel made of requests: one at a time, each with what is wanted at its start, given up when that changes.

import type { Ending } from "../machine";
import type { Caller, Channel } from "./channel";
import { ask, endingOf, refusedView } from "./request";

/** Reads an answer. Gives how the channel ends, or that the next question is due; nothing when it was given up. */
export type Read = (answer: Response, alive: () => boolean) => Promise<Ending | "again" | undefined>;

/** Milliseconds between an answer and the next question: eyes need no more, and a refusal must not become a loop. */
const GAP = 250;

/** Opens the channel. What is said within one turn of the page makes one new request. */
export function repeat(caller: Caller, path: string, accept: string, read: Read): Channel {
  let present: AbortController | undefined;
  let stopAsking = (): void => undefined;

  const close = (): void => {
    stopAsking();
    present?.abort();
    present = undefined;
  };

  const once = async (request: AbortController, patient: boolean): Promise<Ending | "again" | undefined> => {
    const alive = (): boolean => present === request;
    const answer = await ask(caller, path, accept, patient, request.signal);
    if (!alive()) return undefined;
    if (answer.ok) return read(answer, alive);
    const refused = await refusedView(answer);
    if (!alive()) return undefined;
    if (!refused) return endingOf(answer, caller.environment.now());
    caller.frame(refused);
    return "again";
  };

  const run = async (patient: boolean): Promise<void> => {
    close();
    const request = (present = new AbortController());
    const lost = (error: unknown): Ending => ({
      reason: error instanceof SyntaxError ? "malformed" : "unreachable",
    });
    const outcome = await once(request, patient).catch(lost);
    if (present !== request || outcome === undefined) return;
    if (outcome === "again") {
      askAgain(GAP, true);
      return;
    }
    close();
    caller.closed(outcome);
  };

  const askAgain = (after = 0, patient = false): void => {
    stopAsking();
    stopAsking = caller.environment.timer(after, () => void run(patient));
  };

  askAgain();
  return {
    close,
    send({ type }) {
      if (present && type !== "ping") askAgain();
    },
  };
}
