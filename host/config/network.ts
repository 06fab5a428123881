/**
 * What is known of a network.
 *
 * @module
 */
import type { NetworkProfile, SharedName } from "../ledger/sui/profile.ts";
import type { VariableName } from "./variables.ts";

/** The ledger's shared objects, with the setting that replaces each one's id. */
export const OBJECT_SETTINGS: Readonly<Record<SharedName, ObjectSetting>> = {
  hparams: "HPARAMS_ID",
  datasetRegistry: "DATASET_REGISTRY_ID",
  roundState: "ROUND_STATE_ID",
  validatorRegistry: "VALIDATOR_REGISTRY_ID",
  peerRegistry: "PEER_REGISTRY_ID",
  gradientRegistry: "GRADIENT_REGISTRY_ID",
  enclaveRegistry: "ENCLAVE_REGISTRY_ID",
  rewardPool: "REWARD_POOL_ID",
  scoreLedger: "SCORE_LEDGER_ID",
  treasury: "TREASURY_ID",
  jobBoard: "TRAINING_JOB_BOARD_ID",
};

/** Names of the shared objects. */
export const OBJECT_NAMES: readonly SharedName[] = Object.keys(OBJECT_SETTINGS) as SharedName[];

/** A setting that replaces an object's id. */
export type ObjectSetting = Extract<VariableName, `${string}_ID`>;

/** A network on Sui, as far as it is known: a {@link NetworkProfile} with gaps before it is published. */
export interface SuiNetwork extends
  Partial<
    Pick<
      NetworkProfile,
      | "chainId"
      | "packageId"
      | "originalPackageId"
      | "publisher"
      | "model"
      | "beaconPublicKey"
      | "explorerUrl"
      | "publishedAt"
    >
  > {
  /** Which kind of ledger. */
  readonly ledger: "sui";
  /** Of a node that answers gRPC. */
  readonly url: string;
  /** Where test SUI comes from. */
  readonly faucetUrl?: string;
  /** Ids of the shared objects. */
  readonly objects?: { readonly [K in SharedName]?: string };
}

/** A network: one on Sui, or the dev ledger of a folder. */
export type Network = { readonly ledger: "dev" } | SuiNetwork;

/** Networks by name. */
export type Networks = Readonly<Record<string, Network>>;
