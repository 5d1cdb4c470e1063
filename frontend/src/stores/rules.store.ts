// The rules by which somebody is told of something: as the server has them, changed by whole definitions, and tried on the
// past before they are kept.

import { ask, path } from "../services/notifications.service";
import type { RuleRow } from "./rows";
import { createView } from "./view.store";

/** What a person says of a rule; the rest of its row is the server's. */
export type Definition = Omit<RuleRow, "version" | "rule_id" | "built_in" | "revision" | "updated_by" | "updated_at">;

/** What a rule would have told in the past. */
export interface Preview {
  readonly fired: number;
  readonly since: string;
  /** What of the week is not known; null: nothing, that is all. */
  readonly gap: "too_many" | "by_hour" | "not_kept" | null;
  readonly per_day: readonly { readonly day: string; readonly count: number }[];
  readonly examples: readonly Example[];
}

export interface Example {
  readonly name?: string;
  readonly subject?: string;
  readonly at?: string;
  readonly value?: string | null;
}

export function definitionOf(row: RuleRow): Definition {
  const { version: _v, rule_id: _i, built_in: _b, revision: _r, updated_by: _by, updated_at: _at, ...definition } = row;
  return definition;
}

export function createRules(): ReturnType<typeof createView<RuleRow>> {
  return createView<RuleRow>({ feed: "rules" });
}

/**
 * Puts a whole definition in the place of the rule's at that revision.
 *
 * @throws Refusal `conflict` when somebody else changed it meanwhile
 */
export function changeRule(id: string, definition: Definition, revises: number): Promise<unknown> {
  return ask("PUT", `rules/${path(id)}`, { ...definition, revises });
}

export function addRule(definition: Definition): Promise<unknown> {
  return ask("POST", "rules", definition);
}

export function removeRule(id: string): Promise<unknown> {
  return ask("DELETE", `rules/${path(id)}`);
}

export async function previewRule(definition: Definition): Promise<Preview> {
  return (await ask("POST", "rules/preview", definition)) as Preview;
}
