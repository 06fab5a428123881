/**
 * What can go wrong between this process and Sui. Refusals of the contracts are {@link LedgerError}, as they are
 * of the dev ledger; everything else is a {@link SuiError}, whose type says whether the same call may succeed
 * later.
 *
 * @module
 */

/** Every reason, and whether trying the same call again may help. */
export const SUI_ERRORS = {
  /** The node is of another chain than the profile. */
  wrong_network: false,
  /** The package or an object of the profile is not on the chain, or of another type. */
  not_deployed: false,
  /** The ids belong to a package that is not ours. */
  another_package: false,
  /** An object's state is of another version of the package. */
  unsupported_version: false,
  /** Bytes from the node do not fit the contracts' structs. */
  bad_layout: false,
  /** The node cannot be reached, or does not answer in time. */
  unavailable: true,
  /** A page of a list came without its end. */
  truncated: true,
  /** The node no longer has the history that is asked for; an index that ran at the time has it. */
  history_pruned: false,
  /** State changed while it was read. */
  torn_read: true,
  /** A coin or object was used by another transaction meanwhile; nothing was executed. */
  stale_objects: true,
  /** Two transactions want the same coin version (equivocation): it is locked until the epoch ends. */
  objects_locked: false,
  /** The wallet holds too little SUI for the call and its gas. */
  insufficient_gas: false,
  /** The wallet holds too little VRAM. */
  insufficient_vram: false,
  /** The transaction, or an argument, is above Sui's limits. */
  too_large: false,
  /** A transaction was sent and what became of it is not known yet; the next call asks again first. */
  outcome_unknown: true,
  /** Cancelled because too many wanted the same shared object; nothing was changed. */
  congested: true,
  /** The transaction's epoch ended before it was executed. */
  expired: true,
  /** The contracts, or what they call, aborted with something that no table names. */
  unknown_abort: false,
  /** Executed and failed for a reason that is no abort. */
  execution_failed: false,
  /** The node refused the transaction. */
  rejected: false,
  /** The call needs a wallet. */
  no_wallet: false,
  /** The call names another sender than the wallet's address. */
  wrong_sender: false,
  /** The wallet's secret is not of a known form. */
  bad_wallet: false,
} as const;

/** A reason of {@link SUI_ERRORS}. */
export type SuiErrorCode = keyof typeof SUI_ERRORS;

/** Something between this process and Sui went wrong. */
export class SuiError extends Error {
  /** Stable snake_case reason. */
  readonly code: SuiErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** The transaction in question, where there is one. */
  readonly digest: string | undefined;

  /** An error for reason `code`; `message` says what to do about it. */
  constructor(
    code: SuiErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly digest?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SuiError";
    this.code = code;
    this.retryable = SUI_ERRORS[code];
    this.digest = options.digest;
  }
}

/** An abort that no table names: of the framework, or of a newer package. */
export class UnknownAbort extends SuiError {
  /** Package of the abort. */
  readonly package: string;
  /** Its module. */
  readonly module: string;
  /** The code, as the node gave it. */
  readonly abortCode: bigint;
  /** The constant's name, where the node knows it. */
  readonly constant: string | undefined;

  /** An abort in `module` of `package`. */
  constructor(
    at: {
      readonly package: string;
      readonly module: string;
      readonly abortCode: bigint;
      readonly constant?: string | undefined;
    },
    detail: string,
  ) {
    super("unknown_abort", `${at.module} aborted with ${at.constant ?? at.abortCode}: ${detail}`);
    this.package = at.package;
    this.module = at.module;
    this.abortCode = at.abortCode;
    this.constant = at.constant;
  }
}
