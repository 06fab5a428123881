/**
 * What the gate's heavy parts took: which were made now and which came from the cache.
 *
 * @module
 */

/** Minutes that all heavy parts together may take on an empty machine. */
export const BUDGET_MINUTES = 40;

/** A heavy part of the gate. */
export interface Part {
  /** What it is. */
  readonly name: string;
  /** Milliseconds that it took now. */
  readonly ms: number;
  /** How it came to be; anything else is why it is not there. */
  readonly how: "built" | "cached" | "installed" | "at hand" | { readonly missing: string };
}

/** The budget, a line for each part and one for their sum. */
export function budgetLines(parts: readonly Part[]): string[] {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1).padStart(8)} s`;
  const total = parts.reduce((sum, { ms }) => sum + ms, 0);
  const lines = parts.map(({ name, ms, how }) => {
    const said = typeof how === "string" ? how : `MISSING: ${firstWords(how.missing)}`;
    return `budget: ${name.padEnd(20)}${seconds(ms)}  ${said}`;
  });
  const minutes = total / 60_000;
  const verdict = minutes > BUDGET_MINUTES ? "OVER IT" : "within it";
  return [
    ...lines,
    `budget: ${"together".padEnd(20)}${seconds(total)}  ${minutes.toFixed(1)} of ` +
    `${BUDGET_MINUTES} min, ${verdict}`,
  ];
}

/** What fits a line. */
function firstWords(text: string): string {
  return text.split("\n")[0]!.slice(0, 100).replace(/:$/, "");
}
