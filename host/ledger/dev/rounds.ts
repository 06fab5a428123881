/**
 * `round_state` and `hparams`: windows roll lazily, by the first call that falls into one.
 *
 * @module
 */
import { equal } from "../../../enclave/protocol/bytes.ts";
import {
  EMPTY_ACC,
  type Randomness,
  type WindowContext,
} from "../../../enclave/protocol/commit.ts";
import { type Dataset, datasetRoot, trainingPages } from "../../../enclave/protocol/dataset.ts";
import { firstRoundAfter, firstRoundAtOrAfter } from "../../../enclave/protocol/drand.ts";
import { LedgerError, requireThat } from "../../../enclave/protocol/errors.ts";
import {
  checkHparams,
  encodeHparams,
  type Hparams,
  hparamsDigest,
  share,
} from "../../../enclave/protocol/hparams.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { windowStart } from "../../../enclave/protocol/window.ts";
import type { Address } from "../ledger.ts";
import { applyPendingSlots } from "./peers.ts";
import { blob, type State } from "./state.ts";

/** Bring the ledger to the window of this call: close what is over, apply what was pending, take the snapshot. */
export function roll(state: State): number {
  const window = state.window();
  const last = Number(state.meta("rolled") ?? "-1");
  if (window <= last) return window;
  const open = state.all(
    "select window from windows where window < ? and status not in ('closed', 'skipped') order by window",
    window,
  );
  for (const row of open) closeIfOver(state, row.window as number);
  // Before anybody leaves: a miner must not escape the fee by leaving its slot.
  if (last >= 0) chargeUnrevealed(state, last);
  applyPendingSlots(state, window);
  const hparams = fromPending(state, window);
  const base = blob(state.get("select value from meta where key = 'base'")!.value);
  state.run("update windows set judge_seed = ? where judge_seed is null", random32());
  state.run(
    `insert into windows (window, status, hparams, base, acc, cursor, rated, assign_seed)
     values (?, 'open', ?, ?, ?, -1, 0, ?)`,
    window,
    encodeHparams(hparams),
    base,
    EMPTY_ACC,
    random32(),
  );
  state.run(
    `insert into snapshots select ?, uid, generation, owner, stake, active_from from validators
     where active_from <= ?`,
    window,
    window,
  );
  state.setMeta("rolled", window);
  state.setMeta("evictions/miner", 0);
  state.setMeta("evictions/validator", 0);
  const snapshot = state.all(
    "select uid, owner, stake from snapshots where window = ? order by uid",
    window,
  );
  state.emit("round_state::WindowOpened", { window, baseHash: base, snapshot });
  return window;
}

function random32(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(32));
}

function fromPending(state: State, window: number): Hparams {
  const pending = state.meta("pending_hparams");
  const current: Hparams = JSON.parse(state.meta("hparams")!);
  if (pending === undefined) return current;
  const { effective, hparams } = JSON.parse(pending);
  if (effective > window) return current;
  if (hparams.unbonding_ms < current.unbonding_ms) {
    const until = state.nowMs + current.unbonding_ms;
    state.setMeta("unbonding_until", Math.max(until, unbondingUntil(state)));
  }
  state.setMeta("hparams", JSON.stringify(hparams));
  state.run("delete from meta where key = 'pending_hparams'");
  return hparams;
}

/** Until when a longer unbonding period, in force before, still holds approvals back. */
function unbondingUntil(state: State): number {
  return Number(state.meta("unbonding_until") ?? "0");
}

/**
 * When a build that is approved now becomes active: after the unbonding period, the pending one if that is
 * longer, and not before a longer one that was in force is over. To shorten the period first gains nothing.
 */
export function activeFrom(state: State): number {
  const pending = state.meta("pending_hparams");
  const next: number = pending === undefined ? 0 : JSON.parse(pending).hparams.unbonding_ms;
  const wait = Math.max(state.hparams(state.window()).unbonding_ms, next);
  return Math.max(state.nowMs + wait, unbondingUntil(state));
}

/** Change hparams from the next window on; another length opens a new epoch at that boundary. */
export function setHparams(state: State, sender: Address, hparams: Hparams): void {
  requireThat(sender === state.info().admin, "hparams", "ENotAdmin", `${sender} is not the admin`);
  const window = state.window();
  const effective = window + 1;
  const { beacon, dataset } = state.info();
  try {
    checkHparams(hparams, beacon.periodMs);
  } catch (error) {
    if (error instanceof Refusal) throw new LedgerError("hparams", "EInvalidValue", error.message);
    throw error;
  }
  const lacking = lackingPages(hparams, dataset);
  requireThat(lacking === null, "hparams", "EInvalidValue", lacking ?? "");
  // The running window is judged in the next one, whose length is what changes here.
  const now = state.hparams(window);
  const judging = now.window_ms - share(now.window_ms, now.reveal_bps) +
    share(hparams.window_ms, now.report_bps);
  const needed = now.beacon_margin_ms + beacon.periodMs + now.min_judge_ms;
  requireThat(
    judging >= needed,
    "hparams",
    "EInvalidValue",
    `window ${window} would be judged in ${judging} ms and needs ${needed} ms`,
  );
  state.run("delete from epochs where first_window >= ?", effective);
  const epochs = state.epochs();
  const running = epochs.at(-1)!;
  if (running.windowMs !== hparams.window_ms) {
    state.run(
      "insert into epochs values (?, ?, ?)",
      effective,
      windowStart(epochs, effective),
      hparams.window_ms,
    );
  }
  state.setMeta("pending_hparams", JSON.stringify({ effective, hparams }));
  state.emit("hparams::HparamsChanged", { effective, digest: hparamsDigest(hparams) });
}

