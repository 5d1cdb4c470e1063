// What SSE and long-poll have in common: the views travel with the request (P1.5), and a status is a verdict (P8.3).

import type { Ending } from "../machine";
import { asFrame, type ServerFrame } from "../protocol";
import type { Caller } from "./channel";

/** Longer addresses do not pass everywhere; their content goes into a body. */
const URL_MOST = 4_096;

/** Asks for what is wanted now. `patient`: the answer may wait for news; else it comes at once, to show that there is one. */
export function ask(
  caller: Caller,
  path: string,
  accept: string,
  patient: boolean,
  signal: AbortSignal,
): Promise<Response> {
  const { views, pace, wait } = caller.wants();
  const wants = { views: views.map(({ type: _, ...view }) => view), ...pace, wait: patient ? wait : 0 };
  const query = Object.entries(wants)
    .map(([name, value]) => `${name}=${encodeURIComponent(typeof value === "object" ? JSON.stringify(value) : value)}`)
    .join("&");
  const address = caller.server + path;
  const headers = { accept, ...caller.headers };
  const shared = { signal, cache: "no-store" } as const;
  return address.length + query.length < URL_MOST
    ? caller.environment.fetch(`${address}?${query}`, { ...shared, headers })
    : caller.environment.fetch(address, {
        ...shared,
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(wants),
      });
}

/** What an answer that is no stream says. */
export function endingOf(answer: Response, now: number): Ending {
  const { status } = answer;
  const after = answer.headers.get("retry-after");
  const seconds = Number(after);
  const retryAfter =
    after === null ? 0 : Math.max(0, Number.isNaN(seconds) ? (Date.parse(after) || now) - now : seconds * 1_000);
  return {
    reason: status === 401 ? "signed_out" : status === 403 ? "not_allowed" : "refused",
    final: status >= 400 && status < 500 && status !== 429,
    retryAfter,
  };
}

/** The error frame for the view that a refusal is about, if it names one (P4.6). */
export async function refusedView(answer: Response): Promise<ServerFrame | undefined> {
  if (answer.status !== 400 && answer.status !== 413) return undefined;
  const problem = (await answer.json().catch(() => ({}))) as { code?: string; problems?: { path?: string }[] };
  const id = problem.problems?.at(-1)?.path;
  return id === undefined ? undefined : asFrame({ ...problem, id, type: "error" });
}
