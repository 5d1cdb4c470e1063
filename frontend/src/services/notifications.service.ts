// What a person does about rules, notifications, channels and their own row: one request each. Nothing is kept here; what
// became of it comes back with the feeds, to every tab and device alike.

import { Refusal, refusalOf, silence } from "../lib/refusal";

/** Whether the server does not do this for this reader at all: no such thing, or no right to it. */
export function isForeign(error: unknown): boolean {
  return error instanceof Refusal && [403, 404, 405].includes(error.status);
}

export type Method = "GET" | "POST" | "PUT" | "DELETE";

const API = "/api/v1/";

/** A path of these parts, each written so that it stays one part. */
export function path(...parts: readonly string[]): string {
  return parts.map(encodeURIComponent).join("/");
}

/**
 * Asks the API, by the session's cookie.
 *
 * @throws Refusal when it was not done
 */
export async function ask(method: Method, where: string, body?: unknown): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(API + where, {
      method,
      credentials: "same-origin",
      headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw silence();
  }
  if (!answer.ok) throw await refusalOf(answer);
  return (await answer.json().catch(() => undefined)) as unknown;
}
