/**
 * Updates with the shape of gradients, for what costs the same whatever the values mean.
 *
 * @module
 */
import type { SparseUpdate } from "../../enclave/model/update.ts";
import { uniform } from "./figures.ts";

/** `k` of `total` entries at random places, ascending; values of many magnitudes, all below 0.001. */
export function randomUpdate(total: number, k: number, seed: number): SparseUpdate {
  const draw = uniform(seed);
  const chosen = new Set<number>();
  while (chosen.size < k) chosen.add(Math.floor(draw() * total));
  return {
    total,
    indices: Uint32Array.from(chosen).sort(),
    values: Float32Array.from({ length: k }, () => 0.03 * (draw() - 0.5) ** 5 || 1e-6),
  };
}
