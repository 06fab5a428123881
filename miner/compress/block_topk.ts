/**
 * The largest of a few thousand values: a block's top-k, without a sort.
 *
 * @module
 */

const MAGNITUDE_MASK = 0x7fff_ffff;

/** Scratch space for blocks of up to `size` values. */
export class BlockTopK {
  readonly #keys: Uint32Array<ArrayBuffer>;

  /** For blocks of at most `size` values. */
  constructor(size: number) {
    this.#keys = new Uint32Array(size);
  }

  /**
   * Write the ascending places of the `k` largest magnitudes of `values` into `places`, which has `k` elements. Of
   * equal magnitudes at the threshold those with lower places are taken. Values are finite, k is 1 … their number.
   */
  select(values: Float32Array, places: Uint16Array): void {
    const k = places.length;
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const keys = this.#keys.subarray(0, values.length);
    for (let i = 0; i < bits.length; i++) keys[i] = bits[i]! & MAGNITUDE_MASK;
    const threshold = largest(keys, k);
    let ties = k;
    for (let i = 0; i < bits.length; i++) if ((bits[i]! & MAGNITUDE_MASK) > threshold) ties--;
    for (let i = 0, at = 0; at < k; i++) {
      const magnitude = bits[i]! & MAGNITUDE_MASK;
      if (magnitude < threshold || (magnitude === threshold && ties-- <= 0)) continue;
      places[at++] = i;
    }
  }
}

/** The k-th largest of `keys`, which are moved (Hoare's FIND, with the middle one as the pivot). */
function largest(keys: Uint32Array, k: number): number {
  const target = k - 1;
  let [left, right] = [0, keys.length - 1];
  while (left < right) {
    const pivot = keys[(left + right) >>> 1]!;
    let [i, j] = [left, right];
    while (i <= j) {
      while (keys[i]! > pivot) i++;
      while (keys[j]! < pivot) j--;
      if (i <= j) {
        const swapped = keys[i]!;
        keys[i++] = keys[j]!;
        keys[j--] = swapped;
      }
    }
    if (target <= j) right = j;
    else if (target >= i) left = i;
    else break;
  }
  return keys[target]!;
}
