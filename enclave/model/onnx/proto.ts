/**
 * A protobuf writer (https://protobuf.dev/programming-guides/encoding/): the wire types that ONNX needs.
 *
 * @module
 */
import { type Bytes, concat, utf8 } from "../../protocol/bytes.ts";

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

function varint(value: bigint): Bytes {
  // Negative int64 values take ten bytes: two's complement in 64 bits.
  let rest = BigInt.asUintN(64, value);
  const out: number[] = [];
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return new Uint8Array(out);
}

function key(field: number, wireType: number): Bytes {
  return varint(BigInt(field * 8 + wireType));
}

/** One protobuf message under construction; fields keep the order in which they are added. */
export class Message {
  readonly #parts: Uint8Array[] = [];

  /** An `int64`, `int32` or enum field. */
  int(field: number, value: number | bigint): this {
    this.#parts.push(key(field, VARINT), varint(BigInt(value)));
    return this;
  }

  /** A `float` field: 4 bytes, little endian. */
  float(field: number, value: number): this {
    const raw = new Uint8Array(4);
    new DataView(raw.buffer).setFloat32(0, value, true);
    this.#parts.push(key(field, FIXED32), raw);
    return this;
  }

  /** A `bytes`, `string` or sub-message field. */
  bytes(field: number, value: Uint8Array | string | Message): this {
    const raw = typeof value === "string"
      ? utf8(value)
      : value instanceof Message
      ? value.finish()
      : value;
    this.#parts.push(key(field, LENGTH_DELIMITED), varint(BigInt(raw.length)), raw);
    return this;
  }

  /** The message's bytes. */
  finish(): Bytes {
    return concat(...this.#parts);
  }
}
