/**
 * What versions 2 and 3 begin and end with: magic, revision, and what binds a gradient to its miner, window and
 * base; then, last, a checksum. The table of offsets is `v2.ts`'s; it holds for the first 56 bytes.
 *
 * @module
 */
import { equal, toHex } from "../bytes.ts";
import { crc32 } from "../crc32.ts";
import { type GradientExpectation, refuse } from "./types.ts";

/** Bytes of the checksum. */
export const CHECKSUM_BYTES = 4;
/** Both versions' header. */
export const HEADER_BYTES = 68;
/** The only revision of both layouts. */
const REVISION = 1;

/** A version that is bound. */
export interface BoundVersion {
  /** Its number, for errors. */
  readonly version: 2 | 3;
  /** Its first four bytes, read little endian. */
  readonly magic: number;
}

/** What a gradient is bound to. */
export interface GradientBinding {
  /** The miner, u16. */
  readonly uid: number;
  /** The window, u64. */
  readonly window: bigint | number;
  /** Hash of the base, 32 bytes. */
  readonly baseHash: Uint8Array;
}

/** The error of an encoder. */
export function cannotEncode({ version }: BoundVersion, why: string): RangeError {
  return new RangeError(`Cannot encode a gradient as version ${version}: ${why}`);
}

/**
 * Write the first 56 bytes.
 *
 * @throws {RangeError} where the binding is not valid.
 */
export function writeBinding(
  out: Uint8Array<ArrayBuffer>,
  is: BoundVersion,
  { uid, window: number, baseHash }: GradientBinding,
  total: number,
): DataView<ArrayBuffer> {
  const window = BigInt(number);
  if (!Number.isInteger(uid) || uid < 0 || uid > 0xffff) throw cannotEncode(is, `'uid' is ${uid}`);
  if (window < 0n || window >= 1n << 64n) throw cannotEncode(is, `'window' is ${window}`);
  if (baseHash.length !== 32) throw cannotEncode(is, `'baseHash' has ${baseHash.length} bytes`);
  const view = new DataView(out.buffer);
  view.setUint32(0, is.magic, true);
  view.setUint8(4, REVISION);
  view.setUint16(6, uid, true);
  view.setBigUint64(8, window, true);
  out.set(baseHash, 16);
  view.setBigUint64(48, BigInt(total), true);
  return view;
}

/** Write the last four bytes. */
export function seal(out: Uint8Array<ArrayBuffer>): void {
  const end = out.length - CHECKSUM_BYTES;
  new DataView(out.buffer).setUint32(end, crc32(out.subarray(0, end)), true);
}

/**
 * Check that the bytes are of that version and hold its header.
 *
 * @throws {Refusal} `wrong_size` or `undecodable`.
 */
export function checkForm(bytes: Uint8Array, is: BoundVersion): DataView {
  const least = HEADER_BYTES + CHECKSUM_BYTES;
  if (bytes.length < least) {
    const why = `${bytes.length} bytes are less than the smallest, ${least}`;
    throw refuse("wrong_size", why, "length");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== is.magic) {
    throw refuse("undecodable", `it does not start with VHG${is.version}`, "magic");
  }
  if (view.getUint8(4) !== REVISION) {
    throw refuse("undecodable", `revision ${view.getUint8(4)} is not known`, "revision");
  }
  if (view.getUint8(5) !== 0) throw refuse("undecodable", "a flag is set", "flags");
  return view;
}

/**
 * Check the length that the header implies, the checksum, and what the gradient is bound to.
 *
 * @throws {Refusal} with a `GradientFault` as its code.
 */
export function checkBinding(
  bytes: Uint8Array,
  view: DataView,
  length: number,
  expect: GradientExpectation,
): void {
  if (bytes.length !== length) {
    const why = `its header implies ${length} bytes, it has ${bytes.length}`;
    throw refuse("wrong_size", why, "length");
  }
  const end = length - CHECKSUM_BYTES;
  if (view.getUint32(end, true) !== crc32(bytes.subarray(0, end))) {
    throw refuse("undecodable", "its checksum does not match", "checksum");
  }
  const total = view.getBigUint64(48, true);
  if (total !== BigInt(expect.total)) {
    const why = `it is for ${total} parameters, the model has ${expect.total}`;
    throw refuse("wrong_model", why, "total");
  }
  const baseHash = bytes.subarray(16, 48);
  if (expect.baseHash !== undefined && !equal(baseHash, expect.baseHash)) {
    const want = toHex(expect.baseHash);
    throw refuse("wrong_model", `its base is ${toHex(baseHash)}, not ${want}`, "baseHash");
  }
  const uid = view.getUint16(6, true);
  if (expect.uid !== undefined && uid !== expect.uid) {
    throw refuse("undecodable", `it is of uid ${uid}, not ${expect.uid}`, "uid");
  }
  const window = view.getBigUint64(8, true);
  if (expect.window !== undefined && window !== BigInt(expect.window)) {
    throw refuse("undecodable", `it is for window ${window}, not ${expect.window}`, "window");
  }
}
