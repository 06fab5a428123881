/**
 * Test support, imported by tests only: coins of a test network, jobs on its board and judges' verdicts on them.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { encodeJobVerdict, type JobVerdict } from "../../enclave/protocol/job_verdict.ts";
import { merkleLevels, merkleProof } from "../../enclave/protocol/merkle.ts";
import { airdropLeaf } from "./airdrop.ts";
import type { JobSpec } from "./jobs.ts";
import type { Address } from "./ledger.ts";
import { address, ADMIN, bytes32, minerOf, type Signed, type TestNetwork } from "./testing.ts";
import type { ObjectId, Share, TokenGeneration } from "./token.ts";

/** One VRAM, and one SUI, in its smallest unit. */
export const COIN = 1_000_000_000n;
/** An hour, in milliseconds. */
export const HOUR = 3_600_000;
/** A day, in milliseconds. */
export const DAY = 24 * HOUR;
/** A twelfth of 365.25 days, as the contracts count. */
export const MONTH = 2_629_800_000;

/** Gets the liquidity of {@link generate}: 1.47 M VRAM. */
export const WHALE: Address = address(0x3a1e);
/** Beneficiary of the treasury's vesting. */
export const TREASURER: Address = address(0x3a2e);
/** A customer with coins, after {@link withJob}. */
export const CUSTOMER: Address = address(0xc0);

/** A token generation event; the airdrop is over `shares`. */
export async function generation(
  network: TestNetwork,
  shares: readonly Share[] = [{ to: address(1), amount: COIN }],
): Promise<TokenGeneration> {
  const { treasury } = await network.ledger.supply();
  const levels = merkleLevels(shares.map((share) => airdropLeaf(treasury, share)));
  return {
    treasury: TREASURER,
    investors: [{ to: address(11), amount: 1_000_000n * COIN }, {
      to: address(12),
      amount: 50_000n * COIN,
    }],
    investorsCliffMs: 6 * MONTH,
    investorsDurationMs: 12 * MONTH,
    team: [{ to: address(13), amount: 1_680_000n * COIN }],
    liquidity: WHALE,
    airdropRoot: levels.at(-1)![0]!,
    airdropLeaves: shares.length,
    airdropDeadlineMs: network.clock.now() + 30 * DAY,
  };
}

/** Hold the token generation event; returns the airdrop's id. */
export async function generate(
  network: TestNetwork,
  shares?: readonly Share[],
): Promise<ObjectId> {
  return await network.ledger.generateTokens(ADMIN, await generation(network, shares));
}

/** The proof of share number `index`. */
export async function proofOf(
  network: TestNetwork,
  shares: readonly Share[],
  index: number,
): Promise<Bytes[]> {
  const { treasury } = await network.ledger.supply();
  return merkleProof(merkleLevels(shares.map((share) => airdropLeaf(treasury, share))), index);
}

/** A job that costs 1.05 SUI by the board's first terms. */
export const SPEC: JobSpec = {
  modelParamsM: 10,
  datasetTokensM: 100,
  numEpochs: 2,
  batchSize: 8,
  sequenceLength: 256,
  precision: "BF16",
  minGpuVramGb: 24,
  datasetId: 0,
  baseHash: bytes32("base"),
  baseRef: "walrus://base",
  minImprovement: 1_000,
};
/** Hash of what is delivered. */
export const RESULT: Bytes = bytes32("result");

/** Statuses that {@link withJob} can bring a job to. */
export type Reached = "open" | "claimed" | "completed" | "disputed";

/** Post a job of two hours, and bring it on: claimed by miner 0, completed, disputed. Returns its number. */
export async function withJob(network: TestNetwork, reached: Reached): Promise<number> {
  const { clock, ledger } = network;
  for (const who of [CUSTOMER, minerOf(0)]) ledger.faucet(who, 10n * COIN);
  const id = await ledger.postJob(CUSTOMER, SPEC, clock.now() + 2 * HOUR);
  const steps = ["open", "claimed", "completed", "disputed"].indexOf(reached);
  if (steps > 0) await ledger.claimJob(minerOf(0), id, 0);
  if (steps > 1) await ledger.completeJob(minerOf(0), id, RESULT, "walrus://result");
  if (steps > 2) await ledger.disputeJob(CUSTOMER, id);
  return id;
}

/** Sign a verdict on a job of {@link withJob}: the loss fell from 2,000,000 to 1,000,000 units. */
export async function signVerdict(
  network: TestNetwork,
  job: number,
  draft: Partial<JobVerdict> & { readonly key?: number } = {},
): Promise<Signed> {
  const { key = 0, ...rest } = draft;
  const { chainId, ledgerId } = await network.ledger.info();
  const { root } = (await network.ledger.dataset(0))!;
  const verdict = {
    chainId,
    ledgerId,
    validator: 0,
    job,
    timestampMs: network.clock.now(),
    datasetRoot: root,
    baseHash: SPEC.baseHash,
    resultHash: RESULT,
    lossBefore: 2_000_000,
    lossAfter: 1_000_000,
    ...rest,
  };
  const message = encodeJobVerdict(verdict);
  return { message, signature: network.sign(0, message, key) };
}
