import assert from "node:assert/strict";
import { Transaction } from "@mysten/sui/transactions";
import type { TokenGeneration } from "../token.ts";
import { EVENTS } from "./layout/events.ts";
import { AdminCap } from "./layout/hparams.ts";
import { BoardInner, Job } from "./layout/jobs.ts";
import { count, encode } from "./layout/layout.ts";
import { GradientRegistryInner } from "./layout/rounds.ts";
import { Airdrop, PoolInner, StakerTicket, Vesting } from "./layout/token.ts";
import type { SuiLedger } from "./sui_ledger.ts";
import {
  deployed,
  DIGEST,
  idOf,
  objectMessage,
  PROFILE,
  putField,
  putInner,
  type Step,
} from "./testing.ts";
import { putUnfounded } from "./testing_mirror.ts";
import { calls, connect, ME, NOW } from "./testing_session.ts";

const P = PROFILE.packageId;
const b32 = new Uint8Array(32).fill(7);
const NONE = { id: idOf(0x7ff), size: 0 };
const [VESTING, AIRDROP, POOL, TICKET] = [idOf(0x91), idOf(0x92), idOf(0x93), idOf(0x94)];
const DATASET = { pageCount: 10, pageTokens: 9, tokenizerHash: b32, merkleRoot: b32 };
const TERMS = {
  price_per_unit: 1n,
  fee_bps: 500,
  min_price: 1_000n,
  dispute_window_ms: 1,
  dispute_timeout_ms: 2,
  bond_bps: 1_000,
  default_split_bps: 100,
};
const JOB_TERMS = {
  pricePerUnit: 1n,
  feeBps: 500,
  minPrice: 1_000n,
  disputeWindowMs: 1,
  disputeTimeoutMs: 2,
  bondBps: 1_000,
  defaultSplitBps: 100,
};
const SPEC = {
  modelParamsM: 1,
  datasetTokensM: 1,
  numEpochs: 1,
  batchSize: 1,
  sequenceLength: 1,
  precision: "FP16" as const,
  minGpuVramGb: 0,
  datasetId: 1,
  baseHash: b32,
  baseRef: "base",
  minImprovement: 1,
};
const GENERATION: TokenGeneration = {
  treasury: ME,
  investors: [{ to: ME, amount: 1n }],
  investorsCliffMs: 1,
  investorsDurationMs: 1,
  team: [{ to: ME, amount: 1n }],
  liquidity: ME,
  airdropRoot: b32,
  airdropLeaves: 1,
  airdropDeadlineMs: 1,
};

/** A small state with one of each. */
function state(): Map<string, object> {
  const objects = deployed();
  putUnfounded(objects);
  putInner(objects, "jobBoard", BoardInner, {
    jobs: { id: idOf(0x706), size: 1 },
    next_id: 2,
    terms: TERMS,
    fees: 0n,
  });
  putField(objects, idOf(0x706), "u64", count, 1, Job, {
    customer: ME,
    spec: {
      model_params_m: 1,
      dataset_tokens_m: 1,
      num_epochs: 1,
      batch_size: 1,
      sequence_length: 1,
      precision: 1,
      min_gpu_vram_gb: 0,
      dataset_root: b32,
      base_hash: b32,
      base_ref: b32,
      min_improvement: 1,
    },
    terms: TERMS,
    status: 2,
    posted_ms: 1,
    deadline_ms: 2,
    payout: 1_000n,
    fee: 50n,
    escrow: 1_050n,
    miner: ME,
    uid: 3,
    claim_bond: 0n,
    result_hash: b32,
    since_ms: 1,
    dispute_bond: 0n,
  });
  putInner(objects, "gradientRegistry", GradientRegistryInner, { next_seq: 0, windows: NONE });
  putField(objects, POOL, "u64", count, 1, PoolInner, {
    stake: 5n,
    rewards: 6n,
    unreleased: 4n,
    left_ms: 3,
    updated_ms: NOW,
    total_weight: 50n,
    tickets: 1,
    accumulated: 0n,
  });
  objects.set(POOL, objectMessage(POOL));
  const vesting = encode(Vesting, {
    id: VESTING,
    class: 2,
    beneficiary: ME,
    offered: null,
    total: 1_000n,
    claimed: 100n,
    start_ms: NOW - 1_000,
    cliff_ms: 250,
    duration_ms: 3_000,
    balance: 900n,
  });
  objects.set(VESTING, objectMessage(VESTING, { content: vesting }));
  const airdrop = encode(Airdrop, {
    id: AIRDROP,
    treasury: PROFILE.objects.treasury,
    treasury_vesting: VESTING,
    root: b32,
    leaves: 4,
    deadline_ms: NOW,
    claimed: NONE,
    balance: 77n,
  });
  objects.set(AIRDROP, objectMessage(AIRDROP, { content: airdrop }));
  return objects;
}

