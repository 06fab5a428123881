/**
 * What an outcome changes once more than half of the snapshot's stake signed the same: ratings and averages,
 * the base, and `reward_distributor`'s payments.
 *
 * @module
 */
import { type Bytes, equal } from "../../../enclave/protocol/bytes.ts";
import type { Hparams } from "../../../enclave/protocol/hparams.ts";
import { decodeOutcome, type Outcome } from "../../../enclave/protocol/report.ts";
import {
  effectiveAverage,
  lowerMedian,
  SCORE_NOISE,
  scoreOf,
  type SettledRow,
  type Weighted,
} from "../../../enclave/protocol/settle.ts";
import { hasMetrics, isMeasured, SETTLED, VERDICT } from "../../../enclave/protocol/verdict.ts";
import { requireThat } from "../../../enclave/protocol/errors.ts";
import type { Address } from "../ledger.ts";
import { emissionAt, PAY_POLICY, payWeight, split } from "../pay.ts";
import { recordOf } from "./peers.ts";
import { end } from "./rounds.ts";
import { reportsOf, settledRows } from "./scores.ts";
import { blob, type Row, type State } from "./state.ts";

/** An honest judge on another CPU lies within this many units (1e-6 nats) of the median. */
const DEVIATION = 5;

/** Ratings where the outcomes agree, the base where the manifests do: each in the call that crosses half of the stake. */
export function applyOutcome(state: State, window: number, latest: Outcome): void {
  const outcomes = outcomesOf(state, window);
  const total = state.all("select stake from snapshots where window = ?", window)
    .reduce((sum, row) => sum + BigInt(row.stake as string), 0n);
  const row = state.windowRow(window);
  if (row.rated === 0) {
    const same = outcomes.filter(({ value }) =>
      JSON.stringify(value.ratings) === JSON.stringify(latest.ratings)
    );
    if (2n * stakeOf(same) > total) rate(state, window, latest);
  }
  // Only of a window that is rated: one whose ratings find no majority is skipped, and leaves the base.
  if (row.merged !== null || state.windowRow(window).rated === 0) return;
  for (const { value: { manifestHash: hash } } of outcomes) {
    if (hash === null) continue;
    const same = outcomes.filter(({ value }) =>
      value.manifestHash !== null && equal(value.manifestHash, hash)
    );
    if (2n * stakeOf(same) > total) return moveBase(state, window, hash, same);
  }
}

function stakeOf(outcomes: readonly Weighted<unknown>[]): bigint {
  return outcomes.reduce((sum, { stake }) => sum + stake, 0n);
}

function outcomesOf(state: State, window: number): Weighted<Outcome>[] {
  return state.all(
    `select o.message, s.stake from outcomes o join snapshots s
     on s.window = o.window and s.uid = o.uid where o.window = ?`,
    window,
  ).map((row) => ({
    value: decodeOutcome(blob(row.message)),
    stake: BigInt(row.stake as string),
  }));
}

/** The base moves only where the signers' median says that it got better on held-out pages. */
function moveBase(
  state: State,
  window: number,
  hash: Bytes,
  signers: readonly Weighted<Outcome>[],
): void {
  const median = (pick: (outcome: Outcome) => number) =>
    lowerMedian(signers.map(({ value, stake }) => ({ value: pick(value), stake })))!;
  const gain = median((outcome) => outcome.currentLoss! - outcome.mergedLoss!);
  const moved = gain > SCORE_NOISE;
  state.run(
    "update windows set merged = ?, current_loss = ?, merged_loss = ? where window = ?",
    moved ? hash : new Uint8Array(0),
    median((outcome) => outcome.currentLoss!),
    median((outcome) => outcome.mergedLoss!),
    window,
  );
  const body = { window: window + 2, manifestHash: hash, gain };
  if (moved) state.run("insert or replace into meta values ('base', ?)", hash);
  state.emit(moved ? "round_state::BaseAnchored" : "round_state::BaseKept", body);
}

function rate(state: State, window: number, outcome: Outcome): void {
  const settled = settledRows(state, window);
  const hparams = state.hparams(window);
  const randomBefore = state.windowRow(window).random_before as number | null;
  const ratings = new Map(outcome.ratings.map((row) => [row.uid, row]));
  const reveals = state.all("select * from reveals where window = ? order by uid", window);
  const staged = new Map(
    state.all("select uid, average from settled where window = ?", window)
      .map((row) => [row.uid as number, row.average as number]),
  );
  const rows: PayRow[] = settled.map((row, i) => {
    const reveal = reveals[i]!;
    const rating = ratings.get(row.uid);
    const mu = rating?.mu ?? row.priorMu;
    const sigma = rating?.sigma ?? row.priorSigma;
    const generation = reveal.generation as number;
    const record = recordOf(state, row.uid, generation);
    const measured = record.measured as number + Number(hasMetrics(row.verdict));
    const wasAccepted = row.verdict === SETTLED.accepted;
    const accepted = record.accepted as number + Number(wasAccepted);
    const average = staged.get(row.uid)!;
    // Nothing for whoever has left the slot: its rating is dropped, its pay is not.
    state.run(
      `update miners set mu = ?, sigma = ?, average = ?, measured = ?, accepted = ?,
       last_accepted = max(last_accepted, ?) where uid = ? and generation = ?`,
      mu,
      sigma,
      average,
      measured,
      accepted,
      wasAccepted ? window : -1,
      row.uid,
      generation,
    );
    const weight = wasAccepted
      ? payWeight({
        mu,
        sigma,
        accepted,
        average: effectiveAverage(average, measured),
        score: scoreOf(randomBefore, row.randomAfter),
      })
      : 0n;
    return { uid: row.uid, owner: reveal.owner as Address, weight, mu, sigma };
  });
  pay(state, window, hparams, rows, settled);
  state.run("update windows set rated = 1 where window = ?", window);
  end(state, window, "closed", null);
}

