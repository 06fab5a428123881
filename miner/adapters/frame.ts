/**
 * The sidecar's binary dialect: a frame is an u32le length, a JSON object of that length, then raw little-endian
 * data to the end.
 *
 * @module
 */
import { type Bytes, concat, u32le, utf8 } from "../../enclave/protocol/bytes.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";

/** Longest JSON object of a frame, in bytes. */
export const MAX_META: number = 1 << 16;

/** A frame, taken apart. */
export interface Frame {
  /** The JSON object. */
  readonly meta: Readonly<Record<string, unknown>>;
  /** What follows it: a view. */
  readonly data: Bytes;
}

/** The bytes of a frame. */
export function encodeFrame(
  meta: Readonly<Record<string, unknown>>,
  data: Uint8Array = new Uint8Array(),
): Bytes {
  const head = utf8(JSON.stringify(meta));
  if (head.length > MAX_META) {
    throw new RangeError(`Cannot encode a frame as its object has more than ${MAX_META} bytes`);
  }
  return concat(u32le(head.length), head, data);
}

/**
 * Take a frame apart.
 *
 * @throws {Refusal} `bad_frame`.
 */
export function decodeFrame(bytes: Bytes): Frame {
  const refuse = (why: string) => new Refusal("bad_frame", `Cannot read a frame: ${why}`);
  if (bytes.length < 4) throw refuse(`it has ${bytes.length} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (length > MAX_META || 4 + length > bytes.length) {
    throw refuse(`its object would have ${length} bytes`);
  }
  const meta = parseObject(bytes.subarray(4, 4 + length));
  if (meta === undefined) throw refuse("its head is no JSON object");
  return { meta, data: bytes.subarray(4 + length) };
}

/** The JSON object in `bytes`, or undefined. */
export function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

/** `values` as little-endian binary32: a view, since every platform of ours is little endian. */
export function bytesOf(values: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * Little-endian binary32 from bytes: a copy.
 *
 * @throws {Refusal} `wrong_size` where it is not `total` elements.
 */
export function floatsOf(data: Bytes, total: number): Float32Array<ArrayBuffer> {
  if (data.length !== 4 * total) {
    throw new Refusal("wrong_size", `${data.length} bytes are not ${total} float32 values`);
  }
  return new Float32Array(data.slice().buffer);
}
