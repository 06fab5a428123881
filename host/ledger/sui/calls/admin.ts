/**
 * Calls of governance: hparams, builds, the admin's rights, data sets, treasuries, the founding.
 *
 * @module
 */
import { type Bytes, utf8 } from "../../../../enclave/protocol/bytes.ts";
import type { Dataset } from "../../../../enclave/protocol/dataset.ts";
import type { BeaconChain } from "../../../../enclave/protocol/drand.ts";
import { encodeHparams, type Hparams } from "../../../../enclave/protocol/hparams.ts";
import { address, bytes, count, u32 } from "../layout/layout.ts";
import type { Deployment } from "../profile.ts";
import type { OwnedRef } from "../state_reader.ts";
import { type Argument, type Call, CallBuilder } from "./call.ts";

/** What a network on Sui is founded with; its data set is anchored before. */
export interface Founding {
  /** Number of the data set in its registry. */
  readonly datasetId: number;
  /** 32 bytes. */
  readonly chainId: Bytes;
  /** 32 bytes. */
  readonly modelHash: Bytes;
  /** Hash of the first base's manifest. */
  readonly baseHash: Bytes;
  /** The randomness. */
  readonly beacon: BeaconChain;
  /** When the first window starts. */
  readonly epochStartMs: number;
  /** Its number. */
  readonly firstWindow: number;
  /** The first hparams. */
  readonly hparams: Hparams;
}

/** Found the network. Once. */
export function found(deployment: Deployment, cap: OwnedRef, founding: Founding): Call {
  const b = new CallBuilder(deployment);
  b.call("round_state::found", [
    b.cap(cap),
    b.mut("roundState"),
    b.mut("hparams"),
    b.ref("datasetRegistry"),
    b.pure(count, founding.datasetId),
    b.pure(bytes, founding.chainId),
    b.pure(bytes, founding.modelHash),
    b.pure(bytes, founding.baseHash),
    b.pure(bytes, founding.beacon.chainHash),
    b.pure(count, founding.beacon.genesisMs),
    b.pure(count, founding.beacon.periodMs),
    b.pure(count, founding.epochStartMs),
    b.pure(count, founding.firstWindow),
    b.pure(bytes, encodeHparams(founding.hparams)),
    b.clock(),
  ]);
  return b.done();
}

/** Change hparams. */
export function setHparams(deployment: Deployment, cap: OwnedRef, hparams: Hparams): Call {
  const b = new CallBuilder(deployment);
  b.call("hparams::set", [
    b.cap(cap),
    b.mut("hparams"),
    b.pure(bytes, encodeHparams(hparams)),
    b.clock(),
  ]);
  return b.done();
}

/** PCR0, 1 and 2 of a build, 48 bytes each. */
export type Pcrs = readonly [Bytes, Bytes, Bytes];

/** Approve a build. */
export function approve(deployment: Deployment, cap: OwnedRef, name: string, pcrs: Pcrs): Call {
  const b = new CallBuilder(deployment);
  b.call("enclave_registry::approve", [...build(b, cap, name, pcrs), b.clock()]);
  return b.done();
}

/** Approve a build at once, before the founding. */
export function approveAtGenesis(
  deployment: Deployment,
  cap: OwnedRef,
  name: string,
  pcrs: Pcrs,
): Call {
  const b = new CallBuilder(deployment);
  b.call("enclave_registry::approve_at_genesis", build(b, cap, name, pcrs));
  return b.done();
}

function build(b: CallBuilder, cap: OwnedRef, name: string, pcrs: Pcrs): Argument[] {
  return [
    b.cap(cap),
    b.mut("enclaveRegistry"),
    b.ref("hparams"),
    b.pure(bytes, utf8(name)),
    ...pcrs.map((pcr) => b.pure(bytes, pcr)),
  ];
}

/** Remove a build. */
export function removeBuild(deployment: Deployment, cap: OwnedRef, name: string): Call {
  const b = new CallBuilder(deployment);
  b.call("enclave_registry::remove", [
    b.cap(cap),
    b.mut("enclaveRegistry"),
    b.pure(bytes, utf8(name)),
    b.clock(),
  ]);
  return b.done();
}

/** Offer the admin's rights. */
export function offerAdmin(deployment: Deployment, cap: OwnedRef, to: string): Call {
  const b = new CallBuilder(deployment);
  b.call("hparams::offer_admin", [
    b.cap(cap, "hparams::AdminCap"),
    b.mut("hparams"),
    b.pure(address, to),
  ]);
  return b.done();
}

/** Take the offer, or take it back. */
export function answerOffer(
  deployment: Deployment,
  answer: "accept_admin" | "withdraw_offer",
): Call {
  const b = new CallBuilder(deployment);
  b.call(`hparams::${answer}`, [b.mut("hparams")]);
  return b.done();
}

/** Anchor a data set: the network's with `cap`, one for jobs with null. */
export function registerDataset(
  deployment: Deployment,
  cap: OwnedRef | null,
  dataset: Dataset,
): Call {
  const b = new CallBuilder(deployment);
  const parts = [
    b.mut("datasetRegistry"),
    b.pure(count, dataset.pageCount),
    b.pure(u32, dataset.pageTokens),
    b.pure(bytes, dataset.tokenizerHash),
    b.pure(bytes, dataset.merkleRoot),
  ];
  if (cap === null) b.call("dataset_registry::register_for_job", parts);
  else b.call("dataset_registry::register", [b.cap(cap), ...parts]);
  return b.done();
}

/** Retire a data set: any with `cap`, one's own with null. */
export function retireDataset(deployment: Deployment, cap: OwnedRef | null, dataset: number): Call {
  const b = new CallBuilder(deployment);
  const parts = [b.mut("datasetRegistry"), b.pure(count, dataset)];
  if (cap === null) b.call("dataset_registry::retire_own", parts);
  else b.call("dataset_registry::retire", [b.cap(cap), ...parts]);
  return b.done();
}

/** Take a role's treasury. */
export function sweepTreasury(
  deployment: Deployment,
  cap: OwnedRef,
  role: "miner" | "validator",
  sender: string,
): Call {
  const b = new CallBuilder(deployment);
  const coin = role === "miner"
    ? b.call("peer_registry::sweep_treasury", [b.cap(cap), b.mut("peerRegistry")])
    : b.call("validator_registry::sweep_treasury", [b.cap(cap), b.mut("validatorRegistry")]);
  return b.transfer([coin], sender).done();
}
