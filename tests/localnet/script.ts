/**
 * What is done on a local network and, at the same moments, on a dev ledger beside it. Judges are left out: Sui takes no document but AWS's, so no report can be signed.
 *
 * @module
 */
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { commitment } from "../../enclave/protocol/commit.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS, type Hparams } from "../../enclave/protocol/hparams.ts";
import type { Deadlines } from "../../enclave/protocol/window.ts";
import { identityOf } from "../../host/credentials/read_keys.ts";
import type { Address, Ledger } from "../../host/ledger/ledger.ts";
import { COIN, HOUR, MONTH, SPEC } from "../../host/ledger/testing_coins.ts";

/** Who calls. */
export const PEOPLE = ["admin", "validator", "miner0", "miner1", "newcomer", "stranger"] as const;
/** See {@link PEOPLE}. */
export type Person = (typeof PEOPLE)[number];

/** One of the two ledgers. */
export interface Side {
  /** The ledger, as this person calls it. */
  as(person: Person): Ledger;
}

/** What a step works with. */
export interface Scene {
  /** On which ledger. */
  readonly side: Side;
  /** The same on both. */
  readonly address: (person: Person) => Address;
  /** The window in which all of this begins, and its moments. */
  readonly window: number;
  /** See `window`. */
  readonly deadlines: Deadlines;
}

/** A step: the same call on both sides, whose result must be the same. */
export type Step = readonly [name: string, run: (scene: Scene) => Promise<unknown>];

/** Hparams of the script: long enough for a node's transactions, and seeds that the ledger draws. */
export const HPARAMS: Hparams = {
  ...DEFAULT_HPARAMS,
  window_ms: 60_000,
  beacon_margin_ms: 100,
  min_judge_ms: 1_000,
  heldout_pages: 8,
  max_gradient_bytes: 100_000,
  randomness_kind: 1,
};
/** MIST of every founder. */
export const STAKES = {
  miner: BigInt(HPARAMS.min_miner_stake),
  validator: BigInt(HPARAMS.min_validator_stake),
} as const;

const bytes = (text: string) => sha256(utf8(text));
const SALT = bytes("salt");
const GRADIENT = { contentHash: bytes("gradient"), size: 1_000, codec: 1 };
const JOB = { ...SPEC, modelParamsM: 1, datasetTokensM: 1, numEpochs: 1 };
const CREDENTIALS = {
  bucket: "gradients",
  account: "https://s3.example",
  sealed: bytes("sealed"),
  keyServers: [`0x${"1".repeat(64)}`],
  threshold: 1,
};

/** A step by one person on one's own ledger. */
function by(
  person: Person,
  name: string,
  run: (ledger: Ledger, me: Address, scene: Scene) => Promise<unknown>,
): Step {
  return [
    `${person}: ${name}`,
    (scene) => run(scene.side.as(person), scene.address(person), scene),
  ];
}

async function commitOf(ledger: Ledger, uid: number, window: number) {
  const { ledgerId } = await ledger.info();
  return commitment(ledgerId, uid, window, GRADIENT.contentHash, SALT);
}

const reveal = (salt = SALT) => async (ledger: Ledger, me: Address, { window }: Scene) =>
  await ledger.reveal(me, 0, window, GRADIENT, salt, `gradient-${window}-0-v1.pt`);

/** Brings the ledger to the running window: each part begins with it, so that both stand in the same one. */
export const ROLL: Step = by("stranger", "rolls", async (ledger, me) => {
  await ledger.roll(me);
  return await ledger.currentWindow();
});

