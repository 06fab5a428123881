/**
 * Calls of the jobs, the token, the pools and of governance.
 *
 * @module
 */
import { normalizeSuiAddress } from "@mysten/sui/utils";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import type { Dataset } from "../../../enclave/protocol/dataset.ts";
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import type { CredentialsRow, PrunePart } from "../governance.ts";
import type { JobRow, JobSpec, JobTerms } from "../jobs.ts";
import type { Address, Role } from "../ledger.ts";
import type { LockTier } from "../staking.ts";
import type { ObjectId, TokenGeneration } from "../token.ts";
import * as admin from "./calls/admin.ts";
import * as jobs from "./calls/jobs.ts";
import * as miners from "./calls/miners.ts";
import * as token from "./calls/token.ts";
import * as windows from "./calls/windows.ts";
import { failure } from "./gas.ts";
import { GradientRegistryInner } from "./layout/rounds.ts";
import type { SharedObject } from "./profile.ts";
import { bondOf, quote, readBoard, readJob, toTerms } from "./read/jobs.ts";
import { findCap } from "./read/network.ts";
import { type OwnedTicket, readAirdrop, readTickets } from "./read/token.ts";
import { readError } from "./rpc_error.ts";
import { SuiCaller } from "./sui_caller.ts";

/** Sui's source of randomness. */
const RANDOM_ID = "0x8";

/** The areas beside the windows. */
export class SuiAreas extends SuiCaller {
  // Jobs

