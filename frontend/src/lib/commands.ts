/** What the command palette offers, and which of it fits what somebody typed. Commands say what they do; the page does it. */

import { duration } from "./format";
import { LANGUAGES, t } from "./language.svelte";
import type { Theme } from "./theme";

export type Deed =
  | { readonly go: string }
  | { readonly pace: number | "paused" }
  | { readonly theme: Theme }
  | { readonly language: string }
  | { readonly act: "keys" | "sign_out" };

export interface Command {
  readonly words: string;
  /** What stands faintly beside the words. */
  readonly hint: string;
  readonly deed: Deed;
}

const SCREENS = [
  ["overview", "/"],
  ["inventory", "/inventory"],
  ["orders", "/orders"],
  ["metrics", "/metrics"],
  ["notifications", "/notifications"],
  ["wall", "/wall"],
] as const;
const PACES = [0, 1000, 5000, 30_000];
const THEMES: readonly Theme[] = ["light", "dark", "system"];

/** All commands, in the language of now. */
export function commands(): readonly Command[] {
  const paced = (ms: number): string => (ms === 0 ? t("pace.live") : t("pace.every", { duration: duration(ms, true) }));
  return [
    ...SCREENS.map(([name, go]) => ({ words: t(`screen.${name}`), hint: t("palette.go"), deed: { go } })),
    ...PACES.map((pace) => ({ words: paced(pace), hint: t("pace.choose"), deed: { pace } })),
    { words: t("pace.pause_updates"), hint: t("pace.choose"), deed: { pace: "paused" } },
    ...THEMES.map((theme) => ({ words: t(`theme.${theme}`), hint: t("theme.choose"), deed: { theme } })),
    ...LANGUAGES.map(({ code, name }) => ({ words: name, hint: t("language.choose"), deed: { language: code } })),
    { words: t("keys.help"), hint: "?", deed: { act: "keys" } },
    { words: t("sign_out.do"), hint: "", deed: { act: "sign_out" } },
  ];
}

/** The commands that hold every typed word, in their words or their hint. */
export function fitting(all: readonly Command[], typed: string): readonly Command[] {
  const wanted = folded(typed)
    .split(/\s+/)
    .filter((word) => word !== "");
  return all.filter(({ words, hint }) => wanted.every((word) => folded(`${words} ${hint}`).includes(word)));
}

/** Without case and accents: `ubersicht` finds `Übersicht`. */
function folded(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
