/**
 * What the error of a call to a node says about the transaction that was sent with it. The node's texts are
 * those of `sui-types/src/error.rs` and of its transaction driver; whatever is not known for sure is `unknown`.
 *
 * @module
 */
import { SuiError } from "./errors.ts";

/**
 * `unknown`: it may have been executed. The others say that it was not: an input is used up (`stale`), locked by
 * another transaction (`locked`), its gas does not suffice (`gas`), its epoch is over (`expired`), or it is
 * refused otherwise (`rejected`).
 */
export type SendFault = "unknown" | "stale" | "locked" | "gas" | "expired" | "rejected";

const LOCKED =
  /already locked by a different transaction|equivocated until the next epoch|reserved for another transaction/i;
const STALE =
  /not available for consumption|unavailable for consumption|needs to be rebuilt|provided version doesn't match/i;
const GAS =
  /lower than the needed amount|lower than gas budget|cannot find gas coin|insufficient gas|gas budget.*higher than|unable to perform gas selection/i;
const EXPIRED = /transaction (?:is )?expired|TransactionExpired/i;
/** gRPC codes with which a node refuses a request for what it is. */
const REFUSED = new Set([
  "INVALID_ARGUMENT",
  "FAILED_PRECONDITION",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
]);

/** The text of an error, percent-decoded where a transport left it encoded. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The gRPC status name of an error, by shape: two copies of a library have two classes. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** What `error` of sending a transaction says about it. */
export function sendFault(error: unknown): SendFault {
  const text = textOf(error);
  if (LOCKED.test(text)) return "locked";
  if (STALE.test(text)) return isNodeBehind(text) ? "unknown" : "stale";
  if (GAS.test(text)) return "gas";
  if (EXPIRED.test(text)) return "expired";
  return REFUSED.has(codeOf(error) ?? "") ? "rejected" : "unknown";
}

/** A node that has not seen our coin's version yet says the same words, with a lower current version. */
function isNodeBehind(text: string): boolean {
  const [, wanted, current] =
    /version (0x[0-9a-f]+|\d+)[^]*?current version:? (0x[0-9a-f]+|\d+)/i.exec(text) ?? [];
  return wanted !== undefined && current !== undefined && BigInt(current) < BigInt(wanted);
}

/** The typed error for a transaction that is known not to have been executed. */
export function faultError(fault: Exclude<SendFault, "unknown">, cause: unknown): SuiError {
  const text = textOf(cause);
  switch (fault) {
    case "stale":
      return new SuiError("stale_objects", `A coin or object was used meanwhile: ${text}`, {
        cause,
      });
    case "locked":
      return new SuiError(
        "objects_locked",
        `Another transaction of this wallet holds the same coin until the epoch ends: ${text}`,
        { cause },
      );
    case "gas":
      return new SuiError("insufficient_gas", `Send SUI to the wallet: ${text}`, { cause });
    case "expired":
      return new SuiError("expired", `The transaction's epoch is over: ${text}`, { cause });
    case "rejected":
      return new SuiError("rejected", `The node refused the transaction: ${text}`, { cause });
  }
}

/** The typed error of a failed read. */
export function readError(cause: unknown): SuiError {
  if (cause instanceof SuiError) return cause;
  const code = codeOf(cause);
  const refused = code !== undefined && REFUSED.has(code);
  return new SuiError(
    refused ? "rejected" : "unavailable",
    refused
      ? `The node refused to answer: ${textOf(cause)}`
      : `Cannot reach the Sui node (is it running, and the profile's url right?): ${textOf(cause)}`,
    { cause },
  );
}
