/** What went wrong, in the page's own words. The server's are English and for programs; the page goes by their code. */

import { perhaps, t } from "./language.svelte";
import type { Refusal } from "./refusal";

/** What happened to a read, whether anything is lost, and what to do. */
export function problemWords({ status, code }: Pick<Refusal, "status" | "code">): string {
  if (status === 401) return t("problem.signed_out");
  return perhaps(`problem.${code}`) ?? t("problem.other", { status: String(status) });
}
