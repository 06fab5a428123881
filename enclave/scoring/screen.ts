/**
 * Screening: what a gradient is refused for before its loss is measured. Decoding, size, norm, and copies:
 * of two alike, the later commit is refused, whatever the order in which they arrive.
 *
 * @module
 */
import { type GradientContext, openGradient } from "../model/merge.ts";
import { type Bytes, toHex } from "../protocol/bytes.ts";
import type { Reveal } from "../protocol/commit.ts";
import { drawFromBeacon } from "../protocol/draw.ts";
import type { SparseUpdate } from "../protocol/gradient/mod.ts";
import { sha256 } from "../protocol/hash.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sampledUids } from "../protocol/sample.ts";
import { VERDICT, type VerdictName } from "../protocol/verdict.ts";
import { isCopy, type Slice, sliceOf } from "./overlap.ts";
import type { BoundRequest } from "./request.ts";

/** What the window's gradients must fit. */
export function gradientContext(request: BoundRequest, total: number): GradientContext {
  const { hparams, context } = request;
  return { hparams, total, window: context.window, baseHash: context.baseHash };
}

/** Every sampled, available reveal's verdict so far: `ok` where nothing speaks against measuring it. */
export function screen(
  request: BoundRequest,
  total: number,
  bytesOf: (reveal: Reveal) => Bytes,
): Map<number, VerdictName> {
  const { context, hparams, judgeBeacon } = request;
  const draw = drawFromBeacon("slice", context.ledgerId, context.window, judgeBeacon);
  const salt = draw(2 ** 32);
  const gradients = gradientContext(request, total);
  const verdicts = new Map<number, VerdictName>();
  const digests = new Set<string>();
  const slices: Slice[] = [];
  const sampled = sampledUids(request.reveals, {
    maxJudged: hparams.max_judged,
    ledgerId: context.ledgerId,
    window: context.window,
    beacon: judgeBeacon,
  });
  // The earliest commit first: what is found in it already counts against the later one.
  for (const reveal of [...request.reveals].sort((a, b) => a.commitSeq - b.commitSeq)) {
    const { uid } = reveal;
    if (!sampled.has(uid)) {
      verdicts.set(uid, "not_sampled");
    } else if (request.unavailable.has(uid)) {
      verdicts.set(uid, "unavailable");
    } else {
      const bytes = bytesOf(reveal);
      try {
        const { update } = openGradient(gradients, reveal, bytes);
        const digest = contentDigest(update);
        const slice = sliceOf(update, salt);
        if (digests.has(digest)) verdicts.set(uid, "duplicate");
        else if (slices.some((earlier) => isCopy(earlier, slice, hparams))) {
          verdicts.set(uid, "overlap");
        } else verdicts.set(uid, "ok");
        digests.add(digest);
        slices.push(slice);
      } catch (error) {
        if (!(error instanceof Refusal) || !Object.hasOwn(VERDICT, error.code)) throw error;
        verdicts.set(uid, error.code as VerdictName);
      }
    }
  }
  return verdicts;
}

/** What an update says, whatever bytes it was wrapped in. */
function contentDigest({ indices, values }: SparseUpdate): string {
  const raw = (a: Uint32Array | Float32Array) =>
    new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  return toHex(sha256(raw(indices), raw(values)));
}
