/**
 * Colours for a terminal, or none.
 *
 * @module
 */

/** Names of the styles that are used. */
export type StyleName = "bold" | "dim" | "good" | "bad" | "warn" | "badge";

/** Wraps text so that it shows in a style. */
export type Paint = (style: StyleName, text: string) => string;

const CODES: Record<StyleName, readonly [on: string, off: string]> = {
  bold: ["1", "22"],
  dim: ["2", "22"],
  good: ["32", "39"],
  bad: ["31", "39"],
  warn: ["33", "39"],
  badge: ["30;43", "39;49"],
};

/** ANSI (ECMA-48) escape sequences. */
export const ansi: Paint = (style, text) => {
  const [on, off] = CODES[style];
  return `\x1b[${on}m${text}\x1b[${off}m`;
};

/** No colours. */
export const none: Paint = (_style, text) => text;

/** How a settled verdict shows. */
export function verdictStyle(verdict: string): StyleName {
  if (verdict === "accepted") return "good";
  if (["not_better", "zero", "disputed"].includes(verdict)) return "warn";
  return ["unavailable", "not_sampled", "no_reveal"].includes(verdict) ? "dim" : "bad";
}
