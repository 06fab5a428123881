/**
 * Writes the shared vectors of the protocol's core: `deno run -A tests/vectors/generate.ts`. They are what
 * TypeScript says today; `vectors_test.ts` holds them, and checks them by other means; Move reads the same files.
 *
 * @module
 */
import { assignment, merkle } from "./data_cases.ts";
import { commit, outcome, report } from "./message_cases.ts";
import { settle } from "./settle_cases.ts";
import { errors, hparams, windows } from "./window_cases.ts";

/** Makes the content of each file, by its name without `.json`. */
export const VECTORS: Readonly<Record<string, () => unknown>> = {
  windows,
  assignment,
  merkle,
  commit,
  report,
  outcome,
  settle,
  hparams,
  errors,
};

/** Where the vectors of `name` lie. */
export function vectorFile(name: string): URL {
  return new URL(`./${name}.json`, import.meta.url);
}

/** The text of the vectors of `name`, as it is checked in. */
export function vectorText(name: string): string {
  return `${JSON.stringify(VECTORS[name]!(), null, 2)}\n`;
}

if (import.meta.main) {
  for (const name of Object.keys(VECTORS)) {
    Deno.writeTextFileSync(vectorFile(name), vectorText(name));
  }
}
