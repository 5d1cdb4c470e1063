// What a person does about rules, notifications, channels and their own row: one request each. Nothing is kept here; what
// became of it comes back with the feeds, to every tab and device alike.

/** Something was not done. `status` is 0 when nobody answered; `code` is that of the problem. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  /** What the server says about it, in English; for the details of an input that it does not take. */
  readonly detail: string | undefined;

  constructor(status: number, code: string, detail?: string) {
    super(`${status} ${code}`);
    this.name = "Refusal";
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

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
    throw new Refusal(0, "silent");
  }
  const said: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return said;
  const { code, detail } = Object(said) as { readonly code?: unknown; readonly detail?: unknown };
  throw new Refusal(
    answer.status,
    typeof code === "string" ? code : "other",
    typeof detail === "string" ? detail : undefined,
  );
}
