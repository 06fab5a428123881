/**
 * The checks of what the ledger made of the messages: quorum, settlement, ratings, the base, pay. Each is
 * computed again from what was signed.
 *
 * @module
 */
import { drawFromBeacon } from "../../../enclave/protocol/draw.ts";
import { rateWindow } from "../../../enclave/scoring/outcome.ts";
import {
  effectiveAverage,
  lowerMedian,
  nextAverage,
  scoreOf,
  settledDigest,
  settleEntry,
} from "../../../enclave/protocol/settle.ts";
import { BIAS } from "../../../enclave/protocol/report.ts";
import { hasMetrics, SETTLED } from "../../../enclave/protocol/verdict.ts";
import { agreedRatings, type BaseMove, baseMove, stakeOf } from "../../ledger/agree.ts";
import { earns, emissionAt, payWeight, split } from "../../ledger/pay.ts";
import { bodyOf, type Facts, holds, same } from "./facts.ts";

const agreed = (facts: Facts) =>
  facts.receipt.settlement === null
    ? null
    : agreedRatings(facts.weighted(facts.outcomes), facts.totalStake);

/** How the window ended follows from who signed: closed by more than half of the stake, or skipped without. */
export function checkQuorum(facts: Facts): string {
  const { receipt, totalStake, uids } = facts;
  const { status, settlement, payout, skip_reason } = receipt;
  const sent = stakeOf(facts.weighted(facts.reports));
  const quorum = 2n * sent > totalStake;
  holds((settlement === null) === (payout === null), "a settlement without a payout, or reversed");
  holds((status === "skipped") === (skip_reason !== null), "a reason to skip goes with a skip");
  if (uids.length === 0) {
    holds(
      status === "closed" && payout === null,
      "a window without reveals closes and pays nothing",
    );
    return "nothing was revealed: closed without reports";
  }
  if (status === "skipped") {
    holds(payout === null, "a skipped window paid");
    const why = quorum ? "no quorum of outcomes" : "no quorum of reports";
    holds(skip_reason === why, `it was skipped for '${skip_reason}', the reason was '${why}'`);
    return `skipped: ${why}`;
  }
  holds(settlement !== null && quorum, "it was closed without a quorum of reports");
  holds(agreed(facts) !== null, "it was closed without a quorum of equal outcomes");
  const share = (part: bigint) => `${Number(1_000n * part / totalStake) / 10} %`;
  return `${share(sent)} of the stake reported, ${
    share(stakeOf(facts.weighted(facts.outcomes)))
  } signed outcomes`;
}

/** Verdicts and medians from the reports, one step of each average, and the digest over all of it. */
export function checkSettlement(facts: Facts): string {
  const { receipt: { settlement, digest }, settled, uids } = facts;
  if (settlement === null || settled === null) return "none";
  const { randomBefore, rows } = settled;
  const reports = facts.weighted(facts.reports);
  const before = lowerMedian(
    reports.filter(({ value }) => value.randomBefore !== null)
      .map(({ value, stake }) => ({ value: value.randomBefore!, stake })),
  );
  holds(before === randomBefore, `random_before is ${randomBefore}, the reports give ${before}`);
  holds(
    rows.length === uids.length && rows.every(({ uid }, i) => uid === uids[i]),
    "the settled rows are not of the revealed uids",
  );
  for (const row of rows) {
    const entries = reports.map(({ value, stake }) => {
      const entry = value.entries.find(({ uid }) => uid === row.uid);
      holds(entry !== undefined, `validator ${value.validator} did not report uid ${row.uid}`);
      return { value: entry, stake };
    });
    const wanted = settleEntry(entries, before);
    for (const field of ["verdict", "ownBefore", "ownAfter", "randomAfter"] as const) {
      holds(
        row[field] === wanted[field],
        `${field} of uid ${row.uid} is ${row[field]}, the reports give ${wanted[field]}`,
      );
    }
  }
  checkAverages(facts);
  const wanted = settledDigest(digest, settlement.next_base, randomBefore, rows);
  same(settlement.digest, wanted, "the settled digest");
  return `random_before, ${rows.length} verdicts and their medians, averages, digest`;
}

