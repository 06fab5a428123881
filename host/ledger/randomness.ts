/**
 * A window's randomness as anybody gets it: beacon rounds, verified, or the ledger's own draws.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { type BeaconChain, verifyBeacon } from "../../enclave/protocol/drand.ts";
import type { Payload } from "../../enclave/protocol/judge_messages.ts";
import type { WindowView } from "./ledger.ts";

/** Beacon signatures by round; from a relay, or from the local beacon of test mode. */
export interface BeaconSource {
  /** The chain. */
  readonly chain: BeaconChain;
  /** The signature of a round that is due. */
  signature(round: bigint): Bytes | Promise<Bytes>;
}

/** A window's randomness, with the proofs that the judge verifies again. */
export interface WindowRandomness {
  /** Assigned the pages. */
  readonly assign: Bytes;
  /** Drawn after the reveals. */
  readonly judge: Bytes;
  /** As the judge takes it. */
  readonly proof: Payload["beacon"];
}

/** The randomness that assigns a window's pages: known once the window has begun. */
export async function assignmentBeacon(view: WindowView, beacon: BeaconSource): Promise<Bytes> {
  const { randomness } = view.context;
  if (randomness.kind === "ledger") return randomness.assignSeed;
  const round = BigInt(randomness.assignRound);
  return verifyBeacon(beacon.chain, round, await beacon.signature(round));
}

/** Both of a window's random values; the second one is due only after the reveals. */
export async function windowRandomness(
  view: WindowView,
  beacon: BeaconSource,
): Promise<WindowRandomness> {
  const assign = await assignmentBeacon(view, beacon);
  const { randomness } = view.context;
  if (randomness.kind === "ledger") {
    return { assign, judge: randomness.judgeSeed, proof: null };
  }
  const { chain } = beacon;
  const [first, second] = [BigInt(randomness.assignRound), BigInt(randomness.judgeRound)];
  const signature = await beacon.signature(second);
  return {
    assign,
    judge: verifyBeacon(chain, second, signature),
    proof: {
      public_key: chain.publicKey,
      genesis_ms: chain.genesisMs,
      period_ms: chain.periodMs,
      assign_signature: await beacon.signature(first),
      judge_signature: signature,
    },
  };
}
