/**
 * Operations of traces on time and on what governs the network: parameters, the admin's rights, data sets.
 *
 * @module
 */
import { encodeHparams, type Hparams } from "../../enclave/protocol/hparams.ts";
import { ADMIN, bytes32, FAST } from "../../host/ledger/testing.ts";
import { DAY, HOUR, MONTH } from "../../host/ledger/testing_coins.ts";
import type { Dice } from "./dice.ts";
import { governor } from "./judging.ts";
import { PEOPLE } from "./people.ts";
import type { Player } from "./player.ts";
import type { Operation } from "./slots.ts";

/** To a moment of the running window. */
const to = (ms: number): Operation => async (p) => {
  const at = await deadlinesOf(p);
  if (at !== null) await p.wait(at + ms);
};

/** When the running window began, where windows are as long as they were first. */
async function deadlinesOf(p: Player): Promise<number | null> {
  const epoch = (await p.ledger.epochs()).findLast(({ startMs }) =>
    startMs <= p.network.clock.now()
  );
  if (epoch === undefined) return null;
  const since = p.network.clock.now() - epoch.startMs;
  return p.since - since % epoch.windowMs;
}

/** Into the next window, or one after it. */
const next: Operation = async (p, d) => {
  const at = await deadlinesOf(p);
  const length = (await p.ledger.epochs()).at(-1)!.windowMs;
  if (at !== null) await p.wait(at + length * (d.oneIn(20) ? 2 : 1) + d.pick([0, 0, 1, 500]));
};

const wait: Operation = async (p, d) => {
  const at = await deadlinesOf(p);
  if (at === null) return;
  const moment = d.pick([5_999, 6_000, 7_999, 8_000, 8_999, 9_000, 9_499, 9_500, 9_999]);
  await p.wait(at + moment);
};

/** Several windows. */
const leap: Operation = (p, d) => p.wait(p.since + d.pick([30_000, 50_000, 70_000]));
const hours: Operation = (p, d) => p.wait(p.since + d.pick([1, 1, 2, 12, 48]) * HOUR);
const days: Operation = (p, d) => p.wait(p.since + d.pick([1, 7, 31, 90]) * DAY);
const months: Operation = (p, d) => p.wait(p.since + d.pick([1, 3, 6, 12]) * MONTH);

const roll: Operation = async (p) => {
  await p.play("roll", [], () => p.ledger.roll(ADMIN));
};

async function setHparams(p: Player, d: Dice): Promise<void> {
  if (!d.oneIn(3)) await roll(p, d);
  const changes: Partial<Hparams>[] = [
    { unrevealed_fee: 100 * d.below(8) },
    { max_miners: 2 + d.below(4) },
    { slash_bps: 1_000 * d.below(11) },
    { unbonding_ms: d.pick([0, 5_000, 50_000]) },
    { window_ms: d.pick([10_000, 12_000, 20_000]) },
    { eviction_fee: d.below(100) },
    { key_ttl_ms: d.pick([30_000, 10_000_000]) },
    { commit_bps: 9_000, reveal_bps: 8_000 },
    { miner_bps: 1 },
    { own_pages: 0 },
    { heldout_pages: 200 },
    { min_judge_ms: 80_000 },
    { window_ms: 200 },
    { min_validator_stake: d.pick([1_000, 5_000]) },
    { emission: 70_000_000_000 * (1 + d.below(1_000)) },
  ];
  const hparams = { ...FAST, ...p.hparams, ...d.pick(changes) };
  const sender = await governor(p, d);
  await p.govern(
    "setHparams",
    sender,
    [encodeHparams(hparams)],
    () => p.ledger.setHparams(sender, hparams),
  );
}

async function offerAdmin(p: Player, d: Dice): Promise<void> {
  const sender = await p.admin() ?? ADMIN;
  const who = d.oneIn(10) ? d.pick(PEOPLE) : sender;
  const heir = d.pick(PEOPLE);
  if (
    await p.govern("offerAdmin", who, [who, heir], () => p.ledger.offerAdmin(who, heir))
  ) p.offered = heir;
}

async function withdrawAdminOffer(p: Player, d: Dice): Promise<void> {
  const { admin } = await p.ledger.info();
  const who = d.oneIn(4) ? d.pick(PEOPLE) : admin;
  if (
    await p.play("withdrawAdminOffer", [who], () => p.ledger.withdrawAdminOffer(who))
  ) p.offered = null;
}

async function acceptAdmin(p: Player, d: Dice): Promise<void> {
  const who = p.offered === null || d.oneIn(4) ? d.pick(PEOPLE) : p.offered;
  if (await p.play("acceptAdmin", [who], () => p.ledger.acceptAdmin(who))) p.offered = null;
}

function datasetOf(d: Dice) {
  return {
    pageCount: d.oneIn(8) ? d.pick([9, 2 ** 40 + 1]) : d.pick([10, 100, 2 ** 40]),
    pageTokens: d.oneIn(10) ? 0 : 16,
    tokenizerHash: d.oneIn(10) ? new Uint8Array(31) : bytes32("tokenizer"),
    merkleRoot: bytes32("pages"),
  };
}

async function registerDataset(p: Player, d: Dice): Promise<void> {
  const dataset = datasetOf(d);
  const { pageCount, pageTokens, tokenizerHash, merkleRoot } = dataset;
  const sender = await governor(p, d);
  await p.govern(
    "registerDataset",
    sender,
    [pageCount, pageTokens, tokenizerHash, merkleRoot],
    () => p.ledger.registerDataset(sender, dataset),
  );
}

async function registerJobDataset(p: Player, d: Dice): Promise<void> {
  const who = d.pick(PEOPLE);
  const dataset = datasetOf(d);
  const { pageCount, pageTokens, tokenizerHash, merkleRoot } = dataset;
  // One of many may have no more than 64.
  for (let n = d.oneIn(12) ? 65 : 1; n > 0; n--) {
    await p.play(
      "registerJobDataset",
      [who, pageCount, pageTokens, tokenizerHash, merkleRoot],
      () => p.ledger.registerJobDataset(who, dataset),
    );
  }
}

async function retireDataset(p: Player, d: Dice): Promise<void> {
  const id = d.oneIn(4) ? d.below(8) : d.below(3);
  const owner = (await p.ledger.dataset(id))?.owner ?? null;
  const admin = await p.admin();
  const who = d.oneIn(5) ? d.pick(PEOPLE) : owner ?? admin ?? ADMIN;
  const asAdmin = who === admin;
  await p.play(
    "retireDataset",
    [asAdmin, who, id],
    () => p.ledger.retireDataset(who, id),
  );
}

/** Operations on time. */
export const TIMES = {
  "to commits": to(1_000),
  "to reveals": to(8_000),
  "to reports": to(0),
  "to outcomes": to(6_000),
  next,
  wait,
  leap,
  hours,
  days,
  months,
} satisfies Record<string, Operation>;

/** Operations on what governs. */
export const GOVERNANCE = {
  roll,
  setHparams,
  offerAdmin,
  withdrawAdminOffer,
  acceptAdmin,
  registerDataset,
  registerJobDataset,
  retireDataset,
} satisfies Record<string, Operation>;