/** While commits are taken. */
const COMMITTING: readonly Step[] = [
  by("stranger", "what never changes", async (ledger) => {
    const { chainId, dataset, ledgerId, model, modelHash } = await ledger.info();
    return { chainId, dataset, ledgerId, model, modelHash };
  }),
  by(
    "stranger",
    "the hparams",
    async (ledger, _, { window }) => (await ledger.window(window)).hparams,
  ),
  by("stranger", "the miners", (ledger) => ledger.miners()),
  by("stranger", "the validators", (ledger) => ledger.validators()),
  by(
    "stranger",
    "the builds",
    async (ledger) => (await ledger.measurements()).map(({ name, pcrs }) => ({ name, pcrs })),
  ),
  by("miner0", "claims nothing", (ledger, me) => ledger.claim(me)),
  by("miner0", "withdraws nothing", (ledger, me) => ledger.withdraw(me, "miner")),
  by("newcomer", "registers with too little", (ledger, me) => ledger.registerMiner(me, 1n)),
  by("newcomer", "registers", (ledger, me) => ledger.registerMiner(me, STAKES.miner)),
  by("newcomer", "registers twice", (ledger, me) => ledger.registerMiner(me, STAKES.miner)),
  by("miner0", "adds stake", (ledger, me) => ledger.topUpStake(me, 0, 1_000n)),
  by("miner1", "adds stake to another's slot", (ledger, me) => ledger.topUpStake(me, 0, 1_000n)),
  by("validator", "has no enclave", (ledger) => ledger.enclave(0)),
  by(
    "validator",
    "sends what is no report",
    (ledger, me) => ledger.submitReport(me, new Uint8Array(40), new Uint8Array(64)),
  ),
  by("stranger", "has the seed drawn", (ledger, me, { window }) => ledger.drawSeeds(me, window)),
  by("stranger", "has it drawn twice", (ledger, me, { window }) => ledger.drawSeeds(me, window)),
  by(
    "miner0",
    "commits",
    async (ledger, me, { window }) =>
      ledger.commit(me, 0, window, await commitOf(ledger, 0, window)),
  ),
  by(
    "miner0",
    "commits twice",
    async (ledger, me, { window }) =>
      ledger.commit(me, 0, window, await commitOf(ledger, 0, window)),
  ),
  by(
    "miner1",
    "commits",
    async (ledger, me, { window }) =>
      ledger.commit(me, 1, window, await commitOf(ledger, 1, window)),
  ),
  by(
    "miner1",
    "commits for another",
    async (ledger, me, { window }) =>
      ledger.commit(me, 0, window, await commitOf(ledger, 0, window)),
  ),
  by(
    "miner1",
    "commits to another window",
    async (ledger, me, { window }) =>
      ledger.commit(me, 1, window + 5, await commitOf(ledger, 1, window)),
  ),
  by("miner0", "reveals too early", reveal()),
  by("miner0", "publishes credentials", async (ledger, me) => {
    const epoch = await ledger.nextCredentialsEpoch(0);
    await ledger.setCredentials(me, 0, { ...CREDENTIALS, epoch });
    return [await ledger.credentials(0), await ledger.nextCredentialsEpoch(0)];
  }),
  by(
    "miner0",
    "publishes an epoch twice",
    (ledger, me) => ledger.setCredentials(me, 0, { ...CREDENTIALS, epoch: 1 }),
  ),
  by("validator", "may open them", (ledger, me) => ledger.sealApprove(me, identityOf(0, 1))),
  by("stranger", "may not", (ledger, me) => ledger.sealApprove(me, identityOf(0, 1))),
  by("stranger", "asks for a price", (ledger) => ledger.quoteJob(JOB)),
  by("stranger", "posts a job", (ledger, me) => ledger.postJob(me, JOB, ledger.now() + 2 * HOUR)),
  by("stranger", "posts another", (ledger, me) => ledger.postJob(me, JOB, ledger.now() + 2 * HOUR)),
  by("stranger", "cancels it", (ledger, me) => ledger.cancelJob(me, 1)),
  by("stranger", "cancels it twice", (ledger, me) => ledger.cancelJob(me, 1)),
  by("miner1", "claims a job with another's slot", (ledger, me) => ledger.claimJob(me, 0, 0)),
  by("miner0", "claims it", (ledger, me) => ledger.claimJob(me, 0, 0)),
  by("stranger", "wants it back", (ledger, me) => ledger.refundJob(me, 0)),
  by(
    "miner0",
    "delivers",
    (ledger, me) => ledger.completeJob(me, 0, bytes("result"), "walrus://result"),
  ),
  by("miner0", "wants to be paid at once", (ledger, me) => ledger.settleJob(me, 0)),
  by("stranger", "disputes it", (ledger, me) => ledger.disputeJob(me, 0)),
  by(
    "stranger",
    "sends what is no verdict",
    (ledger, me) => ledger.resolveDispute(me, new Uint8Array(40), new Uint8Array(64)),
  ),
  by("miner0", "ends the dispute too early", (ledger, me) => ledger.expireDispute(me, 0)),
  by("stranger", "looks at the job", async (ledger) => {
    const { fee, held, miner, payout, status } = (await ledger.job(0))!;
    return { fee, held, miner, payout, status };
  }),
  by(
    "stranger",
    "sets the board's terms",
    async (ledger, me) => ledger.setJobTerms(me, (await ledger.jobBoard()).terms),
  ),
  by("admin", "sets the board's terms", async (ledger, me) => {
    const { terms } = await ledger.jobBoard();
    await ledger.setJobTerms(me, { ...terms, feeBps: terms.feeBps + 1 });
    return (await ledger.jobBoard()).terms;
  }),
  by("stranger", "sets hparams", (ledger, me) => ledger.setHparams(me, HPARAMS)),
  by(
    "admin",
    "sets hparams",
    (ledger, me) => ledger.setHparams(me, { ...HPARAMS, top_g: HPARAMS.top_g + 1 }),
  ),
  by(
    "admin",
    "offers its rights",
    (ledger, me, { address }) => ledger.offerAdmin(me, address("stranger")),
  ),
  by("newcomer", "accepts what others are offered", (ledger, me) => ledger.acceptAdmin(me)),
  by("admin", "takes the offer back", (ledger, me) => ledger.withdrawAdminOffer(me)),
  by("stranger", "generates the tokens", (ledger, me, scene) => generate(ledger, me, scene)),
  by("admin", "generates the tokens", async (ledger, me, scene) => {
    await generate(ledger, me, scene);
    const { burned, generated, issued, mined } = await ledger.supply();
    const vestings = (await ledger.vestings()).map(({ beneficiary, class: of, total }) => ({
      beneficiary,
      of,
      total,
    }));
    return { burned, generated, issued, mined, vestings };
  }),
  by("admin", "generates them twice", (ledger, me, scene) => generate(ledger, me, scene)),
  by("newcomer", "has the liquidity", async (ledger, me) => (await ledger.balance(me)).vram),
  by(
    "miner1",
    "claims of a vesting before its cliff",
    async (ledger, me) => ledger.claimVested(me, await vesting(ledger, "investors")),
  ),
  by(
    "stranger",
    "claims of another's",
    async (ledger, me) => ledger.claimVested(me, await vesting(ledger, "investors")),
  ),
  by("stranger", "makes a pool", (ledger, me) => ledger.createPool(me)),
  by("admin", "makes a pool", async (ledger, me) => {
    await ledger.createPool(me);
    return (await ledger.pools()).length;
  }),
  by("newcomer", "stakes", async (ledger, me) => {
    const [pool] = await ledger.pools();
    await ledger.stake(me, pool!.id, 100n * COIN, 3);
    return (await ledger.tickets(me)).map(({ amount, owner, tier }) => ({ amount, owner, tier }));
  }),
  by("newcomer", "has no rewards yet", async (ledger, me) => {
    const [ticket] = await ledger.tickets(me);
    return await ledger.claimPoolRewards(me, ticket!.id);
  }),
  by("newcomer", "unstakes early, less the penalty", async (ledger, me) => {
    const [ticket] = await ledger.tickets(me);
    return await ledger.unstake(me, ticket!.id);
  }),
  by("newcomer", "burns a coin", async (ledger, me) => {
    await ledger.burn(me, COIN);
    return [(await ledger.balance(me)).vram, (await ledger.supply()).burned];
  }),
];

