/**
 * Filters of the courier's: cheap looks at a gradient's bytes. They are advice for a log, or for a miner that
 * tries its own gradient before it is sent; every object that was fetched goes to the judge all the same.
 *
 * @module
 */
import type { Reveal } from "../../enclave/protocol/commit.ts";
import { decodeGradient } from "../../enclave/protocol/gradient/mod.ts";
import type { Hparams } from "../../enclave/protocol/hparams.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";

/** What a filter found. */
export interface Remark {
  /** The filter's name. */
  readonly filter: "liveness" | "size" | "header";
  /** What is wrong, for people. */
  readonly detail: string;
}

/** Look at `bytes`; an empty answer means that nothing was found. */
export function fastEval(
  reveal: Reveal,
  bytes: Uint8Array,
  about: {
    readonly hparams: Hparams;
    readonly total: number;
    readonly window: number;
    readonly baseHash: Uint8Array;
  },
): Remark[] {
  const { hparams, total, window, baseHash } = about;
  if (bytes.length === 0) return [{ filter: "liveness", detail: "the object is empty" }];
  if (bytes.length !== reveal.size || bytes.length > hparams.max_gradient_bytes) {
    return [{ filter: "size", detail: `${bytes.length} bytes, revealed as ${reveal.size}` }];
  }
  try {
    decodeGradient(bytes, {
      codec: reveal.codec,
      total,
      maxBytes: hparams.max_gradient_bytes,
      uid: reveal.uid,
      window,
      baseHash,
    });
    return [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [{ filter: "header", detail: `${error.code}: ${error.message}` }];
  }
}
