import assert from "node:assert/strict";
import fc from "fast-check";
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import type { JobRow, JobStatus } from "../jobs.ts";
import { address, ADMIN, minerOf, TestNetwork, validatorOf } from "../testing.ts";
import {
  COIN,
  CUSTOMER,
  DAY,
  generate,
  HOUR,
  proofOf,
  RESULT,
  signVerdict,
  SPEC,
  TREASURER,
  WHALE,
} from "../testing_coins.ts";

/** Whoever has coins at stake here. */
const PARTIES = [
  CUSTOMER,
  WHALE,
  TREASURER,
  ADMIN,
  minerOf(0),
  minerOf(1),
  address(11),
  address(13),
];
const SHARES = PARTIES.map((to, i) => ({ to, amount: COIN * BigInt(i + 1) }));
const who = (n: number) => PARTIES[n % PARTIES.length]!;

/** Of those that stake: mostly the one that has much. */
const staker = (n: number) => n % 3 === 0 ? who(n) : WHALE;

type Call = (network: TestNetwork, a: number, b: number) => Promise<unknown>;

/** A job of a status, where there is one. */
async function job({ ledger }: TestNetwork, a: number, status?: JobStatus): Promise<JobRow> {
  const rows = await ledger.jobs(status, 1_000);
  const row = rows[a % Math.max(1, rows.length)];
  if (row === undefined) throw new Refusal("no_job", "There is no such job");
  return row;
}
const pool = async ({ ledger }: TestNetwork, a: number) => {
  const pools = await ledger.pools();
  return pools[a % Math.max(1, pools.length)]?.id ?? address(0);
};
const ticket = async ({ ledger }: TestNetwork, a: number, b: number) => {
  const tickets = await ledger.tickets(staker(a));
  return tickets[b % Math.max(1, tickets.length)]?.id ?? address(0);
};
const vesting = async ({ ledger }: TestNetwork, a: number) => {
  const vestings = await ledger.vestings();
  return vestings[a % Math.max(1, vestings.length)] ?? { id: address(0), beneficiary: ADMIN };
};

