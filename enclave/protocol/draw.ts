/**
 * Draws: unbiased integers from SHA-256 in counter mode, by rejection.
 *
 * @module
 */
import { type Bytes, u32le, u64le } from "./bytes.ts";
import { sha256, tagged } from "./hash.ts";

/** What is drawn from the judge's beacon; each has a stream of its own. */
export type DrawKind = "random" | "slice" | "sample" | "match";

/** A stream of unbiased integers: each call gives one in `0..bound-1`. */
export type Draw = (bound: number) => number;

function stream(block: (counter: Bytes) => Bytes): Draw {
  let counter = 0;
  return (bound) => {
    if (!Number.isSafeInteger(bound) || bound < 1) {
      throw new RangeError(`Cannot draw below ${bound}: the bound must be a positive integer`);
    }
    const wide = BigInt(bound);
    const limit = (1n << 64n) / wide * wide; // the largest multiple: what lies above it is drawn again
    for (;;) {
      const bytes = block(u32le(counter++));
      const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
      if (value < limit) return Number(value % wide);
    }
  };
}

/** `SHA-256(seed ‖ counter u32le)` as u64le: the stream of an assignment. */
export function drawFromSeed(seed: Uint8Array): Draw {
  return stream((counter) => sha256(seed, counter));
}

/** `SHA-256("vramhub/{kind}/v1" ‖ ledger id ‖ N u64le ‖ beacon ‖ counter u32le)`: the streams of the judge's beacon. */
export function drawFromBeacon(
  kind: DrawKind,
  ledgerId: Uint8Array,
  window: number,
  beacon: Uint8Array,
): Draw {
  return stream((counter) =>
    tagged(`vramhub/${kind}/v1`, ledgerId, u64le(window), beacon, counter)
  );
}

/** `count` different integers in `0..bound-1`, in the order in which they were drawn. */
export function drawDistinct(draw: Draw, count: number, bound: number): number[] {
  if (count > bound) {
    throw new RangeError(`Cannot draw ${count} different values below ${bound}`);
  }
  const seen = new Set<number>();
  while (seen.size < count) seen.add(draw(bound));
  return [...seen];
}
