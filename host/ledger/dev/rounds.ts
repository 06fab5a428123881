/**
 * `round_state`: windows' rows, opened by the first call that falls into one, and what their digests bind.
 *
 * @module
 */
import { equal } from "../../../enclave/protocol/bytes.ts";
import {
  EMPTY_ACC,
  type Randomness,
  type WindowContext,
} from "../../../enclave/protocol/commit.ts";
import { datasetRoot } from "../../../enclave/protocol/dataset.ts";
import { firstRoundAfter, firstRoundAtOrAfter } from "../../../enclave/protocol/drand.ts";
import { requireThat } from "../../../enclave/protocol/errors.ts";
import { encodeHparams, hparamsDigest } from "../../../enclave/protocol/hparams.ts";
import { hparamsAt } from "./hparams.ts";
import { blob, type State } from "./state.ts";

const MODULE = "round_state";
/** What stands for a seed that is not drawn yet. */
const NO_SEED = new Uint8Array(32);

/** The last window that was rolled to, or -1 before the first call. */
export function rolledTo(state: State): number {
  return Number(state.meta("rolled") ?? "-1");
}

/** Close or skip every window that is over. */
export function endOver(state: State, running: number): void {
  const open = state.all(
    "select window from windows where window < ? and status not in ('closed', 'skipped') order by window",
    running,
  );
  for (const row of open) closeIfOver(state, row.window as number);
}

/** Open the running window's row with its stake snapshot: the validators as they are now. */
export function openWindow(state: State, window: number): void {
  const hparams = hparamsAt(state, window);
  const base = blob(state.get("select value from meta where key = 'base'")!.value);
  state.run(
    `insert into windows (window, status, hparams, base, acc, cursor, rated)
     values (?, 'open', ?, ?, ?, -1, 0)`,
    window,
    encodeHparams(hparams),
    base,
    EMPTY_ACC,
  );
  state.run(
    "insert into snapshots select ?, uid, generation, owner, stake, active_from from validators",
    window,
  );
  state.setMeta("rolled", window);
  const snapshot = state.all(
    "select uid, owner, stake from snapshots where window = ? order by uid",
    window,
  );
  state.emit("round_state::WindowOpened", { window, baseHash: base, snapshot });
}

/** Draw the seeds that are due: the assignment's from the window's start, the judge's from its reveal deadline. */
export function drawSeeds(state: State, window: number): void {
  const row = state.windowRow(window);
  const due = (judge: boolean) => {
    if (row[judge ? "judge_seed" : "assign_seed"] !== null) return false;
    return !judge || state.nowMs >= state.deadlines(window).reveal;
  };
  const seeds = state.hparams(window).randomness_kind === 1 ? [false, true].filter(due) : [];
  requireThat(seeds.length > 0, MODULE, "ENothingToDraw", `no seed of window ${window} is due`);
  for (const judge of seeds) {
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const column = judge ? "judge_seed" : "assign_seed";
    state.run(`update windows set ${column} = ? where window = ?`, seed, window);
    state.emit("round_state::SeedDrawn", { window, judge, seed });
  }
}

/** Refuse where the ledger draws the window's seeds and one is missing: it has no digest yet. */
export function assertSeedsDrawn(state: State, window: number): void {
  if (state.hparams(window).randomness_kind !== 1) return;
  const { assign_seed, judge_seed } = state.windowRow(window);
  requireThat(
    assign_seed !== null && judge_seed !== null,
    MODULE,
    "ESeedNotDrawn",
    `a seed of window ${window} is not drawn yet`,
  );
}

/** Whether rows of `window` may go: it is over, and `retention_windows` lie between it and the last rolled one. */
export function isPrunable(state: State, window: number): boolean {
  const rolled = rolledTo(state);
  if (!(rolled > window)) return false;
  const row = state.get("select status from windows where window = ?", window);
  if (row === undefined) return true;
  const over = row.status === "closed" || row.status === "skipped";
  return over && rolled - window > state.hparams(window).retention_windows;
}

/** Delete an old window's row and snapshot. */
export function prune(state: State, window: number): void {
  state.windowRow(window);
  requireThat(isPrunable(state, window), MODULE, "ETooYoung", `window ${window} is still kept`);
  state.run("delete from windows where window = ?", window);
  state.run("delete from snapshots where window = ?", window);
  state.emit("round_state::WindowPruned", { window });
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
      // Zeros until it is drawn, as everybody reads it; such a window has no digest that is taken.
      assignSeed: row.assign_seed === null ? NO_SEED : blob(row.assign_seed),
      judgeSeed: row.judge_seed === null ? NO_SEED : blob(row.judge_seed),
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
    window <= state.window() && Number.isSafeInteger(window),
    MODULE,
    "EUnknownWindow",
    `window ${window} has not begun`,
  );
  const closed = closeIfOver(state, window);
  requireThat(closed, MODULE, "ENotClosable", `window ${window} can still be judged`);
}

/** Whether `window` is closed or skipped, closing it where its time is over. */
export function closeIfOver(state: State, window: number): boolean {
  const row = state.get("select * from windows where window = ?", window);
  if (row === undefined || row.status === "closed" || row.status === "skipped") return true;
  // In N+2 all of N's deadlines are over, whatever epochs are still kept.
  const over = window + 2 <= state.window();
  const { reveal, report, outcome } = over
    ? { reveal: 0, report: 0, outcome: 0 }
    : state.deadlines(window);
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
