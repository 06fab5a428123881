/**
 * The ledger's refusals: one table for every implementation. Move's `#[error(code = n)]` takes a u8, so the
 * codes are small and count per module; conformance compares module and constant name.
 *
 * @module
 */

/** Module → constant → code. Codes are never reused; new ones are appended. */
export const LEDGER_ERRORS = {
  hparams: {
    ENotAdmin: 1,
    EInvalidValue: 2,
    ENotFounded: 3,
    ENoOffer: 4,
    ENoEpoch: 5,
    ENotRolled: 6,
  },
  peer_registry: {
    EInsufficientStake: 1,
    EAlreadyRegistered: 2,
    ENoSlot: 3,
    ENotOwner: 4,
    ENotActive: 5,
    EInsufficientBalance: 6,
    ENothingToWithdraw: 7,
    EBadCredentials: 8,
    EBadEpoch: 9,
  },
  validator_registry: {
    EInsufficientStake: 1,
    EAlreadyRegistered: 2,
    ENoSlot: 3,
    ENotOwner: 4,
    ENotActive: 5,
    EInsufficientBalance: 6,
    ENothingToWithdraw: 7,
    EInsufficientBond: 8,
  },
  gradient_registry: {
    EWrongWindow: 1,
    ECommitsClosed: 2,
    EAlreadyCommitted: 3,
    EBadCommitment: 4,
    ERevealsNotOpen: 5,
    ERevealsClosed: 6,
    ENotCommitted: 7,
    EAlreadyRevealed: 8,
    ECommitmentMismatch: 9,
    EBadSize: 10,
    EBadCodec: 11,
    EBadRef: 12,
    ETooYoung: 13,
    EUnknownWindow: 14,
  },
  enclave_registry: {
    ENotAdmin: 1,
    EBadDocument: 2,
    EMeasurementNotApproved: 3,
    EWrongUserData: 4,
    EBadKey: 5,
    EKeyTaken: 6,
    EDocumentTooOld: 7,
    EDocumentNotNewer: 8,
    ENotOwner: 9,
    EBadMeasurement: 10,
    EAlreadyFounded: 11,
  },
  score_ledger: {
    EBadMessage: 1,
    EWrongLedger: 2,
    ENotValidator: 3,
    EWrongPhase: 4,
    EPreviousOpen: 5,
    ENoEnclave: 6,
    EKeyTooNew: 7,
    EKeyExpired: 8,
    EBadSignature: 9,
    EAlreadySubmitted: 10,
    EWrongDigest: 11,
    EWrongEntries: 12,
    ENoQuorum: 13,
    ENotSettled: 14,
    EClosed: 15,
    EReportsOpen: 16,
    ENotEquivocation: 17,
    EBadLimit: 18,
    ETooYoung: 19,
  },
  round_state: {
    EUnknownWindow: 1,
    ENotClosable: 2,
    EAlreadyFounded: 3,
    ESeedNotDrawn: 4,
    EBadLength: 5,
    ETooYoung: 6,
    ENothingToDraw: 7,
  },
  reward_distributor: {
    ENothingToClaim: 1,
  },
  dataset_registry: {
    EBadDataset: 1,
    EBadLength: 2,
    EUnknownDataset: 3,
    ERetired: 4,
    ETooMany: 5,
    ENotOwner: 6,
    EBadDraw: 7,
  },
  seal_policy: {
    EBadId: 1,
    ENoCredentials: 2,
    ENotRolled: 3,
    ENotValidator: 4,
  },
  vram_token: {
    EZeroAmount: 1,
    EMiningCap: 2,
    ESupplyCap: 3,
    ETgeDone: 4,
    EBadAllocation: 5,
    EBadSchedule: 6,
    EBadRoot: 7,
    EBadDeadline: 8,
    ENotBeneficiary: 9,
    ENothingToClaim: 10,
    ENotOffered: 11,
    EBadProof: 12,
    EAboveAddressCap: 13,
    EAlreadyClaimed: 14,
    EAirdropClosed: 15,
    EAirdropOpen: 16,
    EAirdropExhausted: 17,
    EWrongVesting: 18,
  },
  staking_pool: {
    EZeroAmount: 1,
    EBadTier: 2,
    EWrongPool: 3,
    ENothingToClaim: 4,
  },
  training_jobs: {
    EInvalidValue: 1,
    EBadDeadline: 2,
    EPriceTooHigh: 3,
    EInsufficientPayment: 4,
    EUnknownJob: 5,
    EWrongStatus: 6,
    ENotCustomer: 7,
    ENotMiner: 8,
    ETooLate: 9,
    ETooEarly: 10,
    EBadMessage: 11,
    EWrongLedger: 12,
    EWrongSubject: 13,
    ENotValidator: 14,
    ENoEnclave: 15,
    EBadSignature: 16,
    EBadTimestamp: 17,
    ENothingToSweep: 18,
  },
} as const;

/** A module that refuses. */
export type LedgerModule = keyof typeof LEDGER_ERRORS;

/** A refusal by the ledger: retrying the same call at the same time gives the same answer. */
export class LedgerError extends Error {
  /** The Move module. */
  readonly module: LedgerModule;
  /** The constant's name, e.g. `ECommitsClosed`. */
  readonly constant: string;
  /** Its u8. */
  readonly code: number;

  /** The refusal `constant` of `module`; `detail` is for people. */
  constructor(module: LedgerModule, constant: string, detail: string) {
    super(`${module}::${constant}: ${detail}`);
    this.name = "LedgerError";
    this.module = module;
    this.constant = constant;
    const codes: Readonly<Record<string, number>> = LEDGER_ERRORS[module];
    if (!Object.hasOwn(codes, constant)) {
      throw new RangeError(`Cannot refuse with ${module}::${constant}: there is no such constant`);
    }
    this.code = codes[constant]!;
  }
}

/** Throw the refusal `constant` of `module` unless `condition` holds. */
export function requireThat<M extends LedgerModule>(
  condition: boolean,
  module: M,
  constant: keyof (typeof LEDGER_ERRORS)[M] & string,
  detail: string,
): asserts condition {
  if (!condition) throw new LedgerError(module, constant, detail);
}