/** Why a data set has too few pages for `hparams`, or null where it has enough. */
export function lackingPages(hparams: Hparams, dataset: Dataset): string | null {
  const training = trainingPages(dataset.pageCount);
  const heldOut = dataset.pageCount - training;
  const { own_pages, random_pages, heldout_pages } = hparams;
  if (training >= Math.max(own_pages, random_pages) && heldOut >= heldout_pages) return null;
  return `${dataset.pageCount} pages are too few to train on ${own_pages}, measure on ${random_pages} and hold out ${heldout_pages}`;
}

/** What `window`'s digest binds. */
export function contextOf(state: State, window: number): WindowContext {
  const info = state.info();
  const row = state.windowRow(window);
  const hparams = state.hparams(window);
  const { start, reveal } = state.deadlines(window);
  const randomness: Randomness = hparams.randomness_kind === 0
    ? {
      kind: "drand",
      chainHash: info.beacon.chainHash,
      assignRound: Number(firstRoundAfter(info.beacon, start)),
      judgeRound: Number(
        firstRoundAtOrAfter(info.beacon, reveal + hparams.beacon_margin_ms),
      ),
    }
    : {
      kind: "ledger",
      assignSeed: blob(row.assign_seed),
      // not drawn before the next window: zeros until then, so that nobody knows it while revealing
      judgeSeed: row.judge_seed === null ? new Uint8Array(32) : blob(row.judge_seed),
    };
  return {
    chainId: info.chainId,
    ledgerId: info.ledgerId,
    workload: hparams.workload,
    version: hparams.version,
    window,
    hparamsDigest: hparamsDigest(hparams),
    modelHash: info.modelHash,
    baseHash: blob(row.base),
    datasetRoot: datasetRoot(info.dataset),
    randomness,
  };
}

/** Anyone may close a window that is empty after its reveals, or whose outcomes are over. */
export function close(state: State, window: number): void {
  requireThat(
    Number.isSafeInteger(window) && window <= state.window(),
    "round_state",
    "EUnknownWindow",
    `window ${window} has not begun`,
  );
  const closed = closeIfOver(state, window);
  requireThat(closed, "round_state", "ENotClosable", `window ${window} can still be judged`);
}

/** Whether `window` is closed or skipped, closing it where its time is over. */
export function closeIfOver(state: State, window: number): boolean {
  const row = state.get("select * from windows where window = ?", window);
  if (row === undefined || row.status === "closed" || row.status === "skipped") return true;
  const { reveal, report, outcome } = state.deadlines(window);
  if (state.nowMs < reveal) return false;
  if (equal(blob(row.acc), EMPTY_ACC)) {
    end(state, window, "closed", null);
    return true;
  }
  if (row.status === "open" && state.nowMs >= report && !hasQuorum(state, window, "reports")) {
    end(state, window, "skipped", "no quorum of reports");
    return true;
  }
  if (state.nowMs < outcome) return false;
  end(state, window, "skipped", "no quorum of outcomes");
  return true;
}

/** More than half of the snapshot's stake has sent its message. */
export function hasQuorum(state: State, window: number, table: "reports" | "outcomes"): boolean {
  const { sent, total } = stakeSent(state, window, table);
  return 2n * sent > total;
}

/** Stake of the snapshot, and of those in it that sent their message. */
export function stakeSent(
  state: State,
  window: number,
  table: "reports" | "outcomes",
): { sent: bigint; total: bigint } {
  const rows = state.all(
    `select stake, uid in (select uid from ${table} where window = ?) as sent
     from snapshots where window = ?`,
    window,
    window,
  );
  let sent = 0n;
  let total = 0n;
  for (const row of rows) {
    const stake = BigInt(row.stake as string);
    total += stake;
    if (row.sent === 1) sent += stake;
  }
  return { sent, total };
}

/** Charge for the commits of `window` that were never revealed. Its reveals are over. */
function chargeUnrevealed(state: State, window: number): void {
  const wanted = BigInt(state.hparams(window).unrevealed_fee);
  const unrevealed = state.all(
    `select m.uid, m.stake from commits c join miners m on m.uid = c.uid
     and m.generation = c.generation where c.window = ?1
     and c.uid not in (select uid from reveals where window = ?1) order by m.uid`,
    window,
  );
  for (const row of unrevealed) {
    const stake = BigInt(row.stake as string);
    const fee = wanted < stake ? wanted : stake;
    state.run(
      "update miners set stake = ? where uid = ?",
      (stake - fee).toString(),
      row.uid as number,
    );
    state.addTotal("treasury_sui", fee);
    state.emit("gradient_registry::UnrevealedCharged", { window, uid: row.uid, fee });
  }
}

/** End a window; a skip drops its staging rows. */
export function end(
  state: State,
  window: number,
  status: "closed" | "skipped",
  reason: string | null,
): void {
  if (status === "skipped") state.run("delete from settled where window = ?", window);
  state.run(
    "update windows set status = ?, skip_reason = ? where window = ?",
    status,
    reason,
    window,
  );
  state.emit(status === "closed" ? "round_state::WindowClosed" : "round_state::WindowSkipped", {
    window,
    ...(reason === null ? {} : { reason }),
  });
}
