/**
 * The settings as the documentation shows them.
 *
 * @module
 */
import { environmentNames, NAMES, type Variable, VARIABLES } from "./variables.ts";

/** Two Markdown tables: the settings, and the seeds' names that do nothing here. */
export function settingsTable(): string {
  const rows = NAMES.map((name) => [name, VARIABLES[name] as Variable<unknown>] as const);
  const used = rows.filter(([, { unused }]) => unused === undefined).map(([name, variable]) => {
    const { default: standard, doc, role, secret, type } = variable;
    const others = environmentNames(name).slice(2).map((alias) => ` or \`${alias}\``).join("");
    const shape = secret ? `${type.name}, secret` : type.name;
    const without = standard === undefined ? "" : `\`${standard}\``;
    return [`\`VRAMHUB_${name}\`${others}`, shape, without, role, doc];
  });
  const unused = rows.filter(([, { unused }]) => unused !== undefined).map(([name, variable]) => [
    `\`VRAMHUB_${name}\``,
    variable.unused!,
  ]);
  return `${table(["name", "value", "default", "for", "what"], used)}

Names of the seeds that do nothing here:

${table(["name", "why"], unused)}
`;
}

/** Not padded: one longer cell would change every line. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
