/**
 * Exit statuses of `vramhub`, and which error has which.
 *
 * @module
 */
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { ConfigError } from "../../config/mod.ts";

/** Each with its meaning, as the help says it. */
export const STATUSES = {
  0: "done",
  1: "refused by the ledger, or 'doctor' found something that does not work",
  2: "called wrongly, or a setting is missing or wrong",
  3: "node, enclave or store cannot be reached: the same call may succeed later",
  130: "interrupted",
} as const;

/** A status. */
export type Status = keyof typeof STATUSES;

/** Codes of Sui's errors that say: the settings name another network, package or wallet than is there. */
const SETTINGS = ["wrong_network", "not_deployed", "another_package", "no_wallet", "bad_wallet"];

/** The status of a command that ended with `error`. */
export function statusOf(error: unknown): Status {
  if (error instanceof ConfigError || error instanceof SyntaxError) return 2;
  if (error instanceof LedgerError || error instanceof Refusal) return 1;
  if (!(error instanceof Error)) return 1;
  // By shape: Sui's library is not loaded for an error that is not its own.
  if ("code" in error && SETTINGS.includes(String(error.code))) return 2;
  return "retryable" in error && error.retryable === true ? 3 : 1;
}
