/**
 * How a command is configured: settings, their sources and their names.
 *
 * ```ts
 * import { Config } from "./mod.ts";
 *
 * const config = new Config([{ name: "the environment", values: { SLCL_VALIDATOR_UID: "3" } }]);
 * if (config.get("VALIDATOR_UID") !== 3) throw new Error("not read");
 * ```
 *
 * @module
 */
export * from "./config.ts";
export * from "./error.ts";
export * from "./nearest.ts";
export * from "./network.ts";
export * from "./networks.ts";
export { parseNetworks, saveNetwork } from "./networks_file.ts";
export { settingsTable } from "./table.ts";
export {
  environmentNames,
  isSecret,
  NAMES,
  type Role,
  type ValueOf,
  type Variable,
  type VariableName,
  VARIABLES,
} from "./variables.ts";
export { STORES } from "./types.ts";
export type { ValueType } from "./types.ts";
