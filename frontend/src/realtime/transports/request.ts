// A channel made of requests: one at a time, each with what is wanted at its start (P1.5), given up when that changes.
// The status of an answer is a verdict (P8.3).

import type { Ending } from "../machine";
import { asFrame, type ServerFrame } from "../protocol";
import type { Caller, Channel } from "./channel";

/** Reads an answer; gives how the channel ends, or nothing when the next question is due. */
export type Read = (answer: Response, take: (frame: ServerFrame | undefined) => void) => Promise<Ending | undefined>;

/** Longer addresses do not pass everywhere; their content goes into a body. */
const URL_MOST = 4_096;
/** Milliseconds between an answer and the next question: eyes need no more, and a refusal must not become a loop. */
const GAP = 250;
/** Seconds that an answer was waited for, from which on its failure may be a proxy's impatience. */
const HURRY = 2;

/** Opens the channel. What is said within one turn of the page makes one new request. */
export function repeat(caller: Caller, path: string, read: Read): Channel {
  const { environment } = caller;
  let present: AbortController | undefined;
  let most = Infinity;
  let callOff = (): void => undefined;

  const close = (): void => {
    callOff();
    present?.abort();
    present = undefined;
  };

  const once = async (signal: AbortSignal, patient: boolean): Promise<Ending | undefined> => {
    const take = (frame: ServerFrame | undefined): void => {
      if (frame && !signal.aborted) caller.frame(frame);
    };
    const answer = await ask(caller, path, patient ? most : 0, signal);
    if (answer.ok) return read(answer, take);
    const refused = await refusedView(answer);
    take(refused);
    return refused ? undefined : endingOf(answer, environment.now());
  };

  const run = async (patient: boolean): Promise<void> => {
    close();
    const { signal } = (present = new AbortController());
    const asked = environment.now();
    const ending = await once(signal, patient).catch((error: unknown): Ending => ({
      reason: error instanceof SyntaxError ? "malformed" : "unreachable",
    }));
    if (signal.aborted) return;
    const waited = (environment.now() - asked) / 1_000;
    // Cut while it waited: something between here and there has less patience.
    if (ending && !ending.final && patient && most > 1 && waited >= HURRY) most = Math.max(1, Math.floor(waited / 2));
    else if (ending) {
      close();
      caller.closed(ending);
      return;
    }
    askAgain(GAP, true);
  };

  const askAgain = (after = 0, patient = false): void => {
    callOff();
    callOff = environment.timer(after, () => void run(patient));
  };

  askAgain();
  return {
    close,
    send({ type }) {
      if (present && type !== "ping") askAgain();
    },
  };
}

/** Asks for what is wanted now. The answer may wait for news as long as the caller wants, but at most `most` seconds. */
function ask(
  { wants, server, headers, environment }: Caller,
  path: string,
  most: number,
  signal: AbortSignal,
): Promise<Response> {
  const { views, pace, wait } = wants();
  const wanted = { views: JSON.stringify(views), ...pace, wait: Math.min(wait, most) };
  const query = `?${new URLSearchParams(wanted as never).toString()}`;
  const init: RequestInit = { signal, cache: "no-store", headers };
  if (query.length < URL_MOST) return environment.fetch(server + path + query, init);
  return environment.fetch(server + path, {
    ...init,
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ ...wanted, views }),
  });
}

/** What an answer that is no stream says. */
function endingOf({ status, headers }: Response, now: number): Ending {
  const after = headers.get("retry-after") ?? "";
  return {
    reason: status === 401 ? "signed_out" : status === 403 ? "not_allowed" : "refused",
    final: status >= 400 && status < 500 && status !== 408 && status !== 429,
    retryAfter: Math.max(0, +after * 1_000 || Date.parse(after) - now || 0),
  };
}

/** The error frame for the view that a refusal is about, if it names one (P4.6). */
async function refusedView(answer: Response): Promise<ServerFrame | undefined> {
  const problem = (await answer.json().catch(() => ({}))) as { problems?: { path?: string }[] };
  const id = problem.problems?.at(-1)?.path;
  return id === undefined ? undefined : asFrame({ ...problem, id, type: "error" });
}