function checkAverages({ receipt, settled }: Facts): void {
  const { randomBefore, rows } = settled!;
  const { records } = receipt.settlement!;
  holds(records.length === rows.length, "there is not one record a row");
  for (const [i, row] of rows.entries()) {
    const { uid, average, prior_average } = records[i]!;
    holds(uid === row.uid, `the record of uid ${uid} stands where ${row.uid} should`);
    const wanted = hasMetrics(row.verdict)
      ? nextAverage(prior_average, randomBefore, row)
      : prior_average;
    holds(average === wanted, `the average of uid ${uid} is ${average}, it should be ${wanted}`);
  }
}

/** Ratings by the judge's own code, from settled integers and prior ratings: more than half signed the same. */
export function checkRatings(facts: Facts): string {
  const { receipt, settled } = facts;
  if (settled === null || receipt.payout === null) return "none";
  const { randomBefore, rows } = settled;
  const { context: { ledgerId, window }, drawn } = facts;
  holds(drawn !== null, "there is no beacon to deal the matches");
  const wanted = rateWindow(
    randomBefore,
    rows,
    drawFromBeacon("match", ledgerId, window, drawn.judge),
  );
  const signed = agreed(facts);
  holds(signed !== null, "no ratings have a majority");
  holds(signed.length === wanted.length, "not as many ratings as rated miners");
  for (const [i, row] of wanted.entries()) {
    const { uid, mu, sigma } = signed[i]!;
    holds(
      uid === row.uid && mu === row.mu && sigma === row.sigma,
      `the rating of uid ${uid} is ${mu} ± ${sigma}, it should be ${row.mu} ± ${row.sigma}`,
    );
  }
  const text = JSON.stringify(wanted);
  const others = facts.outcomes.filter(({ value }) => JSON.stringify(value.ratings) !== text)
    .map(({ value }) => value.validator);
  const aside = others.length === 0 ? "" : `; validators ${others.join(", ")} signed others`;
  return `${wanted.length} ratings by Plackett–Luce${aside}`;
}

/** What the outcomes decide of the base, in their order of arrival. */
export function movedBase(facts: Facts): BaseMove | null {
  const outcomes = facts.weighted(facts.outcomes);
  for (let n = 1; n <= outcomes.length; n++) {
    const arrived = outcomes.slice(0, n);
    if (agreedRatings(arrived, facts.totalStake) === null) continue;
    const move = baseMove(arrived, facts.totalStake);
    if (move !== null) return move;
  }
  return null;
}

/** The base moved where, and only where, more than half of the stake measured a gain. */
export function checkBase(facts: Facts): string {
  const { payout } = facts.receipt;
  if (payout === null) return "stays: nothing was settled";
  const move = movedBase(facts);
  const { merged_hash, current_loss, merged_loss } = payout;
  holds((merged_hash !== null) === (move?.moved ?? false), "the base moved, or stayed, wrongly");
  if (merged_hash !== null) same(merged_hash, move!.hash, "the merged base");
  holds(
    current_loss === (move?.currentLoss ?? null) && merged_loss === (move?.mergedLoss ?? null),
    "the held-out losses are not the signers' medians",
  );
  if (move === null) return "stays: no merge found a majority";
  const nats = (units: number) => (units / 1e6).toFixed(6);
  const { moved, currentLoss, mergedLoss } = move;
  return `${moved ? "moves" : "stays"}: ${nats(currentLoss)} → ${
    nats(mergedLoss)
  } nats on held-out pages`;
}

