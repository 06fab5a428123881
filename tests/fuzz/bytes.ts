/**
 * Changes to bytes that know nothing of their structure.
 *
 * @module
 */
import { type Bytes, concat } from "../../enclave/protocol/bytes.ts";
import type { Random } from "./random.ts";

/** Values at which decoders turn: lengths, signs, heads of CBOR and DER. */
const EDGES = [0x00, 0x01, 0x1f, 0x30, 0x3f, 0x40, 0x58, 0x5f, 0x7f, 0x80, 0x82, 0x9f, 0xbf, 0xff];
/** A mutant is at most so much longer than what it was made from. */
const MAX_INSERT = 64;

/** `input` after one to eight changes: bits, bytes, runs cut out, doubled, moved or put in. */
export function mutateBytes(input: Uint8Array, random: Random): Bytes {
  let out: Bytes = new Uint8Array(input);
  for (let changes = 1 + random.below(random.pick([1, 1, 2, 8])); changes > 0; changes--) {
    out = change(out, random);
  }
  return out;
}

function change(input: Bytes, random: Random): Bytes {
  if (input.length === 0) return random.bytes(1 + random.below(8));
  const at = random.below(input.length);
  const run = Math.min(input.length - at, 1 + random.below(random.pick([1, 4, MAX_INSERT])));
  const [head, middle, tail] = [
    input.subarray(0, at),
    input.subarray(at, at + run),
    input.subarray(at + run),
  ];
  switch (random.below(9)) {
    case 0:
      return put(input, at, input[at]! ^ (1 << random.below(8)));
    case 1:
      return put(input, at, random.below(256));
    case 2:
      return put(input, at, random.pick(EDGES));
    case 3:
      return put(input, at, input[at]! + random.pick([1, 255])); // a length off by one
    case 4:
      return concat(head, tail);
    case 5:
      return concat(head, middle, middle, tail);
    case 6:
      return concat(head, random.bytes(run), middle, tail);
    case 7: {
      const to = random.below(head.length + 1);
      return concat(head.subarray(0, to), middle, head.subarray(to), tail);
    }
    default:
      return concat(head); // cut short
  }
}

function put(input: Bytes, at: number, value: number): Bytes {
  const out = new Uint8Array(input);
  out[at] = value;
  return out;
}
