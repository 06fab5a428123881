/**
 * What governs the network beside hparams and measurements: who the admin is, anchored data sets, treasuries,
 * read credentials, drawn seeds and the forgetting of old windows.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { Dataset } from "../../enclave/protocol/dataset.ts";
import type { Address, Role } from "./ledger.ts";
import type { ObjectId } from "./token.ts";

/** A data set that the ledger anchors. */
export interface DatasetRow extends Dataset {
  /** Its number. */
  readonly id: number;
  /** SHA-256 that names all of it, 32 bytes. */
  readonly root: Bytes;
  /** Who anchored it for jobs, or null for the admin. */
  readonly owner: Address | null;
  /** No new job may name it. */
  readonly retired: boolean;
}

/** A miner's read credentials: sealed, so that validators of the running window alone can open them. */
export interface CredentialsRow {
  /** The slot's generation that set them; void under another. */
  readonly generation: number;
  /** Rises by one with each rotation. */
  readonly epoch: number;
  /** Name of the bucket. */
  readonly bucket: string;
  /** Account or endpoint of the bucket. */
  readonly account: string;
  /** The sealed key pair, at most 4 KiB. */
  readonly sealed: Bytes;
  /** Key servers, and how many of them must answer. */
  readonly keyServers: readonly ObjectId[];
  /** See `keyServers`. */
  readonly threshold: number;
}

/** Parts of an old window, each forgotten by itself: submissions, judgement and payment, the window's own row. */
export type PrunePart = "gradients" | "scores" | "rounds";

/** Calls and views of governance. */
export interface GovernanceLedger {
  /** Offer the admin's rights to somebody. Admin. */
  offerAdmin(sender: Address, to: Address): Promise<void>;
  /** Take the offer back. Who offered. */
  withdrawAdminOffer(sender: Address): Promise<void>;
  /** Become admin. Who was offered. */
  acceptAdmin(sender: Address): Promise<void>;
  /** Anchor a data set; returns its number. Admin. */
  registerDataset(sender: Address, dataset: Dataset): Promise<number>;
  /** Anchor a data set for jobs; returns its number. Anyone, few each. */
  registerJobDataset(sender: Address, dataset: Dataset): Promise<number>;
  /** Retire a data set: the admin any, an owner its own. */
  retireDataset(sender: Address, id: number): Promise<void>;
  /** A data set, or null. */
  dataset(id: number): Promise<DatasetRow | null>;
  /** Take what evictions and slashing brought; returns MIST. Admin. */
  sweepTreasury(sender: Address, role: Role): Promise<bigint>;
  /** What {@link sweepTreasury} would bring, MIST. */
  treasury(role: Role): Promise<bigint>;
  /** Add stake to one's miner, MIST. */
  topUpStake(sender: Address, uid: number, amount: bigint): Promise<void>;
  /** Publish read credentials of the next epoch. The slot's owner. */
  setCredentials(
    sender: Address,
    uid: number,
    credentials: Omit<CredentialsRow, "generation">,
  ): Promise<void>;
  /** A slot's credentials, or null where its present owner has none. */
  credentials(uid: number): Promise<CredentialsRow | null>;
  /** The epoch that the slot's next credentials must have, whoever published the earlier ones. */
  nextCredentialsEpoch(uid: number): Promise<number>;
  /** Whether a key server would give `sender` the key of `id`: throws what `seal_policy::seal_approve` aborts with. */
  sealApprove(sender: Address, id: Bytes): Promise<void>;
  /** Draw a window's seeds on the ledger, where hparams choose randomness kind 1. Anyone, once. */
  drawSeeds(sender: Address, window: number): Promise<void>;
  /** Bring the ledger to the running window. Anyone. */
  roll(sender: Address): Promise<void>;
  /** Forget a part of what a window of long ago held, or all of it. Anyone. */
  prune(sender: Address, window: number, part?: PrunePart): Promise<void>;
}
