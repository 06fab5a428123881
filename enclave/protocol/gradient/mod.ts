/**
 * Gradients on the wire: three codecs, named by number in the reveal, read by one strict decoder.
 *
 * @module
 */
import { type GradientExpectation, refuse, type SparseUpdate } from "./types.ts";
import { decodeTemplar } from "./templar_read.ts";
import { decodeV1, roundV1 } from "./v1.ts";
import { decodeV2, roundV2 } from "./v2.ts";

export type { GradientExpectation, GradientFault, SparseUpdate } from "./types.ts";
export { type GradientBinding } from "./bound.ts";
export {
  canTransform,
  encodeTemplar,
  MAX_COEFFICIENTS,
  maxTemplarEntries,
  type TemplarGradient,
  type TemplarTensor,
} from "./templar.ts";
export { encodeV1 } from "./v1.ts";
export { DEFAULT_BLOCK, encodeV2, type GradientMeta } from "./v2.ts";

/** Codec number of version 1. */
export const CODEC_V1 = 1;
/** Codec number of version 2. */
export const CODEC_V2 = 2;
/** Codec number of version 3, Templar's compression. */
export const CODEC_TEMPLAR = 3;

/** Whether a gradient may be revealed in `codec`: whether there is a reader. */
export function isCodec(codec: number): boolean {
  return codec === CODEC_V1 || codec === CODEC_V2 || codec === CODEC_TEMPLAR;
}

/**
 * Read a gradient. Memory is bounded by the length of `bytes` and by `maxBytes`, whatever they claim, and the same
 * bytes give the same arrays everywhere.
 *
 * @throws {Refusal} whose code is a `GradientFault`: `wrong_size` where the length is above `maxBytes` or not what
 * the header implies, or what it decodes to is more than `maxBytes` allows, `wrong_model` where the total or the base
 * differs, `non_finite` where a value or a scale is infinite or NaN, `undecodable` for all else.
 * @throws {RangeError} where the expectation itself is not valid.
 */
export function decodeGradient(bytes: Uint8Array, expect: GradientExpectation): SparseUpdate {
  const { codec, total, maxBytes } = expect;
  if (!Number.isInteger(total) || total < 1 || total > 2 ** 32) {
    throw new RangeError(`Cannot decode a gradient as 'total' must be 1 to 2^32: it is ${total}`);
  }
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 0) {
    throw new RangeError(
      `Cannot decode a gradient as 'maxBytes' must be a size: it is ${maxBytes}`,
    );
  }
  if (bytes.length > maxBytes) {
    throw refuse("wrong_size", `${bytes.length} bytes are more than ${maxBytes}`, "length");
  }
  if (codec === CODEC_V1) return decodeV1(bytes, expect);
  if (codec === CODEC_V2) return decodeV2(bytes, expect);
  if (codec === CODEC_TEMPLAR) return decodeTemplar(bytes, expect);
  throw refuse("undecodable", `codec ${codec} is not known`, "codec");
}

/**
 * The update as its readers will see it, values rounded by the codec: what error feedback subtracts. Version 3
 * chooses the entries as well: `compressTemplar` gives the update as received.
 *
 * @throws {RangeError} where the codec is not known or cannot carry a value.
 */
export function asReceived(update: SparseUpdate, codec: number, block?: number): SparseUpdate {
  if (codec === CODEC_V1) return { ...update, values: roundV1(update.values) };
  if (codec === CODEC_V2) return { ...update, values: roundV2(update.values, block) };
  throw new RangeError(`Cannot round an update as 'codec' must be 1 or 2: it is ${codec}`);
}