  /** See {@link JobLedger}. */
  async postJob(sender: Address, spec: JobSpec, deadlineMs: number): Promise<number> {
    const executed = await this.execute(sender, async (deployment) => {
      const { terms } = await readBoard(this.parts.reader);
      const { fee, payout } = quote(toTerms(terms), spec);
      return jobs.postJob(deployment, spec, deadlineMs, payout + fee);
    });
    return this.result(executed, "training_jobs::JobPosted", "job");
  }
  async #job(id: number): Promise<JobRow> {
    const job = await readJob(this.parts.reader, id);
    if (job === null) {
      throw new LedgerError("training_jobs", "EUnknownJob", `there is no job ${id}`);
    }
    return job;
  }
  /** See {@link JobLedger}. */
  claimJob(sender: Address, id: number, uid: number): Promise<void> {
    return this.call(
      sender,
      async (deployment) => jobs.claimJob(deployment, id, uid, bondOf(await this.#job(id))),
    );
  }
  /** See {@link JobLedger}. */
  completeJob(sender: Address, id: number, resultHash: Bytes, resultRef: string): Promise<void> {
    return this.call(sender, (d) => jobs.completeJob(d, id, resultHash, resultRef));
  }
  /** See {@link JobLedger}. */
  settleJob(sender: Address, id: number): Promise<void> {
    return this.call(sender, (d) => jobs.stepJob(d, "settle_job", id));
  }
  /** See {@link JobLedger}. */
  cancelJob(sender: Address, id: number): Promise<void> {
    return this.call(sender, (d) => jobs.stepJob(d, "cancel_job", id));
  }
  /** See {@link JobLedger}. */
  refundJob(sender: Address, id: number): Promise<void> {
    return this.call(sender, (d) => jobs.stepJob(d, "refund_job", id));
  }
  /** See {@link JobLedger}. */
  releaseJob(sender: Address, id: number): Promise<void> {
    return this.call(sender, (d) => jobs.stepJob(d, "release_job", id));
  }
  /** See {@link JobLedger}. */
  disputeJob(sender: Address, id: number): Promise<void> {
    return this.call(
      sender,
      async (deployment) => jobs.disputeJob(deployment, id, bondOf(await this.#job(id))),
    );
  }
  /** See {@link JobLedger}. */
  resolveDispute(sender: Address, message: Bytes, signature: Bytes): Promise<void> {
    return this.call(sender, (d) => jobs.resolveDispute(d, message, signature));
  }
  /** See {@link JobLedger}. */
  expireDispute(sender: Address, id: number): Promise<void> {
    return this.call(sender, (d) => jobs.stepJob(d, "expire_dispute", id));
  }
  /** See {@link JobLedger}. */
  pruneJob(sender: Address, id: number): Promise<void> {
    return this.call(sender, (d) => jobs.stepJob(d, "prune_job", id));
  }
  /** See {@link JobLedger}. */
  async setJobTerms(sender: Address, terms: JobTerms): Promise<void> {
    await this.adminCall(sender, (d, cap) => jobs.setJobTerms(d, cap, terms));
  }
  /** See {@link JobLedger}. */
  async sweepJobFees(sender: Address): Promise<bigint> {
    const executed = await this.adminCall(sender, (d, cap) => jobs.sweepJobFees(d, cap, sender));
    return this.result(executed, "training_jobs::FeesSwept", "amount");
  }

  // Token

  /** See {@link TokenLedger}. */
  async generateTokens(sender: Address, generation: TokenGeneration): Promise<ObjectId> {
    const executed = await this.adminCall(
      sender,
      (d, cap) => token.generateTokens(d, cap, generation),
    );
    return this.result(executed, "vram_token::TokenGenerated", "airdrop");
  }
  /** See {@link TokenLedger}. */
  async claimVested(sender: Address, vesting: ObjectId): Promise<bigint> {
    const executed = await this.execute(
      sender,
      async (d) => token.claimVested(d, await this.sharedObject(vesting, "vesting"), sender),
    );
    return this.result(executed, "vram_token::VestingClaimed", "amount");
  }
  /** See {@link TokenLedger}. */
  offerVesting(sender: Address, vesting: ObjectId, to: Address | null): Promise<void> {
    return this.call(
      sender,
      async (d) => token.offerVesting(d, await this.sharedObject(vesting, "vesting"), to),
    );
  }
  /** See {@link TokenLedger}. */
  acceptVesting(sender: Address, vesting: ObjectId): Promise<void> {
    return this.call(
      sender,
      async (d) => token.acceptVesting(d, await this.sharedObject(vesting, "vesting")),
    );
  }
  async #airdrop(): Promise<{ shared: SharedObject; vesting: ObjectId }> {
    const [id] = await this.idsOf("vram_token::TokenGenerated", "airdrop");
    if (id === undefined) throw new RangeError("Cannot find the airdrop: there is none yet");
    return await readAirdrop(this.parts.reader, id);
  }
  /** See {@link TokenLedger}. */
  async claimAirdrop(
    sender: Address,
    index: number,
    amount: bigint,
    proof: readonly Bytes[],
  ): Promise<bigint> {
    const executed = await this.execute(sender, async (d) => {
      const { shared } = await this.#airdrop();
      return token.claimAirdrop(d, shared, index, amount, proof, sender);
    });
    return this.result(executed, "vram_token::AirdropClaimed", "amount");
  }
  /** See {@link TokenLedger}. */
  sweepAirdrop(sender: Address, vesting?: ObjectId): Promise<void> {
    return this.call(sender, async (d) => {
      const airdrop = await this.#airdrop();
      const to = await this.sharedObject(vesting ?? airdrop.vesting, "vesting");
      return token.sweepAirdrop(d, airdrop.shared, to);
    });
  }
  /** See {@link TokenLedger}. */
  burn(sender: Address, amount: bigint): Promise<void> {
    return this.call(sender, async (d) => token.burn(d, amount, await this.vramCoins()));
  }
  /** See {@link TokenLedger}. */
  depositRewards(sender: Address, amount: bigint): Promise<void> {
    return this.call(sender, async (d) => token.depositRewards(d, amount, await this.vramCoins()));
  }
  /** See {@link TokenLedger}. */
  async claimTreasury(sender: Address): Promise<bigint> {
    const executed = await this.adminCall(sender, (d, cap) => token.claimTreasury(d, cap, sender));
    return this.result(executed, "reward_distributor::TreasuryClaimed", "amount");
  }

  // Pools

  /** See {@link StakingLedger}. */
  async createPool(sender: Address): Promise<ObjectId> {
    const executed = await this.adminCall(sender, token.createPool);
    return this.result(executed, "staking_pool::PoolCreated", "pool");
  }
  /** See {@link StakingLedger}. */
  depositPoolRewards(sender: Address, pool: ObjectId, amount: bigint): Promise<void> {
    return this.call(sender, async (d) => {
      const shared = await this.sharedObject(pool, "pool");
      return token.depositPoolRewards(d, shared, amount, await this.vramCoins());
    });
  }
  /** See {@link StakingLedger}. */
  async stake(
    sender: Address,
    pool: ObjectId,
    amount: bigint,
    tier: LockTier,
  ): Promise<ObjectId> {
    const executed = await this.execute(sender, async (d) => {
      const shared = await this.sharedObject(pool, "pool");
      return token.stake(d, shared, amount, tier, await this.vramCoins());
    });
    return this.result(executed, "staking_pool::Staked", "ticket");
  }
  async #ticket(sender: Address, ticket: ObjectId): Promise<OwnedTicket> {
    const { reader } = this.parts;
    const tickets = await readTickets(reader, normalizeSuiAddress(sender), this.now());
    const found = tickets.find(({ row }) => row.id === normalizeSuiAddress(ticket));
    if (found === undefined) throw new RangeError(`Cannot find ticket ${ticket} of ${sender}`);
    return found;
  }
  /** See {@link StakingLedger}. */
  async claimPoolRewards(sender: Address, ticket: ObjectId, pool?: ObjectId): Promise<bigint> {
    const executed = await this.execute(sender, async (d) => {
      const { ref, row } = await this.#ticket(sender, ticket);
      const shared = await this.sharedObject(pool ?? row.pool, "pool");
      return token.claimPoolRewards(d, shared, ref, sender);
    });
    return this.result(executed, "staking_pool::RewardsClaimed", "amount");
  }
  /** See {@link StakingLedger}. */
  async unstake(sender: Address, ticket: ObjectId, pool?: ObjectId): Promise<bigint> {
    const executed = await this.execute(sender, async (d) => {
      const { ref, row } = await this.#ticket(sender, ticket);
      const shared = await this.sharedObject(pool ?? row.pool, "pool");
      return token.unstake(d, shared, ref, sender);
    });
    const of = (field: string) => this.result<bigint>(executed, "staking_pool::Unstaked", field);
    return of("amount") - of("penalty") + of("reward");
  }

  // Governance

  /** See {@link GovernanceLedger}. */
  async offerAdmin(sender: Address, to: Address): Promise<void> {
    const receiver = normalizeSuiAddress(to);
    await this.adminCall(sender, (d, cap) => admin.offerAdmin(d, cap, receiver));
  }
  /** See {@link GovernanceLedger}. */
  withdrawAdminOffer(sender: Address): Promise<void> {
    return this.call(sender, (d) => admin.answerOffer(d, "withdraw_offer"));
  }
  /** See {@link GovernanceLedger}. */
  acceptAdmin(sender: Address): Promise<void> {
    return this.call(sender, (d) => admin.answerOffer(d, "accept_admin"));
  }
  /** See {@link GovernanceLedger}. */
  async registerDataset(sender: Address, dataset: Dataset): Promise<number> {
    const executed = await this.adminCall(
      sender,
      (d, cap) => admin.registerDataset(d, cap, dataset),
    );
    return this.result(executed, "dataset_registry::DatasetRegistered", "id");
  }
  /** See {@link GovernanceLedger}. */
  async registerJobDataset(sender: Address, dataset: Dataset): Promise<number> {
    const executed = await this.execute(sender, (d) => admin.registerDataset(d, null, dataset));
    return this.result(executed, "dataset_registry::DatasetRegistered", "id");
  }
  /** See {@link GovernanceLedger}. */
  retireDataset(sender: Address, id: number): Promise<void> {
    return this.call(sender, async (d) => {
      const cap = await findCap(this.parts.reader, normalizeSuiAddress(sender));
      return admin.retireDataset(d, cap, id);
    });
  }
  /** See {@link GovernanceLedger}. */
  async sweepTreasury(sender: Address, role: Role): Promise<bigint> {
    const executed = await this.adminCall(
      sender,
      (d, cap) => admin.sweepTreasury(d, cap, role, sender),
    );
    const module = role === "miner" ? "peer_registry" : "validator_registry";
    return this.result(executed, `${module}::TreasurySwept`, "amount");
  }
  /** See {@link GovernanceLedger}. */
  topUpStake(sender: Address, uid: number, amount: bigint): Promise<void> {
    return this.call(sender, (d) => miners.topUpStake(d, uid, amount));
  }
  /** See {@link GovernanceLedger}. */
  setCredentials(
    sender: Address,
    uid: number,
    credentials: Omit<CredentialsRow, "generation">,
  ): Promise<void> {
    return this.call(sender, (d) => miners.setCredentials(d, uid, credentials));
  }
  /** See {@link GovernanceLedger}. Simulated, as key servers do: nothing is sent and no wallet is needed. */
  async sealApprove(sender: Address, id: Bytes): Promise<void> {
    const { client, reader, timeoutMs } = this.parts;
    const { transaction } = miners.sealApprove(this.deployment, id);
    transaction.setSender(normalizeSuiAddress(sender));
    let result;
    try {
      result = await client.core.simulateTransaction({
        transaction,
        checksEnabled: false, // nobody pays
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      throw readError(error);
    }
    if (result.$kind === "FailedTransaction") {
      throw failure(result.FailedTransaction.status, reader);
    }
  }
  /** See {@link GovernanceLedger}. Rolls first where nobody has, in a transaction of its own. */
  async drawSeeds(sender: Address, window: number): Promise<void> {
    if (!(await this.head()).rolled) await this.roll(sender);
    await this.call(
      sender,
      async (d) =>
        windows.drawSeeds(d, window, await this.sharedObject(RANDOM_ID, "the random object")),
    );
  }
  /** See {@link GovernanceLedger}. */
  roll(sender: Address): Promise<void> {
    return this.call(sender, windows.roll);
  }
  /** See {@link GovernanceLedger}. */
  prune(sender: Address, window: number, part?: PrunePart): Promise<void> {
    return this.call(sender, async (d) => {
      if (part !== undefined) return windows.prune(d, window, [part]);
      const { reader } = this.parts;
      const [gradients] = await reader.inners(["gradientRegistry", GradientRegistryInner]);
      const committed = await reader.entry(gradients.windows, window) !== null;
      return windows.prune(d, window, [
        ...committed ? ["gradients" as const] : [],
        "scores",
        "rounds",
      ]);
    });
  }
}
