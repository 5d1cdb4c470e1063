// One fact once: what comes to be oversold is out of stock and low at the same moment.

import type { NotificationRow, RuleKind } from "./rows";

/** The conditions of which each is met with the one before it. */
const GRAVITY: Partial<Readonly<Record<RuleKind, number>>> = { low_stock: 1, out_of_stock: 2, oversold: 3 };

/** Whether another row says more of the same change of the same shelf. */
export function isOutdone(row: NotificationRow, others: readonly NotificationRow[]): boolean {
  const gravity = GRAVITY[row.kind];
  if (gravity === undefined) return false;
  const newest = row.members[0] ?? row.subject;
  return others.some(
    (other) =>
      (GRAVITY[other.kind] ?? 0) > gravity &&
      other.fired_version === row.fired_version &&
      (other.members[0] ?? other.subject) === newest,
  );
}
