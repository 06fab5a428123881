/**
 * Why a component does not work, by the type of the error that says so.
 *
 * @module
 */
import { reason as messageOf } from "../ledger/log.ts";
import type { Fault, FaultName } from "./component.ts";

/** A component that does not work, thrown by its probe. */
export class ComponentError extends Error {
  /** Stable. */
  readonly reason: FaultName;

  /** `detail` says what to look at. */
  constructor(reason: FaultName, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = "ComponentError";
    this.reason = reason;
  }
}

/** Longest detail that is kept of a fault. */
const MAX_DETAIL = 300;

/** Codes of the errors of stores, judges and ledgers, as faults. */
const BY_CODE: Readonly<Record<string, FaultName>> = {
  unreachable: "unreachable",
  unavailable: "unreachable",
  timeout: "timeout",
  denied: "denied",
  wrong_network: "replaced",
  closed: "ended",
  ENOENT: "gone",
};

/** Why a probe failed, by the type of its error. */
export function faultOf(error: unknown): Fault {
  const detail = messageOf(error).slice(0, MAX_DETAIL);
  if (error instanceof ComponentError) return { reason: error.reason, detail };
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return { reason: "timeout", detail };
  }
  if (error instanceof Deno.errors.NotFound) return { reason: "gone", detail };
  if (error instanceof Deno.errors.PermissionDenied) return { reason: "denied", detail };
  if (/\bdatabase is locked\b/.test(detail)) return { reason: "locked", detail };
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return { reason: BY_CODE[code] ?? "failed", detail };
}
