/**
 * The founding of a network: what its digests bind for ever, its first hparams and builds, and its founders.
 *
 * @module
 */
import { type Bytes, toHex } from "../../../enclave/protocol/bytes.ts";
import { type Dataset, datasetRoot, encodeDataset } from "../../../enclave/protocol/dataset.ts";
import type { BeaconChain } from "../../../enclave/protocol/drand.ts";
import { checkHparams, type Hparams } from "../../../enclave/protocol/hparams.ts";
import type { Epoch } from "../../../enclave/protocol/window.ts";
import type { Address, Role } from "../ledger.ts";
import { anchor } from "./datasets.ts";
import { checkMeasurement, insertMeasurement } from "./enclaves.ts";
import { lackingPages } from "./hparams.ts";
import * as peers from "./peers.ts";
import type { State } from "./state.ts";
import * as validators from "./validators.ts";

/** A founder's slot. */
export interface Seat {
  /** What it does. */
  readonly role: Role;
  /** Who owns it. */
  readonly owner: Address;
  /** MIST. */
  readonly stake: bigint;
}

/** What a network is founded with. */
export interface Genesis {
  /** 32 bytes. */
  readonly chainId: Bytes;
  /** 32 bytes. */
  readonly ledgerId: Bytes;
  /** Governs hparams and measurements. */
  readonly admin: Address;
  /** Preset name and hash of the model. */
  readonly model: string;
  /** 32 bytes. */
  readonly modelHash: Bytes;
  /** Hash of the first base's manifest. */
  readonly baseHash: Bytes;
  /** The data. */
  readonly dataset: Dataset;
  /** The randomness. */
  readonly beacon: BeaconChain;
  /** The first hparams. */
  readonly hparams: Hparams;
  /** The first window and when it starts. */
  readonly epoch: Pick<Epoch, "firstWindow" | "startMs">;
  /** Builds approved from the start. */
  readonly measurements: readonly {
    readonly name: string;
    readonly pcrs: readonly [Bytes, Bytes, Bytes];
  }[];
  /** DER of a SIMULATED root, or null for AWS's. */
  readonly simulatedRoot: Bytes | null;
  /** Who is seated from the first window on, slots counted from 0 per role; the stake is test money. */
  readonly seats: readonly Seat[];
}

/**
 * Refuse what no network could be founded with.
 *
 * @throws {Refusal} `bad_hparam`.
 * @throws {RangeError} where the data set has too few pages, or a seat is one that nobody could register.
 */
export function checkGenesis({ hparams, beacon, dataset, seats }: Genesis): void {
  checkHparams(hparams, beacon.periodMs);
  const fault = lackingPages(hparams, dataset) ?? badSeat(seats, hparams);
  if (fault !== null) throw new RangeError(`Cannot found a network: ${fault}`);
}

/** Why founders may not be seated as they are, or null: they keep to the rules that newcomers have. */
function badSeat(seats: readonly Seat[], hparams: Hparams): string | null {
  for (const role of ["miner", "validator"] as const) {
    const least = BigInt(hparams[`min_${role}_stake`]);
    const slots = hparams[`max_${role}s`];
    const seated = seats.filter((seat) => seat.role === role);
    if (seated.length > slots) return `${seated.length} ${role}s have ${slots} slots`;
    if (new Set(seated.map(({ owner }) => owner)).size < seated.length) {
      return `an owner has two ${role} slots`;
    }
    const poor = seated.find(({ stake }) => stake < least);
    if (poor !== undefined) return `a ${role} stakes at least ${least} MIST, not ${poor.stake}`;
  }
  return null;
}

/** Found the network, once. */
export function found(state: State, genesis: Genesis): void {
  if (state.meta("ledger_id") !== undefined) {
    throw new TypeError("Cannot found the network: it is founded already");
  }
  const { baseHash, beacon, dataset, epoch, hparams, ledgerId, modelHash } = genesis;
  for (
    const [key, value] of Object.entries({
      chain_id: toHex(genesis.chainId),
      ledger_id: toHex(ledgerId),
      admin: genesis.admin,
      model: genesis.model,
      model_hash: toHex(modelHash),
      dataset: toHex(encodeDataset(dataset)),
      beacon: JSON.stringify({
        chainHash: toHex(beacon.chainHash),
        publicKey: toHex(beacon.publicKey),
        genesisMs: beacon.genesisMs,
        periodMs: beacon.periodMs,
      }),
      simulated_root: genesis.simulatedRoot === null ? "" : toHex(genesis.simulatedRoot),
      hparams: JSON.stringify(hparams),
    })
  ) state.setMeta(key, value);
  state.run("insert into meta values ('base', ?)", baseHash);
  const { firstWindow, startMs } = epoch;
  state.run("insert into epochs values (?, ?, ?)", firstWindow, startMs, hparams.window_ms);
  for (const { name, pcrs } of genesis.measurements) {
    checkMeasurement(name, pcrs);
    insertMeasurement(state, name, pcrs, 0);
  }
  anchor(state, dataset, null);
  const next = { miner: 0, validator: 0 };
  for (const { role, owner, stake } of genesis.seats) {
    state.addTotal("minted_sui", stake);
    const registry = role === "miner" ? peers : validators;
    registry.seatFounder(state, next[role]++, owner, stake);
  }
  state.emit("round_state::NetworkFounded", {
    ledgerId,
    model: genesis.model,
    modelHash,
    baseHash,
    datasetRoot: datasetRoot(dataset),
    firstWindow,
    startMs,
  });
}
