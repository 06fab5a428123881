/**
 * The pages that a window's judgement takes: drawn from its two beacon values, by anybody alike.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { WindowContext } from "../../enclave/protocol/commit.ts";
import {
  assignedPages,
  type Dataset,
  heldOutPages,
  randomPages,
} from "../../enclave/protocol/dataset.ts";
import type { Hparams } from "../../enclave/protocol/hparams.ts";

/** What the draws depend on. */
export interface Draws {
  /** The window. */
  readonly context: WindowContext;
  /** Its rules. */
  readonly hparams: Hparams;
  /** The data. */
  readonly dataset: Dataset;
  /** Who revealed. */
  readonly uids: readonly number[];
  /** Randomness that assigned the pages, 32 bytes. */
  readonly assign: Bytes;
  /** Randomness after the reveals, 32 bytes. */
  readonly judge: Bytes;
}

/** Everybody's own pages, the random and the held-out ones: each once, ascending. */
export function drawnPages(draws: Draws): number[] {
  const { context: { ledgerId, window }, hparams, dataset, uids, assign, judge } = draws;
  const own = uids.flatMap((uid) => assignedPages(dataset, uid, window, assign, hparams.own_pages));
  const random = randomPages(dataset, ledgerId, window, judge, hparams.random_pages);
  const heldOut = heldOutPages(dataset, ledgerId, window, judge, hparams.heldout_pages);
  return [...new Set([...own, ...random, ...heldOut])].sort((a, b) => a - b);
}