/** Every call that moves coins of the board, the token and the pools. */
const OPS: Readonly<Record<string, Call>> = {
  hours: async ({ clock }, a) => {
    await Promise.resolve();
    clock.set(clock.now() + (a > 12 ? 50 : a / 8) * HOUR);
  },
  months: async ({ clock }, a) => {
    await Promise.resolve();
    if (a > 9) clock.set(clock.now() + 60 * DAY);
  },
  postJob: (network, a, b) =>
    network.ledger.postJob(who(a), SPEC, network.clock.now() + (1 + b) * HOUR),
  claimJob: async (network, a, b) =>
    network.ledger.claimJob(minerOf(b % 2), (await job(network, a, "open")).id, b % 2),
  releaseJob: async (network, a, b) => {
    const { id, miner } = await job(network, a, b > 12 ? "claimed" : undefined);
    await network.ledger.releaseJob(miner?.owner ?? ADMIN, id);
  },
  completeJob: async (network, a) => {
    const { id, miner } = await job(network, a, "claimed");
    await network.ledger.completeJob(miner!.owner, id, RESULT, "result");
  },
  cancelJob: async (network, a, b) => {
    const { customer, id } = await job(network, a, b > 10 ? "open" : undefined);
    await network.ledger.cancelJob(customer, id);
  },
  settleJob: async (network, a) =>
    network.ledger.settleJob(ADMIN, (await job(network, a, "completed")).id),
  refundJob: async (network, a) => network.ledger.refundJob(ADMIN, (await job(network, a)).id),
  disputeJob: async (network, a) => {
    const { customer, id } = await job(network, a, "completed");
    await network.ledger.disputeJob(customer, id);
  },
  resolveDispute: async (network, a, b) => {
    const draft = b % 2 === 0 ? {} : { lossAfter: null };
    const { id } = await job(network, a, "disputed");
    const { message, signature } = await signVerdict(network, id, draft);
    await network.ledger.resolveDispute(ADMIN, message, signature);
  },
  expireDispute: async (network, a) =>
    network.ledger.expireDispute(ADMIN, (await job(network, a, "disputed")).id),
  pruneJob: async (network, a) => network.ledger.pruneJob(ADMIN, (await job(network, a)).id),
  sweepJobFees: ({ ledger }) => ledger.sweepJobFees(ADMIN),
  setJobTerms: async ({ ledger }, a, b) =>
    ledger.setJobTerms(ADMIN, {
      ...(await ledger.jobBoard()).terms,
      minPrice: BigInt(7 + a),
      feeBps: 61 * b,
      bondBps: 500 + 277 * a,
      defaultSplitBps: 333,
    }),
  generateTokens: (network) => generate(network, SHARES),
  claimVested: async (network, a) => {
    const { id, beneficiary } = await vesting(network, a);
    await network.ledger.claimVested(beneficiary, id);
  },
  moveVesting: async (network, a, b) => {
    const { id, beneficiary } = await vesting(network, a);
    await network.ledger.offerVesting(beneficiary, id, who(b));
    await network.ledger.acceptVesting(who(b), id);
  },
  claimAirdrop: async (network, a) => {
    const i = a % SHARES.length;
    const { to, amount } = SHARES[i]!;
    await network.ledger.claimAirdrop(to, i, amount, await proofOf(network, SHARES, i));
  },
  sweepAirdrop: ({ ledger }) => ledger.sweepAirdrop(ADMIN),
  burn: ({ ledger }, a, b) => ledger.burn(who(a), BigInt(b) * COIN),
  depositRewards: ({ ledger }, a, b) => ledger.depositRewards(who(a), BigInt(b)),
  createPool: ({ ledger }, a) => a > 3 ? Promise.resolve() : ledger.createPool(ADMIN),
  stake: async (network, a, b) =>
    network.ledger.stake(staker(a), await pool(network, b), BigInt(a * b), (b % 4) as 0),
  depositPoolRewards: async (network, a, b) =>
    network.ledger.depositPoolRewards(
      staker(a),
      await pool(network, b),
      BigInt(1 + a * b) * 1_000_003n,
    ),
  claimPoolRewards: async (network, a, b) =>
    network.ledger.claimPoolRewards(staker(a), await ticket(network, a, b)),
  unstake: async (network, a, b) =>
    b > 6 ? null : network.ledger.unstake(staker(a), await ticket(network, a, b)),
  bond: async ({ ledger }, a) => {
    await ledger.registerValidator(who(a), 1_000n);
  },
};

const number = fc.integer({ min: 0, max: 15 });
/** The steps of a job come often, so that some reach its end. */
const STEPS = ["postJob", "claimJob", "completeJob", "disputeJob", "hours"];
const op = fc.tuple(
  fc.oneof(fc.constantFrom(...Object.keys(OPS)), fc.constantFrom(...STEPS)),
  number,
  number,
);

Deno.test("audit: jobs, tokens and pools make and lose no coin", async () => {
  const done = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 300, maxLength: 300 }), async (ops) => {
      using network = await TestNetwork.found({ validators: [10_000n] });
      for (const party of PARTIES) network.ledger.faucet(party, 40n * COIN);
      const calls: [string, number, number][] = [["generateTokens", 0, 0], ["createPool", 0, 0]];
      for (const [kind, a, b] of [...ops.slice(0, 20), ...calls, ...ops.slice(20)]) {
        try {
          await OPS[kind]!(network, a, b);
          done.add(kind);
        } catch (error) {
          if (!(error instanceof LedgerError) && !(error instanceof Refusal)) throw error;
        }
        network.checkAudit();
      }
      const jobs = await network.ledger.jobs(undefined, 1_000);
      for (const { held, status } of jobs) {
        const over = status === "settled" || status === "refunded";
        assert.equal(held.some((amount) => amount > 0n), !over);
      }
      assert.ok((await network.ledger.balance(validatorOf(0))).sui >= 0n);
    }),
    { seed: 20_260_102, numRuns: 5 },
  );
  assert.deepEqual(Object.keys(OPS).filter((kind) => !done.has(kind)), [], "never succeeded");
});
