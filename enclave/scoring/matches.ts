/**
 * Matches: the miners of a window, shuffled by the beacon and dealt into groups of four or fewer.
 *
 * @module
 */

/** Most miners in a match; a virtual player comes on top. */
export const MATCH_SIZE = 4;

/**
 * Deal `uids` into ceil(n / 4) matches whose sizes differ by at most one. The uids are put in ascending order,
 * shuffled (Fisher–Yates from the last place down: place i swaps with `draw(i + 1)`), and dealt like cards: the
 * j-th goes to match j mod ceil(n / 4). So the deal depends on the set of uids and the draws alone.
 *
 * `draw(bound)` gives an unbiased integer in 0 … bound − 1.
 *
 * @throws {RangeError} where a uid is no u16 or there twice, or a draw is out of its range.
 */
export function dealMatches(uids: readonly number[], draw: (bound: number) => number): number[][] {
  const deck = [...uids].sort((a, b) => a - b);
  deck.forEach((uid, j) => {
    if (!Number.isInteger(uid) || uid < 0 || uid > 0xffff || uid === deck[j - 1]) {
      throw new RangeError(
        `Cannot deal matches as a uid is not valid or there twice: it is ${uid}`,
      );
    }
  });
  for (let i = deck.length - 1; i > 0; i--) {
    const other = draw(i + 1);
    if (!Number.isInteger(other) || other < 0 || other > i) {
      throw new RangeError(`Cannot deal matches as a draw below ${i + 1} gave ${other}`);
    }
    [deck[i], deck[other]] = [deck[other]!, deck[i]!];
  }
  const count = Math.ceil(deck.length / MATCH_SIZE);
  return Array.from({ length: count }, (_, match) => deck.filter((_, j) => j % count === match));
}
