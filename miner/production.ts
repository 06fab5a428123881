/**
 * From a window to the bytes of a gradient: base, beacon, pages, training, encoding. Nothing is committed here; the
 * miner's loop does that, and a dry run does not.
 *
 * @module
 */
import { toHex } from "../enclave/protocol/bytes.ts";
import { assignedPages } from "../enclave/protocol/dataset.ts";
import { timeOfRound } from "../enclave/protocol/drand.ts";
import { sha256 } from "../enclave/protocol/hash.ts";
import type { Clock } from "../host/ledger/clock.ts";
import type { WindowView } from "../host/ledger/ledger.ts";
import type { Log } from "../host/ledger/log.ts";
import { assignmentBeacon, type BeaconSource } from "../host/ledger/randomness.ts";
import { type Patience, retryUntil } from "../host/ledger/retry.ts";
import type { Bases } from "../host/store/bases.ts";
import type { PageSource } from "../host/store/pages.ts";
import type { PendingGradient } from "./journal.ts";
import type { Pace } from "./pace.ts";
import type { GradientSource } from "./source.ts";
import type { Watchdog } from "./watchdog.ts";

const TARGET = "vramhub_miner::miner";

/** What a gradient is made with. */
export interface ProductionParts {
  /** Bases, brought forward by replay. */
  readonly bases: Bases;
  /** The data. */
  readonly pages: PageSource;
  /** Randomness. */
  readonly beacon: BeaconSource;
  /** Time. */
  readonly clock: Clock;
  /** The slot. */
  readonly uid: number;
  /** Where gradients come from. */
  readonly source: GradientSource;
  /** Log lines. */
  readonly log: Log;
}

/** How long what may pass is tried again, and who watches meanwhile. */
export interface ProductionCare {
  /** Until the commit deadline. */
  readonly patience: Patience;
  /** Tells what is waited for. */
  readonly watchdog: Watchdog;
  /** Takes the time of training. */
  readonly pace: Pace;
}

/**
 * The gradient of a window. Without its data a window is not trained for: nothing else stands in for the assigned
 * pages.
 *
 * @throws {Refusal} `too_late` where it is not ready at the commit deadline.
 */
export async function produceGradient(
  view: WindowView,
  { bases, beacon, clock, log, pages, source, uid }: ProductionParts,
  { pace, patience, watchdog }: ProductionCare,
): Promise<PendingGradient> {
  const { window, hparams, context, deadlines } = view;
  const during = <T>(what: string, due: number, call: () => Promise<T>) =>
    watchdog.during(view, { what, due }, call);
  const base = await during(
    "the base of the window, by download and replay",
    deadlines.commit,
    () => retryUntil(patience, () => bases.reach(view.baseHash, window)),
  );
  if (context.randomness.kind === "drand") {
    const due = timeOfRound(beacon.chain, BigInt(context.randomness.assignRound));
    await during("the beacon's round", due, () => clock.until(due, patience.signal));
  }
  const randomness = await during(
    "the beacon",
    deadlines.commit,
    () => retryUntil(patience, () => assignmentBeacon(view, beacon)),
  );
  const assigned = assignedPages(pages.dataset, uid, window, randomness, hparams.own_pages);
  await during(
    "the assigned pages",
    deadlines.commit,
    () => retryUntil(patience, () => pages.load(assigned)),
  );
  pace.checkTrain(view);
  const tokens = assigned.map((index) => pages.tokens(index));
  const assignment = { window, uid, hparams, theta: base.theta, pages: tokens };
  const produced = await watchdog.during(
    view,
    { what: `training (${source.name})`, due: deadlines.commit, gives: "up" },
    () => pace.timed("train", () => retryUntil(patience, () => source.produce(assignment))),
  );
  const { codec, loss, update } = produced;
  if (loss !== null) {
    const fields = { window, uid, loss: loss.toFixed(4), grad_params: update.total };
    log("info", TARGET, "Train step", fields);
  }
  const bytes = produced.encode({ uid, window: BigInt(window), baseHash: view.baseHash });
  const contentHash = sha256(bytes);
  log("info", TARGET, "Gradient compressed", {
    window,
    uid,
    size_bytes: bytes.length,
    hash: toHex(contentHash),
  });
  const salt = crypto.getRandomValues(new Uint8Array(32));
  return { window, uid, bytes, contentHash, codec, salt };
}
