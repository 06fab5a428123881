/**
 * "Did you mean": the nearest of the words that would have been right.
 *
 * @module
 */

/** More differences than this are another word. */
const MAX_DISTANCE = 3;

/** The one of `words` that `wrong` is most likely a misspelling of, or undefined. */
export function nearest(wrong: string, words: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = MAX_DISTANCE + 1;
  for (const word of words) {
    const differences = distance(word, wrong);
    if (differences < least) [best, least] = [word, differences];
  }
  return best;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
