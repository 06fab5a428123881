/**
 * Who of a window is measured, where not all can be: the judge's beacon draws them, the same for every validator.
 *
 * @module
 */
import { drawFromBeacon } from "./draw.ts";

/**
 * Most bytes of gradients that a window measures: a judge holds them all, beside the chunks of a base, in its gigabyte.
 * 256 of nano-GPT at 1 % are 414 MB. Without it a few miners at the limit of `max_gradient_bytes` would be more than a
 * judge can hold, and nobody would be measured.
 */
export const MAX_JUDGED_BYTES = 2 ** 29;

/** A revealed gradient, as the ledger has it. */
export interface Sampled {
  /** The miner. */
  readonly uid: number;
  /** Bytes. */
  readonly size: number;
}

/**
 * The uids that are measured: all of `reveals` where they are at most `maxJudged` and of at most
 * {@linkcode MAX_JUDGED_BYTES} together; else they are drawn without replacement, and each is taken that still fits. No
 * order of arrival plays a part.
 */
export function sampledUids(
  reveals: readonly Sampled[],
  { maxJudged, ledgerId, window, beacon }: {
    readonly maxJudged: number;
    readonly ledgerId: Uint8Array;
    readonly window: number;
    /** The judge's beacon. */
    readonly beacon: Uint8Array;
  },
): Set<number> {
  const waiting = [...reveals].sort((a, b) => a.uid - b.uid);
  const bytes = waiting.reduce((sum, { size }) => sum + size, 0);
  if (waiting.length <= maxJudged && bytes <= MAX_JUDGED_BYTES) {
    return new Set(waiting.map(({ uid }) => uid));
  }
  const draw = drawFromBeacon("sample", ledgerId, window, beacon);
  const chosen = new Set<number>();
  let room = MAX_JUDGED_BYTES;
  while (chosen.size < maxJudged && waiting.length > 0) {
    const [{ uid, size }] = waiting.splice(draw(waiting.length), 1) as [Sampled];
    if (size > room) continue;
    chosen.add(uid);
    room -= size;
  }
  return chosen;
}
