/**
 * The miner's window loop: assignment, training, commit, upload, reveal. An error costs the window, never
 * the loop; what is waited for is said.
 *
 * @module
 */
import { type Bytes, toHex } from "../enclave/protocol/bytes.ts";
import { commitment } from "../enclave/protocol/commit.ts";
import { assignedPages } from "../enclave/protocol/dataset.ts";
import { timeOfRound } from "../enclave/protocol/drand.ts";
import { LedgerError } from "../enclave/protocol/errors.ts";
import { CODEC_V2, encodeV2 } from "../enclave/protocol/gradient/mod.ts";
import { sha256 } from "../enclave/protocol/hash.ts";
import type { Clock } from "../host/ledger/clock.ts";
import type { Address, Ledger, WindowView } from "../host/ledger/ledger.ts";
import { type Log, reason } from "../host/ledger/log.ts";
import { assignmentBeacon, type BeaconSource } from "../host/ledger/randomness.ts";
import type { Bases } from "../host/store/bases.ts";
import { gradientKey } from "../host/store/keys.ts";
import type { Pages } from "../host/store/pages.ts";
import type { Store } from "../host/store/store.ts";
import type { MinerJournal, PendingGradient } from "./journal.ts";
import type { GradientSource } from "./source.ts";

const TARGET = "vramhub_miner::miner";

/** What a miner works with. */
export interface MinerParts {
  /** The ledger. */
  readonly ledger: Ledger;
  /** Where gradients are uploaded and checkpoints come from. */
  readonly store: Store;
  /** Bases, brought forward by replay. */
  readonly bases: Bases;
  /** The data. */
  readonly pages: Pages;
  /** Randomness. */
  readonly beacon: BeaconSource;
  /** Time. */
  readonly clock: Clock;
  /** What it commits to, across restarts. */
  readonly journal: MinerJournal;
  /** Who is paid. */
  readonly owner: Address;
  /** The slot. */
  readonly uid: number;
  /** Where gradients come from. */
  readonly source: GradientSource;
  /** Log lines. */
  readonly log: Log;
}

/** One miner. */
export class Miner {
  readonly #parts: MinerParts;

  /** A miner of these parts. */
  constructor(parts: MinerParts) {
    this.#parts = parts;
  }

  /** Mine window after window until `signal` aborts, or `windows` of them. */
  async run(signal: AbortSignal, windows = Infinity): Promise<void> {
    const { ledger, clock, log, source, uid } = this.#parts;
    log("info", "vramhub_miner", "Miner starting", { adapter: source.name, device: source.device });
    let next = -Infinity;
    for (let done = 0; done < windows && !signal.aborted; done++) {
      const window = Math.max(await ledger.currentWindow(), next);
      next = window + 1;
      try {
        await this.#waitForWindow(window, signal);
        await this.mine(window, signal);
      } catch (error) {
        if (signal.aborted) return;
        log("error", TARGET, "Window failed", { window, uid, reason: reason(error) });
      }
      const { end } = await this.#deadlinesOf(window);
      await clock.until(end, signal).catch(() => {});
    }
  }

  async #waitForWindow(window: number, signal: AbortSignal): Promise<void> {
    const { ledger, clock } = this.#parts;
    if (window <= await ledger.currentWindow()) return;
    const { end } = await this.#deadlinesOf(window - 1);
    await clock.until(end, signal);
  }

  async #deadlinesOf(window: number): Promise<{ end: number }> {
    const { ledger } = this.#parts;
    return (await ledger.window(Math.min(window, await ledger.currentWindow()))).deadlines;
  }

  /** Mine one window: commit before its deadline, upload and reveal behind it. */
  async mine(window: number, signal: AbortSignal): Promise<void> {
    const { ledger, clock, journal, log, uid } = this.#parts;
    const view = await ledger.window(window);
    log("info", TARGET, "Starting window", { window, uid });
    let pending = await journal.load(window);
    if (pending === null) {
      pending = await this.#produce(view, signal);
      await journal.save(pending);
    } else {
      log("info", TARGET, "Resuming window", { window, uid, hash: toHex(pending.contentHash) });
    }
    await this.#commit(pending);
    await clock.until(view.deadlines.commit, signal);
    await this.#reveal(pending);
    await journal.clear(pending);
  }

  async #produce(view: WindowView, signal: AbortSignal): Promise<PendingGradient> {
    const { bases, beacon, clock, log, pages, source, uid } = this.#parts;
    const { window, hparams, context } = view;
    const base = await bases.reach(view.baseHash, window);
    if (context.randomness.kind === "drand") {
      const due = timeOfRound(beacon.chain, BigInt(context.randomness.assignRound));
      await clock.until(due, signal);
    }
    const assigned = assignedPages(
      pages.dataset,
      uid,
      window,
      await assignmentBeacon(view, beacon),
      hparams.own_pages,
    );
    const { update, loss } = await source.produce({
      window,
      uid,
      hparams,
      theta: base.theta,
      pages: assigned.map((index) => pages.tokens(index)),
    });
    if (loss !== null) {
      log("info", TARGET, "Train step", {
        window,
        uid,
        loss: loss.toFixed(4),
        grad_params: update.total,
      });
    }
    const bytes = encodeV2(update, { uid, window: BigInt(window), baseHash: view.baseHash });
    const contentHash = sha256(bytes);
    log("info", TARGET, "Gradient compressed", {
      window,
      uid,
      size_bytes: bytes.length,
      hash: toHex(contentHash),
    });
    const salt = crypto.getRandomValues(new Uint8Array(32));
    return { window, uid, bytes, contentHash, codec: CODEC_V2, salt };
  }

  async #commit({ window, uid, contentHash, salt }: PendingGradient): Promise<void> {
    const { ledger, owner } = this.#parts;
    const { ledgerId } = await ledger.info();
    await unlessDone("EAlreadyCommitted", async () => {
      await ledger.commit(
        owner,
        uid,
        window,
        commitment(ledgerId, uid, window, contentHash, salt),
      );
    });
  }

  async #reveal(pending: PendingGradient): Promise<void> {
    const { ledger, log, owner, store } = this.#parts;
    const { window, uid, bytes, contentHash, codec, salt } = pending;
    const ref = gradientKey(window, uid);
    await store.put(ref, bytes);
    log("info", TARGET, "Gradient uploaded", { window, uid, r2_key: ref });
    const gradient: { contentHash: Bytes; size: number; codec: number } = {
      contentHash,
      size: bytes.length,
      codec,
    };
    await unlessDone(
      "EAlreadyRevealed",
      () => ledger.reveal(owner, uid, window, gradient, salt, ref),
    );
  }
}

/** After a crash the call may have gone through: then the ledger says so, and that is as good. */
async function unlessDone(constant: string, call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof LedgerError) || error.constant !== constant) throw error;
  }
}
