/**
 * The order in which a job's training pages are gone over: every page once a pass, neighbours far apart, and the same
 * after a restart.
 *
 * @module
 */

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** A step of about the golden section of `pages` that meets every page. */
function stride(pages: number): number {
  let step = Math.max(1, Math.floor(pages * 0.6180339887));
  while (gcd(step, pages) !== 1) step++;
  return step;
}

/** Places `from` … `from + count - 1` of an endless walk over `pages` pages, as page numbers. */
export function pagesAt(pages: number, from: number, count: number): number[] {
  const step = BigInt(stride(pages));
  const wide = BigInt(pages);
  return Array.from({ length: count }, (_, i) => Number(BigInt(from + i) * step % wide));
}