/** The events that name the vesting, the airdrop and the pool. */
const made: Step = {
  method: "ListEvents",
  answer: (() => {
    const event = (kind: string, eventIndex: number, fields: object) => {
      const [module, name] = kind.split("::") as [string, string];
      const value = encode(EVENTS[module]![name]!, fields);
      return {
        event: {
          eventType: `${P}::${kind}`,
          contents: { value },
          checkpoint: 1n,
          transactionDigest: DIGEST,
          eventIndex,
        },
      };
    };
    return [
      event("vram_token::VestingCreated", 0, {
        vesting: VESTING,
        class: 2,
        beneficiary: ME,
        total: 1_000n,
        start_ms: 1,
        cliff_ms: 1,
        duration_ms: 1,
      }),
      event("vram_token::TokenGenerated", 1, {
        airdrop: AIRDROP,
        root: b32,
        deadline_ms: 1,
        liquidity: ME,
      }),
      event("staking_pool::PoolCreated", 2, { pool: POOL }),
      { watermark: { cursor: Uint8Array.of(1) }, end: { reason: 5 } },
    ];
  }) as Step["answer"],
};
const time: Step = {
  method: "GetCheckpoint",
  answer: { checkpoint: { summary: { timestamp: { seconds: 1n, nanos: 0 } } } },
};
const owned = (type: string, id: string, parts: object): Step => ({
  method: "ListOwnedObjects",
  answer: { objects: [objectMessage(id, { owner: ME, type, ...parts })] },
});
const cap = owned("hparams::AdminCap", idOf(0xcab), {
  content: encode(AdminCap, { id: idOf(0xcab) }),
});
const vram = owned("coin", idOf(0xc7), { balance: 100n });
const ticket = owned("ticket", TICKET, {
  content: encode(StakerTicket, {
    id: TICKET,
    pool: POOL,
    amount: 5n,
    tier: 0,
    weight: 50n,
    unlock_ms: NOW,
    paid_at: 0n,
    fraction: 0n,
  }),
});

type Case = readonly [
  target: string,
  call: (ledger: SuiLedger) => Promise<unknown>,
  result: unknown,
  before?: readonly Step[],
  event?: readonly [kind: string, fields: object],
];
const jobStep = (target: string, call: (ledger: SuiLedger) => Promise<void>): Case => [
  `training_jobs::${target}`,
  call,
  undefined,
];