/** Weights by `ordinal-v1`, the emission and how it was split. */
export function checkPay(facts: Facts): string {
  const { receipt: { payout, settlement, reveals, snapshot }, settled, hparams } = facts;
  if (payout === null || settled === null || settlement === null) return "nothing was paid";
  const { randomBefore, rows } = settled;
  const ratings = new Map(agreed(facts)?.map((row) => [row.uid, row]));
  holds(payout.miners.length === rows.length, "there is not one payment a settled row");
  const weights = rows.map((row, i) => {
    const paid = payout.miners[i]!;
    const { uid } = row;
    const owner = reveals.find((reveal) => reveal.uid === uid)?.owner;
    holds(paid.uid === uid && paid.owner === owner, `payment ${i} is not uid ${uid}'s owner's`);
    const mu = ratings.get(uid)?.mu ?? row.priorMu;
    const sigma = ratings.get(uid)?.sigma ?? row.priorSigma;
    holds(
      BigInt(paid.mu_biased) === BIAS + BigInt(mu) && paid.sigma === sigma,
      `uid ${uid} is not paid by the agreed rating`,
    );
    const record = settlement.records[i];
    holds(record?.uid === uid, `the record of uid ${uid} is missing`);
    const { average, prior_measured, prior_accepted } = record;
    const accepted = row.verdict === SETTLED.accepted;
    const measured = prior_measured + Number(hasMetrics(row.verdict));
    const weight = !accepted ? 0n : payWeight({
      mu,
      sigma,
      accepted: prior_accepted + 1,
      average: effectiveAverage(average, measured),
      score: scoreOf(randomBefore, row.randomAfter),
    });
    holds(weight === BigInt(paid.weight), `uid ${uid} weighs ${paid.weight}, not ${weight}`);
    return weight;
  });
  const { issuedBefore, treasury } = emitted(facts);
  const emission = emissionAt(issuedBefore, hparams.emission);
  const pot = (bps: number) => emission * BigInt(bps) / 10_000n;
  const rewards = split(pot(hparams.miner_bps), weights);
  const seats = snapshot.map(({ uid, owner, stake }, i) => {
    const paid = payout.validators[i];
    holds(paid?.uid === uid && paid.owner === owner, `payment of validator ${uid} is missing`);
    const report = facts.reports.find(({ value }) => value.validator === uid)?.value;
    const counted = earns(report, { randomBefore, rows });
    holds(paid.counted === counted, `validator ${uid} ${counted ? "earns" : "does not earn"}`);
    return counted ? BigInt(stake) : 0n;
  });
  holds(payout.validators.length === seats.length, "a payment is of no seated validator");
  const shares = split(pot(hparams.validator_bps), seats);
  for (
    const [who, paid, wanted] of [
      ["uid", payout.miners, rewards],
      ["validator", payout.validators, shares],
    ] as const
  ) {
    for (const [i, { uid, reward }] of paid.entries()) {
      holds(BigInt(reward) === wanted[i], `${who} ${uid} is paid ${reward}, not ${wanted[i]}`);
    }
  }
  const due = rewards.some((reward) => reward > 0n) ? pot(hparams.treasury_bps) : 0n;
  holds(treasury === due, `the treasury takes ${treasury}, not ${due}`);
  const issued = [...rewards, ...shares, due].reduce((sum, part) => sum + part, 0n);
  holds(BigInt(payout.issued) === issued, `${payout.issued} were issued, not ${issued}`);
  return `${rows.length} weights and the split of ${issued} units (1e-9 VRAM)`;
}

/** What the ledger logged of the payment: VRAM issued before it, and the treasury's part. */
function emitted({ receipt: { events } }: Facts): { issuedBefore: bigint; treasury: bigint } {
  const paid = events.find(({ kind }) => kind === "reward_distributor::WindowPaid");
  holds(paid !== undefined, "the event of the payment is missing");
  const body = bodyOf(paid);
  const [total, issued, treasury] = ["total", "issued", "treasury"].map((field) => {
    const amount = body[field];
    const sound = typeof amount === "string" && /^\d{1,20}$/.test(amount);
    holds(sound, `the event of the payment has no ${field}`);
    return BigInt(amount);
  }) as [bigint, bigint, bigint];
  const issuedBefore = total - issued;
  holds(issuedBefore >= 0n, "the event of the payment issues more than there is");
  return { issuedBefore, treasury };
}
