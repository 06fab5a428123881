/**
 * Keeps the table of settings in `host/README.md` true: `deno run -A host/config/readme.ts` writes it.
 *
 * @module
 */
import { settingsTable } from "./table.ts";

/** The README that has the table. */
export const README: URL = new URL("../README.md", import.meta.url);

const TABLE = /(<!-- deno-fmt-ignore-start -->\n)[^]*(\n<!-- deno-fmt-ignore-end -->)/;

/** `readme` with the table as it should be. */
export function withSettings(readme: string): string {
  return readme.replace(TABLE, (_, before, after) => `${before}\n${settingsTable()}${after}`);
}

if (import.meta.main) {
  await Deno.writeTextFile(README, withSettings(await Deno.readTextFile(README)));
}
