/**
 * Move's aborts as the ledger's refusals. A clever abort (`#[error(code = n)]`) names its constant and carries
 * its u8; both must agree with the one table of errors, or the abort stays unknown.
 *
 * @module
 */
import { LEDGER_ERRORS, LedgerError, type LedgerModule } from "../../../enclave/protocol/errors.ts";
import { SuiError, UnknownAbort } from "./errors.ts";

/** An abort as the node tells it; see `MoveAbort` of @mysten/sui. */
export interface Abort {
  /** u64, decimal. */
  readonly abortCode: string;
  /** Where. */
  readonly location?:
    | { readonly package?: string | undefined; readonly module?: string | undefined }
    | undefined;
  /** What the node read out of the module's constants. */
  readonly cleverError?: {
    readonly errorCode?: number | undefined;
    readonly constantName?: string | undefined;
    readonly value?: string | undefined;
  } | undefined;
}

/** An execution error as the node tells it; see `ExecutionError` of @mysten/sui. */
export interface ExecutionFault {
  /** `MoveAbort`, or another kind. */
  readonly $kind: string;
  /** For people. */
  readonly message: string;
  /** Where the kind is `MoveAbort`. */
  readonly MoveAbort?: Abort | undefined;
}

/** Bit 63 marks a clever abort; its u8 lies in bits 48 to 55 (`ErrorBitset` of the Move VM). */
const CLEVER = 1n << 63n;

/** The u8 of an abort: the node's, or the one in the code's bits; a plain code as it is. */
export function errorCodeOf(abort: Abort): number {
  if (abort.cleverError?.errorCode !== undefined) return abort.cleverError.errorCode;
  const raw = BigInt(abort.abortCode);
  return raw >= CLEVER ? Number((raw >> 48n) & 0xffn) : Number(raw);
}

/**
 * What an abort means: a refusal of the contracts where it is in the table, {@link UnknownAbort} otherwise.
 *
 * @param packages every id of our package; the same module name elsewhere is not ours.
 */
export function abortError(abort: Abort, packages: readonly string[]): LedgerError | UnknownAbort {
  const module = abort.location?.module ?? "";
  const home = address(abort.location?.package ?? "");
  const detail = abort.cleverError?.value ?? "the node gave no reason";
  const code = errorCodeOf(abort);
  // Sui's own verifier of attestation documents: whatever it refuses is a bad document, as on the dev ledger.
  if (home === address("0x2") && module === "nitro_attestation") {
    return new LedgerError(
      "enclave_registry",
      "EBadDocument",
      `Sui's verifier aborted with ${code}`,
    );
  }
  const named = abort.cleverError?.constantName;
  if (packages.map(address).includes(home) && Object.hasOwn(LEDGER_ERRORS, module)) {
    const codes: Readonly<Record<string, number>> = LEDGER_ERRORS[module as LedgerModule];
    const constant = Object.keys(codes).find((name) => codes[name] === code);
    if (constant !== undefined && (named === undefined || named === constant)) {
      return new LedgerError(module as LedgerModule, constant, detail);
    }
  }
  return new UnknownAbort(
    { package: home, module, abortCode: BigInt(abort.abortCode), constant: named },
    detail,
  );
}

/** What a failed execution, or simulation, means. */
export function executionError(
  fault: ExecutionFault,
  packages: readonly string[],
  digest?: string,
): Error {
  if (fault.MoveAbort !== undefined) return abortError(fault.MoveAbort, packages);
  const about = digest === undefined ? {} : { digest };
  // The kind is not always typed by the client: its words are the enum's names.
  const words = `${fault.$kind} ${fault.message}`.replaceAll(/[_\s]/g, "").toLowerCase();
  if (words.includes("congest")) {
    return new SuiError(
      "congested",
      "Too many wanted the same object: the call was cancelled",
      about,
    );
  }
  if (/insufficientgas|insufficientcoinbalance|insufficientfunds/.test(words)) {
    return new SuiError(
      "insufficient_gas",
      `The wallet's SUI did not suffice: ${fault.message}`,
      about,
    );
  }
  return new SuiError("execution_failed", `The call failed: ${fault.message}`, about);
}

function address(id: string): string {
  return `0x${id.replace(/^0x/, "").toLowerCase().padStart(64, "0")}`;
}
