/**
 * Verdicts: what a judge says of a gradient, and what the ledger settles.
 *
 * @module
 */

/** A judge's word for one revealed gradient, as u8 on the wire. Everything but `ok`, `unavailable` and `not_sampled` is a refusal. */
export const VERDICT = {
  ok: 1,
  undecodable: 2,
  wrong_size: 3,
  wrong_model: 4,
  non_finite: 5,
  norm: 6,
  diverged: 7,
  zero: 8,
  duplicate: 9,
  overlap: 10,
  unavailable: 20,
  not_sampled: 21,
} as const;

/** What the ledger settles: an `ok` becomes one of three, a split jury `disputed`; refusals keep their code. */
export const SETTLED = {
  accepted: 30,
  not_better: 31,
  harmful: 32,
  disputed: 33,
} as const;

/** A name in {@link VERDICT}. */
export type VerdictName = keyof typeof VERDICT;
/** A name in {@link SETTLED}, or a verdict other than `ok`. */
export type SettledName = keyof typeof SETTLED | Exclude<VerdictName, "ok">;

const NAMES = new Map<number, VerdictName | keyof typeof SETTLED>();
for (const [name, code] of Object.entries(VERDICT)) NAMES.set(code, name as VerdictName);
for (const [name, code] of Object.entries(SETTLED)) NAMES.set(code, name as keyof typeof SETTLED);

/** The name of a code, or undefined. */
export function verdictName(code: number): VerdictName | keyof typeof SETTLED | undefined {
  return NAMES.get(code);
}

/** Whether a judge may report `code`. */
export function isVerdict(code: number): boolean {
  const name = NAMES.get(code);
  return name !== undefined && name in VERDICT;
}

/** Whether the judge looked at the gradient itself: `ok` and every refusal, but not an abstention. */
export function isMeasured(code: number): boolean {
  return isVerdict(code) && code !== VERDICT.unavailable && code !== VERDICT.not_sampled;
}

/** Whether the ledger may settle `code`: all but `ok`, which becomes one of three. */
export function isSettled(code: number): boolean {
  return NAMES.has(code) && code !== VERDICT.ok;
}

/** Whether a settled entry is rated: abstentions and disputes are not. */
export function isRated(settled: number): boolean {
  return isSettled(settled) && settled !== VERDICT.unavailable &&
    settled !== VERDICT.not_sampled && settled !== SETTLED.disputed;
}

/** Whether a settled entry carries metrics: it was `ok` for a majority. */
export function hasMetrics(settled: number): boolean {
  return settled === SETTLED.accepted || settled === SETTLED.not_better ||
    settled === SETTLED.harmful;
}
