/**
 * "Did you mean": the nearest option of the very command that was called.
 *
 * @module
 */
import type { Usage } from "@optique/core/usage";
import { paths } from "./mod.ts";

/** More differences than this are another word. */
const MAX_DISTANCE = 3;

/** The option of the command in `argv` that `wrong` is a misspelling of, or undefined. */
export function nearestOption(argv: readonly string[], wrong: string): string | undefined {
  const line = `${argv.join(" ")} `;
  const [, entry] = paths().find(([path]) => line.startsWith(`${path} `)) ?? [];
  if (entry === undefined) return undefined;
  const ranked = [...namesIn(entry.parser.usage)]
    .map((name) => [distance(name, wrong), name] as const)
    .filter(([differences]) => differences <= MAX_DISTANCE)
    .sort(([a], [b]) => a - b);
  return ranked[0]?.[1];
}

function* namesIn(usage: Usage): Generator<string> {
  for (const term of usage) {
    if (term.type === "option") yield* term.names;
    else if (term.type === "exclusive") { for (const terms of term.terms) yield* namesIn(terms); }
    else if ("terms" in term) yield* namesIn(term.terms);
  }
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