async function vesting(ledger: Ledger, of: string): Promise<string> {
  return (await ledger.vestings()).find((row) => row.class === of)?.id ?? `0x${"0".repeat(64)}`;
}

function generate(ledger: Ledger, me: Address, { address, deadlines }: Scene): Promise<void> {
  return ledger.generateTokens(me, {
    treasury: address("admin"),
    investors: [{ to: address("miner1"), amount: 1_050_000n * COIN }],
    investorsCliffMs: 6 * MONTH,
    investorsDurationMs: 12 * MONTH,
    team: [{ to: address("miner0"), amount: 1_680_000n * COIN }],
    liquidity: address("newcomer"),
    airdropRoot: bytes("airdrop"),
    airdropLeaves: 1,
    airdropDeadlineMs: deadlines.start + 60 * 24 * HOUR,
  }).then(() => {});
}

/** While reveals are taken. */
const REVEALING: readonly Step[] = [
  by(
    "newcomer",
    "commits too late",
    async (ledger, me, { window }) =>
      ledger.commit(me, 2, window, await commitOf(ledger, 2, window)),
  ),
  by("miner0", "reveals with another salt", reveal(bytes("other"))),
  by("miner0", "reveals", reveal()),
  by("miner0", "reveals twice", reveal()),
];

/** In the next window, before its outcome deadline. */
const JUDGING: readonly Step[] = [
  by(
    "stranger",
    "looks at the reveals",
    async (ledger, _, { window }) => (await ledger.window(window)).reveals,
  ),
  by(
    "stranger",
    "has the judge's seed drawn",
    (ledger, me, { window }) => ledger.drawSeeds(me, window),
  ),
  by(
    "stranger",
    "settles what nobody reported",
    (ledger, _, { window }) => ledger.settle(window, 8),
  ),
  by("stranger", "closes it too early", (ledger, _, { window }) => ledger.close(window)),
  by("stranger", "finds the newcomer seated, and a fee taken", (ledger) => ledger.miners()),
  by("miner1", "leaves", (ledger, me) => ledger.unregister(me, "miner", 1)),
  by("miner1", "leaves twice", (ledger, me) => ledger.unregister(me, "miner", 1)),
  by("miner1", "wants the stake at once", (ledger, me) => ledger.withdraw(me, "miner")),
];

