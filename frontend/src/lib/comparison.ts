/**
 * A value beside its twin of the period before, in words: a sign and a glyph carry the direction, the words carry what it is compared with, and
 * the tone says whether that direction is good news. Colour is the last of the three to be needed.
 */

import { exact, decimalText, tenthsOfPercent } from "./decimal";
import { type Formats, type Unit } from "./format";
import { language, t } from "./language.svelte";

export type Tone = "good" | "bad" | "plain";

/** What stands under a headline number. */
export interface Comparison {
  readonly glyph: "▲" | "▼" | "=" | "";
  /** The change itself, signed: `+12.4 %` or `+3`. */
  readonly change: string;
  /** The rest of the sentence: `more than yesterday by 14:02`. */
  readonly words: string;
  readonly tone: Tone;
}

/** Which way of change is good news. */
export type Liking = "more" | "less" | "neither";

const SIGNS: Readonly<Partial<Record<Unit, string>>> = { hours: "h", minutes: "min", seconds: "s" };

/**
 * Compares `value` with `previous`, both exact. Shares are given in percent where a share means something, else the difference itself.
 *
 * @param against what `previous` is: `yesterday by 14:02`
 */
export function comparison(
  value: string | number | null,
  previous: string | number | null,
  against: string,
  options: { unit: Unit; liking: Liking; formats: Formats },
): Comparison {
  const { unit, liking, formats } = options;
  if (value === null || previous === null) {
    return { glyph: "", change: "", words: t("compare.nothing", { what: against }), tone: "plain" };
  }
  const now = exact(value);
  const before = exact(previous);
  if (now === before) return { glyph: "=", change: "", words: t("compare.same", { what: against }), tone: "plain" };
  const more = now > before;
  const tenths = tenthsOfPercent(now, before);
  const asShare = (unit === "money" || unit === "units" || unit === "count") && tenths !== null && before > 0n;
  const difference = decimalText(now - before);
  const plainChange = unit === "money" ? formats.moneyChange(difference) : formats.change(difference);
  const sign = SIGNS[unit];
  const inUnit = sign === undefined ? plainChange : `${plainChange} ${sign}`;
  return {
    glyph: more ? "▲" : "▼",
    change:
      asShare && usefulShare(now, before, unit)
        ? share(tenths)
        : unit === "percent"
          ? t("compare.points", { change: plainChange })
          : inUnit,
    words: t(more ? "compare.more" : "compare.less", { what: against }),
    tone: liking === "neither" ? "plain" : (liking === "more") === more ? "good" : "bad",
  };
}

/** Small counts say more as they are: 3 late orders after 1 is "+2", not "+200 %". */
function usefulShare(now: bigint, before: bigint, unit: Unit): boolean {
  if (unit === "money") return true;
  const twenty = exact(20);
  return now >= twenty && before >= twenty;
}

function share(tenths: number): string {
  const size = Math.abs(tenths);
  const digits = size >= 1000 ? 0 : 1;
  const text = (size / 10).toLocaleString(language.locale, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: false,
  });
  return `${tenths < 0 ? "\u2212" : "+"}${text} %`;
}

/** The whole comparison as one sentence, for a reader who hears it. */
export function spoken(comparison: Comparison): string {
  return `${comparison.change} ${comparison.words}`.trim();
}
