/**
 * Ratings as the ledger keeps them: unsigned 64-bit integers in units of 1e-6. Mu can be negative, so 2^63 is
 * added to it; it is rounded down. Sigma is rounded up: rounding never makes a rating better than it was.
 *
 * The way there and back changes nothing: `toFixed(fromFixed(x)) = x`. (A bare floor would lose a unit on every
 * fiftieth number, since most millionths are no binary64.)
 *
 * @module
 */

const UNITS = 1e6;
const BIAS = 1n << 63n;
/** Below this the nearest whole number of units is found without doubt: binary64 has bits to spare. */
const MAX_UNITS = 2 ** 50;

/** Mu of a player who has not played: 25. */
export const DEFAULT_MU_FIXED: bigint = BIAS + 25_000_000n;
/** Sigma of a player who has not played: 25/3, rounded up. */
export const DEFAULT_SIGMA_FIXED = 8_333_334n;

/**
 * The mu that the ledger's number stands for, as the nearest binary64.
 *
 * @throws {RangeError} where it is 2^50 units or more away from 0.
 */
export function muFromFixed(fixed: bigint): number {
  return safe(Number(fixed - BIAS), "mu") / UNITS;
}

/**
 * The ledger's number for `mu`: floor(mu · 10^6) + 2^63.
 *
 * @throws {RangeError} where mu is not finite or 2^50 units or more away from 0.
 */
export function muToFixed(mu: number): bigint {
  return BigInt(safe(toUnits(mu, Math.floor), "mu")) + BIAS;
}

/**
 * The sigma that the ledger's number stands for, as the nearest binary64.
 *
 * @throws {RangeError} where it is 0 or 2^50 units or more.
 */
export function sigmaFromFixed(fixed: bigint): number {
  return positive(safe(Number(fixed), "sigma")) / UNITS;
}

/**
 * The ledger's number for `sigma`: ceil(sigma · 10^6).
 *
 * @throws {RangeError} where sigma is not above 0, or 2^50 units or more.
 */
export function sigmaToFixed(sigma: number): bigint {
  return BigInt(positive(safe(toUnits(sigma, Math.ceil), "sigma")));
}

/** `value` in units, by `round` unless it is the binary64 of a whole number of them. */
function toUnits(value: number, round: (units: number) => number): number {
  const nearest = Math.round(value * UNITS);
  return nearest / UNITS === value ? nearest : round(value * UNITS);
}

function safe(units: number, name: string): number {
  if (!(Math.abs(units) < MAX_UNITS)) {
    throw new RangeError(`Cannot convert a rating as '${name}' is out of range: ${units} units`);
  }
  return units;
}

function positive(units: number): number {
  if (units < 1) {
    throw new RangeError(`Cannot convert a rating as 'sigma' must be above 0: ${units} units`);
  }
  return units;
}
