/**
 * The settings as a file to fill in: every one with its sentence and its default, all of them commented out.
 *
 * @module
 */
import { NAMES, type Role, type Variable, VARIABLES } from "./variables.ts";

const HEAD = `# Settings of vramhub. Take the # off the line of a setting that you give a value.
# One setting a line, the value as it is: systemd reads this file too, and would take a comment behind a value for a
# part of it. A flag, the environment and ./.env stand before this file. Nobody else may read it: keep its mode 0600.`;

/** For whom a block of settings is. */
const BLOCKS: readonly (readonly [Role, string])[] = [
  ["all", "Everybody"],
  ["miner", "A miner"],
  ["validator", "A validator"],
  ["aggregator", "An aggregator"],
];

/** The text of a fresh `~/.vramhub/.env`. It sets nothing. */
export function envFile(): string {
  const rows = NAMES.map((name) => [name, VARIABLES[name] as Variable<unknown>] as const);
  const used = rows.filter(([, { unused }]) => unused === undefined);
  const blocks = BLOCKS.flatMap(([role, title]) => {
    const own = used.filter(([, variable]) => variable.role === role);
    if (own.length === 0) return [];
    const lines = own.map(([name, { default: standard = "", doc, type }]) =>
      `# ${doc} (${type.name})\n#VRAMHUB_${name}=${standard}`
    );
    return [`\n## ${title}\n\n${lines.join("\n")}`];
  });
  return `${HEAD}\n${blocks.join("\n")}\n`;
}