interface PayRow {
  uid: number;
  owner: Address;
  weight: bigint;
  mu: number;
  sigma: number;
}

function pay(
  state: State,
  window: number,
  hparams: Hparams,
  miners: readonly PayRow[],
  settled: readonly SettledRow[],
): void {
  const emission = emissionAt(state.total("issued"), hparams.emission);
  const pot = (bps: number) => emission * BigInt(bps) / 10_000n;
  const minerPay = split(pot(hparams.miner_bps), miners.map(({ weight }) => weight));
  const seats = state.all("select * from snapshots where window = ? order by uid", window);
  const counted = seats.map((seat) => countedSeat(state, window, seat, settled));
  const validatorPay = split(
    pot(hparams.validator_bps),
    seats.map((seat, i) => counted[i] ? BigInt(seat.stake as string) : 0n),
  );
  const earned = minerPay.some((amount) => amount > 0n);
  const treasury = earned ? pot(hparams.treasury_bps) : 0n;
  const insert = (
    role: string,
    uid: number,
    owner: Address,
    weight: bigint,
    reward: bigint,
    mu: number,
    sigma: number,
    counts: boolean,
  ) => {
    state.run(
      "insert into payouts values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      window,
      role,
      uid,
      owner,
      weight.toString(),
      reward.toString(),
      mu,
      sigma,
      Number(counts),
    );
    if (reward > 0n) state.credit(owner, "claimable", reward);
  };
  miners.forEach((row, i) => {
    insert("miner", row.uid, row.owner, row.weight, minerPay[i]!, row.mu, row.sigma, true);
  });
  seats.forEach((seat, i) => {
    const owner = seat.owner as Address;
    const stake = BigInt(seat.stake as string);
    insert("validator", seat.uid as number, owner, stake, validatorPay[i]!, 0, 0, counted[i]!);
  });
  const issued = [...minerPay, ...validatorPay, treasury].reduce((sum, amount) => sum + amount, 0n);
  state.addTotal("issued", issued);
  state.addTotal("treasury_vram", treasury);
  state.run("update windows set issued = ? where window = ?", issued.toString(), window);
  state.emit("reward_distributor::WindowPaid", { window, policy: PAY_POLICY, issued, treasury });
}

/** Whether a validator earns: it reported, abstained on at most a tenth, and deviated on at most a twentieth (one at the least). */
function countedSeat(
  state: State,
  window: number,
  seat: Row,
  settled: readonly SettledRow[],
): boolean {
  const report = reportsOf(state, window).map(({ value }) => value)
    .find(({ validator }) => validator === seat.uid);
  if (report === undefined) return false;
  let abstained = 0;
  let deviated = 0;
  for (const [i, row] of settled.entries()) {
    const entry = report.entries[i]!;
    const counts = row.verdict !== VERDICT.unavailable && row.verdict !== VERDICT.not_sampled;
    if (!isMeasured(entry.verdict) && counts) abstained++;
    if (!isMeasured(entry.verdict) || row.verdict === SETTLED.disputed || !counts) continue;
    const expected = hasMetrics(row.verdict) ? VERDICT.ok : row.verdict;
    const far = (a: number | null, b: number | null) => Math.abs((a ?? 0) - (b ?? 0)) > DEVIATION;
    if (
      entry.verdict !== expected || far(entry.ownBefore, row.ownBefore) ||
      far(entry.ownAfter, row.ownAfter) || far(entry.randomAfter, row.randomAfter)
    ) deviated++;
  }
  const most = (percent: number) => Math.max(1, Math.floor(settled.length * percent / 100));
  return abstained <= most(10) && deviated <= most(5);
}

/** Take one's rewards. */
export function claim(state: State, sender: Address): bigint {
  const { claimable } = state.account(sender);
  requireThat(
    claimable > 0n,
    "reward_distributor",
    "ENothingToClaim",
    `${sender} has no rewards to claim`,
  );
  state.credit(sender, "claimable", -claimable);
  state.credit(sender, "vram", claimable);
  state.emit("reward_distributor::RewardClaimed", { owner: sender, amount: claimable });
  return claimable;
}
