/**
 * Answers whose strings are attacks, as a miner would write them if nothing bounded them.
 *
 * @module
 */

/** Runs where a page takes text as markup. */
export const MARKUP =
  `<img src=x onerror="globalThis.poisoned=1"><svg onload="globalThis.poisoned=1">`;
/** Runs where a page takes text as an address. */
const ADDRESS = "javascript:globalThis.poisoned=1";

/** What the page computes with or branches on: an attack there is another value, not another text. */
const KEPT = new Set([
  "kind",
  "status",
  "badge",
  "result",
  "precision",
  "stake",
  "reward",
  "weight",
  "issued",
  "burned",
  "mined",
  "emission",
  "payout",
  "fee",
  "total",
  "minPrice",
  "pricePerUnit",
  "document",
  "openapi",
]);

/** `value` with an attack in place of every other string. */
export function poisoned(value: unknown, name = ""): unknown {
  if (typeof value === "string") {
    if (KEPT.has(name)) return value;
    return name === "explorerUrl" || name === "path" ? ADDRESS : MARKUP;
  }
  if (Array.isArray(value)) return value.map((item) => poisoned(item, name));
  if (typeof value !== "object" || value === null) return value;
  const url = "explorerUrl" in value ? { explorerUrl: ADDRESS } : {};
  const parts = Object.entries(value).map(([key, part]) => [key, poisoned(part, key)]);
  return { ...Object.fromEntries(parts), ...url };
}
