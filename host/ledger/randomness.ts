/**
 * A window's randomness as anybody gets it: beacon rounds, verified, or the ledger's own draws.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import { type BeaconChain, verifyBeacon } from "../../enclave/protocol/drand.ts";
import type { Payload } from "../../enclave/protocol/judge_messages.ts";
import type { Address, Ledger, WindowView } from "./ledger.ts";

/** Beacon signatures by round; from a relay, or from the local beacon of test mode. */
export interface BeaconSource {
  /** The chain. */
  readonly chain: BeaconChain;
  /** The signature of a round that is due. */
  signature(round: bigint): Bytes | Promise<Bytes>;
}

/**
 * Nobody gives a beacon's round for now. The source says so once, however often it is asked: whoever waits need not.
 * A window whose rounds do not come in time passes by the ledger's own rule: without commits, or skipped.
 */
export class BeaconUnavailable extends Error {
  /** The same call may succeed later. */
  readonly retryable = true;

  /** Names the round and what was tried. */
  constructor(message: string) {
    super(message);
    this.name = "BeaconUnavailable";
  }
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

/**
 * A window with its seeds, where the ledger draws them: those that are due and that nobody has drawn yet are
 * drawn by `sender`. Any other window is given back as it is.
 */
export async function withSeeds(
  ledger: Pick<Ledger, "drawSeeds" | "now" | "window">,
  sender: Address,
  view: WindowView,
): Promise<WindowView> {
  const { context: { randomness }, deadlines, window } = view;
  if (randomness.kind !== "ledger") return view;
  const missing = (seed: Bytes) => seed.every((byte) => byte === 0);
  const due = ledger.now() >= deadlines.reveal && missing(randomness.judgeSeed);
  if (!due && !missing(randomness.assignSeed)) return view;
  try {
    await ledger.drawSeeds(sender, window);
  } catch (error) {
    // Somebody else was faster.
    if (!(error instanceof LedgerError) || error.constant !== "ENothingToDraw") throw error;
  }
  return await ledger.window(window);
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
