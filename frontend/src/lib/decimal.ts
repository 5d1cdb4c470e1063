/**
 * Exact decimals. Money travels as decimal text and quantities as numbers with at most three decimals; both are counted here as whole
 * ten-millionths in a bigint, so that a sum or a difference on the screen equals the one in the log. Binary floats serve only to place pixels.
 */

/** A decimal as whole ten-millionths. */
export type Exact = bigint;

const DIGITS = 7;
const ONE = 10n ** BigInt(DIGITS);

/** Reads decimal text or a quantity; text that is no decimal counts as zero. */
export function exact(value: string | number): Exact {
  const match = /^([+-]?)(\d*)\.?(\d*)$/.exec(String(value));
  if (!match) return 0n;
  const fraction = (match[3] ?? "").slice(0, DIGITS).padEnd(DIGITS, "0");
  const size = BigInt((match[2] ?? "") + fraction);
  return match[1] === "-" ? -size : size;
}

/** Writes a decimal without trailing zeros. */
export function decimalText(value: Exact): string {
  const size = value < 0n ? -value : value;
  const fraction = (size % ONE).toString().padStart(DIGITS, "0").replace(/0+$/, "");
  const whole = (size / ONE).toString();
  return (value < 0n ? "-" : "") + whole + (fraction === "" ? "" : `.${fraction}`);
}

/** The exact sum of decimal texts, or null when there is none. */
export function sumOf(values: Iterable<string | number | null | undefined>): string | null {
  let sum: Exact | null = null;
  for (const value of values) if (value !== null && value !== undefined) sum = (sum ?? 0n) + exact(value);
  return sum === null ? null : decimalText(sum);
}

/** The change from `before` to `now` in tenths of a percent, rounded half away from zero; null from zero. */
export function tenthsOfPercent(now: Exact, before: Exact): number | null {
  if (before === 0n) return null;
  const base = before < 0n ? -before : before;
  const change = (now - before) * 1000n;
  const size = change < 0n ? -change : change;
  const rounded = (size * 2n + base) / (base * 2n);
  return Number(change < 0n ? -rounded : rounded);
}