const CASES: readonly Case[] = [
  ["training_jobs::post_job", (l) => l.postJob(ME, SPEC, NOW), 8, [], [
    "training_jobs::JobPosted",
    {
      job: 8,
      customer: ME,
      payout: 1n,
      fee: 1n,
      deadline_ms: 1,
      spec: {
        model_params_m: 1,
        dataset_tokens_m: 1,
        num_epochs: 1,
        batch_size: 1,
        sequence_length: 1,
        precision: 1,
        min_gpu_vram_gb: 0,
        dataset_root: b32,
        base_hash: b32,
        base_ref: b32,
        min_improvement: 1,
      },
    },
  ]],
  ["training_jobs::claim_job", (l) => l.claimJob(ME, 1, 3), undefined],
  ["training_jobs::dispute_job", (l) => l.disputeJob(ME, 1), undefined],
  ["training_jobs::complete_job", (l) => l.completeJob(ME, 1, b32, "x"), undefined],
  ["training_jobs::resolve_dispute", (l) => l.resolveDispute(ME, b32, b32), undefined],
  jobStep("settle_job", (l) => l.settleJob(ME, 1)),
  jobStep("cancel_job", (l) => l.cancelJob(ME, 1)),
  jobStep("refund_job", (l) => l.refundJob(ME, 1)),
  jobStep("release_job", (l) => l.releaseJob(ME, 1)),
  jobStep("expire_dispute", (l) => l.expireDispute(ME, 1)),
  jobStep("prune_job", (l) => l.pruneJob(ME, 1)),
  ["training_jobs::set_terms", (l) => l.setJobTerms(ME, JOB_TERMS), undefined, [cap]],
  ["training_jobs::sweep_fees", (l) => l.sweepJobFees(ME), 9n, [cap], [
    "training_jobs::FeesSwept",
    { amount: 9n },
  ]],
  ["vram_token::tge", (l) => l.generateTokens(ME, GENERATION), AIRDROP, [cap], [
    "vram_token::TokenGenerated",
    { airdrop: AIRDROP, root: b32, deadline_ms: 1, liquidity: ME },
  ]],
  ["vram_token::claim_vested", (l) => l.claimVested(ME, VESTING), 3n, [], [
    "vram_token::VestingClaimed",
    { vesting: VESTING, beneficiary: ME, amount: 3n, claimed: 3n },
  ]],
  ["vram_token::offer_beneficiary", (l) => l.offerVesting(ME, VESTING, null), undefined],
  ["vram_token::accept_beneficiary", (l) => l.acceptVesting(ME, VESTING), undefined],
  [
    "vram_token::claim_airdrop",
    (l) => l.claimAirdrop(ME, 1, 2n, [b32]),
    2n,
    [made, time],
    ["vram_token::AirdropClaimed", { airdrop: AIRDROP, index: 1, who: ME, amount: 2n }],
  ],
  ["vram_token::sweep_airdrop", (l) => l.sweepAirdrop(ME), undefined, [made, time]],
  ["vram_token::burn", (l) => l.burn(ME, 5n), undefined, [vram]],
  ["reward_distributor::deposit", (l) => l.depositRewards(ME, 5n), undefined, [vram]],
  ["reward_distributor::claim_treasury", (l) => l.claimTreasury(ME), 4n, [cap], [
    "reward_distributor::TreasuryClaimed",
    { amount: 4n },
  ]],
  ["staking_pool::create_pool", (l) => l.createPool(ME), POOL, [cap], [
    "staking_pool::PoolCreated",
    { pool: POOL },
  ]],
  ["staking_pool::deposit_rewards", (l) => l.depositPoolRewards(ME, POOL, 5n), undefined, [vram]],
  ["staking_pool::stake", (l) => l.stake(ME, POOL, 5n, 0), TICKET, [vram], [
    "staking_pool::Staked",
    { pool: POOL, ticket: TICKET, owner: ME, amount: 5n, tier: 0, unlock_ms: 1 },
  ]],
  ["staking_pool::claim_rewards", (l) => l.claimPoolRewards(ME, TICKET), 2n, [ticket], [
    "staking_pool::RewardsClaimed",
    { pool: POOL, ticket: TICKET, amount: 2n },
  ]],
  ["staking_pool::unstake", (l) => l.unstake(ME, TICKET), 90n, [ticket], [
    "staking_pool::Unstaked",
    { pool: POOL, ticket: TICKET, amount: 100n, reward: 15n, penalty: 25n },
  ]],
  ["hparams::offer_admin", (l) => l.offerAdmin(ME, idOf(5)), undefined, [cap]],
  ["hparams::accept_admin", (l) => l.acceptAdmin(ME), undefined],
  ["hparams::withdraw_offer", (l) => l.withdrawAdminOffer(ME), undefined],
  ["dataset_registry::register", (l) => l.registerDataset(ME, DATASET), 6, [cap], [
    "dataset_registry::DatasetRegistered",
    { id: 6, owner: null, page_count: 10, root: b32 },
  ]],
  ["dataset_registry::register_for_job", (l) => l.registerJobDataset(ME, DATASET), 7, [], [
    "dataset_registry::DatasetRegistered",
    { id: 7, owner: ME, page_count: 10, root: b32 },
  ]],
  ["dataset_registry::retire", (l) => l.retireDataset(ME, 6), undefined, [cap]],
  [
    "dataset_registry::retire_own",
    (l) => l.retireDataset(ME, 7),
    undefined,
    [{ method: "ListOwnedObjects", answer: { objects: [] } }],
  ],
  ["peer_registry::sweep_treasury", (l) => l.sweepTreasury(ME, "miner"), 1n, [cap], [
    "peer_registry::TreasurySwept",
    { amount: 1n },
  ]],
  ["validator_registry::sweep_treasury", (l) => l.sweepTreasury(ME, "validator"), 2n, [cap], [
    "validator_registry::TreasurySwept",
    { amount: 2n },
  ]],
  ["peer_registry::top_up_stake", (l) => l.topUpStake(ME, 3, 5n), undefined],
  ["peer_registry::roll", (l) => l.roll(ME), undefined],
  ["gradient_registry::prune", (l) => l.prune(ME, 3, "gradients"), undefined],
  ["round_state::prune", (l) => l.prune(ME, 3), undefined],
];

Deno.test("SuiLedger: jobs, token, pools and governance call their functions, and give back their results", async () => {
  for (const [target, call, result, before = [], event] of CASES) {
    const steps = calls(...event === undefined ? [] : [event]);
    const { ledger, script } = await connect(state(), ...before, ...steps);
    using sui = ledger;
    assert.deepEqual(await call(sui), result, target);
    const { commands } = Transaction.from(script.requests.at(-1).transaction.bcs.value).getData();
    const called = commands.flatMap(({ MoveCall: move }) =>
      move?.package === P ? [`${move.module}::${move.function}`] : []
    );
    assert.equal(called.at(-1), target);
  }
});

Deno.test("SuiLedger: vestings, the airdrop and pools are found by their events", async () => {
  const { ledger } = await connect(
    state(),
    made,
    time,
    ...[1, 2].map((): Step => ({
      method: "ListEvents",
      answer: (() => [{ end: { reason: 5 } }]) as Step["answer"],
    })),
  );
  using sui = ledger;
  assert.deepEqual(await sui.vestings(), [{
    id: VESTING,
    class: "team",
    beneficiary: ME,
    offered: null,
    total: 1_000n,
    claimed: 100n,
    vested: 250n, // 750 ms of 3,000 since the cliff
    startMs: NOW - 1_000,
    cliffMs: 250,
    durationMs: 3_000,
  }]);
  assert.deepEqual(await sui.airdrop(), {
    id: AIRDROP,
    root: b32,
    leaves: 4,
    deadlineMs: NOW,
    unclaimed: 77n,
  });
  assert.deepEqual(await sui.pools(), [{
    id: POOL,
    staked: 5n,
    rewards: 6n,
    unreleased: 4n,
    leftMs: 3,
    weight: 50n,
  }]);
});
