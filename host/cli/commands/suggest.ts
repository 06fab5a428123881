/**
 * "Did you mean": the nearest option of the very command that was called.
 *
 * @module
 */
import type { Usage } from "@optique/core/usage";
import { nearest } from "../../config/mod.ts";
import { paths } from "./mod.ts";

/** The option of the command in `argv` that `wrong` is a misspelling of, or undefined. */
export function nearestOption(argv: readonly string[], wrong: string): string | undefined {
  const line = `${argv.join(" ")} `;
  const [, entry] = paths().find(([path]) => line.startsWith(`${path} `)) ?? [];
  if (entry === undefined) return undefined;
  return nearest(wrong, namesIn(entry.parser.usage));
}

function* namesIn(usage: Usage): Generator<string> {
  for (const term of usage) {
    if (term.type === "option") yield* term.names;
    else if (term.type === "exclusive") { for (const terms of term.terms) yield* namesIn(terms); }
    else if ("terms" in term) yield* namesIn(term.terms);
  }
}
