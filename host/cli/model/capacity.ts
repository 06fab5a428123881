/**
 * How many gradients a judge gets through before its report is due.
 *
 * @module
 */
import { DEFAULT_HPARAMS, type Hparams, share } from "../../../enclave/protocol/hparams.ts";

/**
 * Milliseconds that a judge has for a window: from the last reveal to the report's deadline in the next window, less
 * the wait for the beacon, is the courier's time in its first half, to fetch what it hands over, and the judge's in
 * the other.
 */
export function judgeMs(hparams: Hparams = DEFAULT_HPARAMS): number {
  const { beacon_margin_ms, report_bps, reveal_bps, window_ms } = hparams;
  const all = window_ms - share(window_ms, reveal_bps) + share(window_ms, report_bps);
  return (all - beacon_margin_ms) / 2;
}

/** Gradients that fit that time where each takes `perMiner` milliseconds: the most that `max_judged` should be. */
export function minersPerWindow(perMiner: number, hparams: Hparams = DEFAULT_HPARAMS): number {
  return Math.floor(judgeMs(hparams) / perMiner);
}
