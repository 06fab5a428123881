/**
 * Which blocks of a gradient are sent, and how many entries of each: many of a few, or few of all.
 *
 * @module
 */

/** How many times the share of a whole block that is sent is tried. */
export const DENSITIES = [1, 2, 4, 8, 16] as const;

/** Halvings of the interval in which the price of an entry is looked for. */
const ROUNDS = 48;

/** What a block would send at each density. */
export interface BlockEnergies {
  /** Entries. */
  readonly counts: readonly number[];
  /** Their sum of squares. */
  readonly energies: readonly number[];
}

/** What is sent of a matrix. */
export interface ChosenBlocks {
  /** The density of all its blocks. */
  readonly times: number;
  /** 1 for each block that is sent, else 0. */
  readonly sent: Uint8Array<ArrayBuffer>;
}

/** The density of a matrix at which its blocks have the most energy above a price per entry, and their entries. */
function densityAt(blocks: readonly BlockEnergies[], price: number): [number, number] {
  let [best, most, entries] = [0, 0, 0];
  for (const density of DENSITIES.keys()) {
    let [gain, sum] = [0, 0];
    for (const { counts, energies } of blocks) {
      const more = energies[density]! - price * counts[density]!;
      if (more <= 0) continue;
      gain += more;
      sum += counts[density]!;
    }
    if (gain > most) [best, most, entries] = [density, gain, sum];
  }
  return [best, entries];
}

/**
 * For each of `matrices` a density and the blocks to send, so that all of them have much energy within `budget`
 * entries: the densities are those of the lowest price per entry that keeps within it (Lagrange), then the blocks
 * with the most energy per entry are taken while they fit. A block without any is not sent.
 */
export function chooseBlocks(
  matrices: readonly (readonly BlockEnergies[])[],
  budget: number,
): ChosenBlocks[] {
  const all = matrices.flat();
  let low = 0;
  let high = 1 + all.reduce((most, { energies }) => Math.max(most, energies.at(-1)!), 0);
  for (let round = 0; round < ROUNDS; round++) {
    const price = (low + high) / 2;
    const entries = matrices.reduce((sum, blocks) => sum + densityAt(blocks, price)[1], 0);
    if (entries > budget) low = price;
    else high = price;
  }
  const densities = matrices.map((blocks) => densityAt(blocks, high)[0]);
  const ranked = matrices.flatMap((blocks, matrix) =>
    blocks.map(({ counts, energies }, block) => {
      const count = counts[densities[matrix]!]!;
      return { matrix, block, count, worth: energies[densities[matrix]!]! / count };
    })
  ).filter(({ worth }) => worth > 0).sort((a, b) => b.worth - a.worth);
  const chosen = matrices.map((blocks, matrix): ChosenBlocks => ({
    times: DENSITIES[densities[matrix]!]!,
    sent: new Uint8Array(blocks.length),
  }));
  let left = budget;
  for (const { matrix, block, count } of ranked) {
    if (count > left) continue;
    left -= count;
    chosen[matrix]!.sent[block] = 1;
  }
  return chosen;
}