/** Behind the outcome deadline. */
const SKIPPED: readonly Step[] = [
  by("stranger", "closes it", async (ledger, _, { window }) => {
    await ledger.close(window);
    const { payout, settled, skipReason, status } = await ledger.window(window);
    return { payout, settled, skipReason, status };
  }),
  by("stranger", "closes it twice", (ledger, _, { window }) => ledger.close(window)),
  by(
    "stranger",
    "the next window's hparams",
    async (ledger, _, { window }) => (await ledger.window(window + 1)).hparams,
  ),
  by("stranger", "claims nothing", (ledger, me) => ledger.claim(me)),
  by("stranger", "what happened, by kind", async (ledger) => {
    const kinds: string[] = [];
    for (let after = 0;;) {
      const page = await ledger.events(after, 1_000);
      if (page.length === 0) break;
      kinds.push(...page.map(({ kind }) => kind));
      after = page.at(-1)!.seq;
    }
    return kinds.filter((kind) => STEPS_OF.test(kind)).sort();
  }),
];

/** Events that the steps make; those of the founding differ, since a dev ledger seats its founders by itself. */
const STEPS_OF =
  /^(gradient_registry|training_jobs|score_ledger|staking_pool)::|::(SeedDrawn|WindowSkipped|UnrevealedCharged|StakeAdded|CredentialsSet)$/;

/** When each part begins and by when it must have ended, in the moments of the first window. */
export const PARTS: readonly {
  /** It begins behind this moment. */
  readonly from: (deadlines: Deadlines) => number;
  /** It must have ended before this one. */
  readonly until: (deadlines: Deadlines) => number;
  /** What is done. */
  readonly steps: readonly Step[];
}[] = [
  { from: ({ start }) => start, until: ({ commit }) => commit, steps: COMMITTING },
  { from: ({ commit }) => commit, until: ({ reveal }) => reveal, steps: REVEALING },
  { from: ({ end }) => end, until: ({ report }) => report, steps: JUDGING },
  { from: ({ outcome }) => outcome, until: () => Infinity, steps: SKIPPED },
];
