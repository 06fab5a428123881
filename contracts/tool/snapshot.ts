/**
 * What the published package promises to callers, as text: an upgrade may add to it and take nothing away.
 *
 * @module
 */
import { shapeOf } from "./bytecode.ts";
import type { Built } from "./compile.ts";
import { CONTRACTS } from "./package.ts";

/** Where the promises of the checked-in package are written down. */
export const SNAPSHOT: URL = new URL("public_functions.txt", CONTRACTS);

/** Structs with their fields, and public and entry functions, of every module of `built`. */
export function snapshotOf({ modules }: Pick<Built, "modules">): string {
  return modules.map(({ bytes }) => {
    const { name, structs, functions } = shapeOf(bytes);
    const declared = structs.flatMap(({ declaration, fields }) => [
      `  ${declaration}`,
      ...fields.map((field) => `    ${field}`),
    ]);
    return [`module ${name}`, ...declared, ...functions.map((line) => `  ${line}`)].join("\n");
  }).join("\n\n") + "\n";
}
