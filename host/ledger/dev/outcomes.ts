/**
 * What an outcome changes once more than half of the snapshot's stake signed the same: ratings and averages,
 * the base, and `reward_distributor`'s payments.
 *
 * @module
 */
import type { Hparams } from "../../../enclave/protocol/hparams.ts";
import {
  decodeOutcome,
  type Metric,
  type Outcome,
  type RatingRow,
} from "../../../enclave/protocol/report.ts";
import {
  effectiveAverage,
  scoreOf,
  type SettledRow,
  type Weighted,
} from "../../../enclave/protocol/settle.ts";
import { hasMetrics, SETTLED } from "../../../enclave/protocol/verdict.ts";
import { agreedRatings, type BaseMove, baseMove } from "../agree.ts";
import type { Address } from "../ledger.ts";
import { earns, emissionAt, PAY_POLICY, payWeight, split } from "../pay.ts";
import { recordOf } from "./peers.ts";
import { end } from "./rounds.ts";
import { reportsOf, settledRows } from "./scores.ts";
import { blob, type State } from "./state.ts";

/** Ratings where the outcomes agree, the base where the manifests do: each in the call that crosses half of the stake. */
export function applyOutcome(state: State, window: number): void {
  const outcomes = outcomesOf(state, window);
  const total = state.all("select stake from snapshots where window = ?", window)
    .reduce((sum, row) => sum + BigInt(row.stake as string), 0n);
  const row = state.windowRow(window);
  if (row.rated === 0) {
    const ratings = agreedRatings(outcomes, total);
    // Only a window that is rated moves the base: one whose ratings find no majority is skipped, and leaves it.
    if (ratings === null) return;
    rate(state, window, ratings);
  }
  if (row.merged !== null) return;
  const move = baseMove(outcomes, total);
  if (move !== null) moveBase(state, window, move);
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

function moveBase(state: State, window: number, move: BaseMove): void {
  const { hash, moved, gain, currentLoss, mergedLoss } = move;
  state.run(
    "update windows set merged = ?, current_loss = ?, merged_loss = ? where window = ?",
    moved ? hash : new Uint8Array(0),
    currentLoss,
    mergedLoss,
    window,
  );
  const body = { window: window + 2, manifestHash: hash, gain };
  if (moved) state.run("insert or replace into meta values ('base', ?)", hash);
  state.emit(moved ? "round_state::BaseAnchored" : "round_state::BaseKept", body);
}

function rate(state: State, window: number, agreed: readonly RatingRow[]): void {
  const settled = settledRows(state, window);
  const hparams = state.hparams(window);
  const randomBefore = state.windowRow(window).random_before as number | null;
  const ratings = new Map(agreed.map((row) => [row.uid, row]));
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
  pay(state, window, hparams, rows, settled, randomBefore);
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
  randomBefore: Metric,
): void {
  const emission = emissionAt(state.total("issued"), hparams.emission);
  const pot = (bps: number) => emission * BigInt(bps) / 10_000n;
  const minerPay = split(pot(hparams.miner_bps), miners.map(({ weight }) => weight));
  const seats = state.all("select * from snapshots where window = ? order by uid", window);
  const reports = new Map(reportsOf(state, window).map(({ value }) => [value.validator, value]));
  const truth = { randomBefore, rows: settled };
  const counted = seats.map((seat) => earns(reports.get(seat.uid as number), truth));
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
    if (reward === 0n) return;
    state.credit(owner, "claimable", reward);
    state.addTotal("owed", reward);
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
  const total = state.total("issued");
  const paid = { window, policy: PAY_POLICY, issued, treasury, total };
  state.emit("reward_distributor::WindowPaid", paid);
}
