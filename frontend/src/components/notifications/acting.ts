// What a person does about a notification from any list of them, and what is said when it was not done.

import { problemWords } from "../../lib/problems";
import { t } from "../../lib/language.svelte";
import { toasts } from "../../lib/toasts";
import { notifications } from "../../stores/notifications.store";
import { person } from "../../stores/person.store";
import type { NotificationRow } from "../../stores/rows";

export type Act =
  | { readonly act: "read" }
  | { readonly act: "acknowledge" }
  | { readonly act: "resolve" }
  | { readonly act: "snooze"; readonly until: number };

/** What a refusal tells of itself. */
interface Refused {
  readonly status: number;
  readonly code: string;
}

export function isRefused(error: unknown): error is Refused {
  return error instanceof Error && "status" in error && "code" in error;
}

/** Does it; a refusal pops up and says what became of it. Gives whether it was done. */
export async function act(deed: () => Promise<unknown>): Promise<boolean> {
  try {
    await deed();
    toasts.withdraw("refused");
    return true;
  } catch (error) {
    const why = isRefused(error) ? error : { status: 0, code: "silent" };
    toasts.tell({ key: "refused", severity: "warning", title: t("notice.not_done"), text: problemWords(why) });
    return false;
  }
}

export const open = {
  /** A notification that was opened is read. */
  read(row: NotificationRow): void {
    if (notifications.isUnread(row)) void act(() => person.read([row.notification_id]));
  },

  async perform(row: NotificationRow, what: Act): Promise<void> {
    const id = row.notification_id;
    if (what.act === "acknowledge") await notifications.acknowledge(id);
    else if (what.act === "resolve") await notifications.resolve(id);
    else if (what.act === "snooze") await notifications.snooze(id, what.until);
    if (notifications.isUnread(row)) await person.read([id]);
  },
};
