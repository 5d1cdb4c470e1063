/** A refusal: what the API did not do, and what it says about it. */

/** Something was not done, or not told. `status` is 0 when nobody answered; `code` is that of the problem. */
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

/** Nobody answered. */
export function silence(): Refusal {
  return new Refusal(0, "silent");
}

/** What an answer that is no success says: its problem's code, or `other` where it brings none. */
export async function refusalOf(answer: Response): Promise<Refusal> {
  const said: unknown = await answer.json().catch(() => undefined);
  const { code, detail } = Object(said) as { readonly code?: unknown; readonly detail?: unknown };
  return new Refusal(
    answer.status,
    typeof code === "string" ? code : "other",
    typeof detail === "string" ? detail : undefined,
  );
}
