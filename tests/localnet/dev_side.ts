/**
 * The dev ledger beside the network: founded as that was, with the same people.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import type { Dataset } from "../../enclave/protocol/dataset.ts";
import type { BeaconChain } from "../../enclave/protocol/drand.ts";
import type { Clock } from "../../host/ledger/clock.ts";
import { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import type { Address } from "../../host/ledger/ledger.ts";
import { Pages } from "../../host/store/pages.ts";
import { bytes32, pcrsOf } from "../../host/ledger/testing.ts";
import { COIN } from "../../host/ledger/testing_coins.ts";
import { HPARAMS, PEOPLE, type Person, type Side, STAKES } from "./script.ts";

/** A small data set, the same everywhere: a few tokens are far more frequent than the others. */
export const PAGES: Pages = Pages.fromTokens(
  Uint32Array.from({ length: 1_000 * pageTokens(PRESETS.tiny) }, (_, i) => 32 + (i * i) % 61),
  pageTokens(PRESETS.tiny),
  bytes32("tokenizer"),
);
/** The data set of both. */
export const DATASET: Dataset = PAGES.dataset;
/** The build that both approve. */
export const BUILD = { name: "localnet", pcrs: pcrsOf(1) };
/** Who is seated from the start, slots in this order. */
export const FOUNDERS = [
  { role: "validator", person: "validator" },
  { role: "miner", person: "miner0" },
  { role: "miner", person: "miner1" },
] as const;

/** What the dev ledger takes over of the network. */
export interface About {
  /** 32 bytes each. */
  readonly chainId: Bytes;
  /** See `chainId`. */
  readonly ledgerId: Bytes;
  /** See `chainId`. */
  readonly modelHash: Bytes;
  /** See `chainId`. */
  readonly baseHash: Bytes;
  /** The randomness. */
  readonly beacon: BeaconChain;
  /** When window 0 starts. */
  readonly startMs: number;
}

/** A dev ledger for {@link playScript}. */
export function devSide(
  clock: Clock,
  address: (person: Person) => Address,
  about: About,
): Side & Disposable & { readonly ledger: DevLedger } {
  const ledger = DevLedger.open(":memory:", clock);
  const { startMs, ...fixed } = about;
  ledger.found({
    ...fixed,
    admin: address("admin"),
    model: PRESETS.tiny.name,
    dataset: DATASET,
    hparams: HPARAMS,
    epoch: { firstWindow: 0, startMs },
    measurements: [BUILD],
    simulatedRoot: null,
    seats: FOUNDERS.map(({ person, role }) => ({
      role,
      owner: address(person),
      stake: STAKES[role],
    })),
  });
  for (const person of PEOPLE) ledger.faucet(address(person), 100n * COIN);
  return { ledger, as: () => ledger, [Symbol.dispose]: () => ledger[Symbol.dispose]() };
}
