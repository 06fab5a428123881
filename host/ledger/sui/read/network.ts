/**
 * What never changes about the network, and who governs it.
 *
 * @module
 */
import { equal, fromHex } from "../../../../enclave/protocol/bytes.ts";
import type { Dataset } from "../../../../enclave/protocol/dataset.ts";
import { type BeaconChain, QUICKNET } from "../../../../enclave/protocol/drand.ts";
import type { DatasetRow } from "../../governance.ts";
import type { Address, NetworkInfo } from "../../ledger.ts";
import { SuiError } from "../errors.ts";
import type { EventIndex } from "../event_index.ts";
import { AdminCap } from "../layout/hparams.ts";
import type { Of } from "../layout/layout.ts";
import { type Dataset as DatasetLayout, DatasetRegistryInner } from "../layout/token.ts";
import type { NetworkProfile } from "../profile.ts";
import type { OwnedRef, StateReader } from "../state_reader.ts";
import { assertFounded, type Head } from "./head.ts";

/** Data sets looked at for the network's. */
const MAX_SCANNED = 1_000;
const BATCH = 50;

function toDataset(row: Of<typeof DatasetLayout>): Dataset {
  return {
    pageCount: row.page_count,
    pageTokens: row.page_tokens,
    tokenizerHash: row.tokenizer_hash,
    merkleRoot: row.merkle_root,
  };
}

/** A data set by number, or null. */
export async function readDataset(reader: StateReader, id: number): Promise<DatasetRow | null> {
  const [inner] = await reader.inners(["datasetRegistry", DatasetRegistryInner]);
  const row = await reader.entry(inner.datasets, id);
  if (row === null) return null;
  return { ...toDataset(row), id, root: row.root, owner: row.owner, retired: row.retired };
}

/** The network's data set: the registry's first of that root. */
async function findDataset(reader: StateReader, root: Uint8Array): Promise<Dataset> {
  const [inner] = await reader.inners(["datasetRegistry", DatasetRegistryInner]);
  const end = Math.min(inner.next_id, MAX_SCANNED);
  for (let start = 0; start < end; start += BATCH) {
    const ids = Array.from({ length: Math.min(BATCH, end - start) }, (_, i) => start + i);
    const found = (await reader.entries(inner.datasets, ids))
      .find((row) => row !== null && equal(row.root, root));
    if (found != null) return toDataset(found);
  }
  throw new SuiError("bad_layout", "The registry does not hold the network's data set");
}

/** The beacon: the contracts hold its hash and times, the profile its key. */
function beaconOf(profile: NetworkProfile, { rounds }: Head): BeaconChain {
  const publicKey = profile.beaconPublicKey === undefined
    ? equal(rounds.beacon_hash, QUICKNET.chainHash) ? QUICKNET.publicKey : null
    : fromHex(profile.beaconPublicKey, 96);
  if (publicKey === null) {
    throw new SuiError(
      "not_deployed",
      `Profile ${profile.name} names no beaconPublicKey, and the network's beacon is not quicknet`,
    );
  }
  return {
    chainHash: rounds.beacon_hash,
    publicKey,
    genesisMs: rounds.beacon_genesis_ms,
    periodMs: rounds.beacon_period_ms,
  };
}

/** What never changes; the admin is read from {@link adminOf}. */
export async function readInfo(
  reader: StateReader,
  profile: NetworkProfile,
  head: Head,
  admin: Address,
): Promise<NetworkInfo> {
  assertFounded(head);
  const { rounds } = head;
  return {
    kind: "sui",
    chainId: rounds.chain_id,
    ledgerId: rounds.ledger_id,
    admin,
    model: profile.model,
    modelHash: rounds.model_hash,
    dataset: await findDataset(reader, rounds.dataset_root),
    beacon: beaconOf(profile, head),
    simulatedRoot: null,
  };
}

/** The admin's capability, if `owner` holds it. */
export async function findCap(reader: StateReader, owner: Address): Promise<OwnedRef | null> {
  const type = `${reader.deployment.typesId}::hparams::AdminCap`;
  const [cap] = await reader.owned(owner, type, AdminCap, 10);
  return cap?.ref ?? null;
}

/**
 * The admin: while the rights are on offer, who offers; else who took or took back the last offer; else who
 * published the package, which is `publisher` where it is known.
 */
export function adminOf(head: Head, index: EventIndex, publisher: Address | null): Address {
  const { offer } = head.hparams;
  if (offer !== null) return offer.from;
  const taken = index.ofKind("hparams::AdminAccepted").map((
    { event },
  ) => [event.seq, event.body.to]);
  const kept = index.ofKind("hparams::AdminOfferWithdrawn")
    .map(({ event }) => [event.seq, event.body.from]);
  const [last] = [...taken, ...kept].sort(([a], [b]) => Number(b) - Number(a));
  const admin = last?.[1] ?? publisher;
  if (typeof admin !== "string") {
    throw new SuiError("bad_layout", "Nobody is known to hold the admin's rights");
  }
  return admin;
}
