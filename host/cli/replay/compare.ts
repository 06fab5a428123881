/**
 * Compares what a judge signed with what the same program says again. Key, uid and timestamp are the judge's
 * own; all else must be the same bytes on a CPU with the same features. On another kind of CPU the last bits
 * of a loss differ: there a metric may lie a few units (1e-6 nats) off, and nothing else may.
 *
 * @module
 */
import { type Bytes, equal, toHex } from "../../../enclave/protocol/bytes.ts";
import {
  decodeOutcome,
  decodeReport,
  encodeOutcome,
  encodeReport,
  type Metric,
} from "../../../enclave/protocol/report.ts";
import { verdictName } from "../../../enclave/protocol/verdict.ts";

/** The first thing that differs. */
export interface Difference {
  /** Whose entry; null for what is everybody's. */
  readonly uid: number | null;
  /** The field of the message. */
  readonly field: string;
  /** What was signed. */
  readonly signed: string;
  /** What came out again. */
  readonly again: string;
}

/** How two messages compare. */
export type Comparison =
  /** But for key, uid and timestamp. */
  | { readonly kind: "same_bytes" }
  /** Every metric lies at most `units` off. */
  | { readonly kind: "within"; readonly units: number; readonly first: Difference }
  /** Something else differs, or a metric by more. */
  | { readonly kind: "differs"; readonly first: Difference };

interface Field {
  readonly uid: number | null;
  readonly name: string;
  readonly value: string | Metric;
  /** Measured: may lie off by the tolerance. */
  readonly metric: boolean;
}

const exact = (uid: number | null, name: string, value: string | Metric): Field => ({
  uid,
  name,
  value,
  metric: false,
});
const metric = (uid: number | null, name: string, value: Metric): Field => ({
  uid,
  name,
  value,
  metric: true,
});

/** Compare a signed report with the one that came out again; `tolerance` is in 1e-6 nats. */
export function compareReports(signed: Bytes, again: Bytes, tolerance: number): Comparison {
  const was = decodeReport(signed);
  const is = decodeReport(again);
  const { validator, timestampMs } = was;
  if (equal(signed, encodeReport({ ...is, validator, timestampMs }))) return { kind: "same_bytes" };
  const fields = (report: typeof was): Field[] => [
    ...headOf(report),
    exact(null, "window_digest", toHex(report.windowDigest)),
    metric(null, "random_before", report.randomBefore),
    ...report.entries.flatMap(({ uid, verdict, ownBefore, ownAfter, randomAfter }) => [
      exact(uid, "verdict", verdictName(verdict) ?? verdict),
      metric(uid, "own_before", ownBefore),
      metric(uid, "own_after", ownAfter),
      metric(uid, "random_after", randomAfter),
    ]),
  ];
  return compare(fields(was), fields(is), tolerance);
}

/** Compare a signed outcome with the one that came out again. */
export function compareOutcomes(signed: Bytes, again: Bytes, tolerance: number): Comparison {
  const was = decodeOutcome(signed);
  const is = decodeOutcome(again);
  const { validator, timestampMs } = was;
  if (equal(signed, encodeOutcome({ ...is, validator, timestampMs }))) {
    return { kind: "same_bytes" };
  }
  const fields = (outcome: typeof was): Field[] => [
    ...headOf(outcome),
    exact(null, "settled_digest", toHex(outcome.settledDigest)),
    ...outcome.ratings.flatMap(({ uid, mu, sigma }) => [
      exact(uid, "mu", mu),
      exact(uid, "sigma", sigma),
    ]),
    exact(null, "manifest_hash", outcome.manifestHash && toHex(outcome.manifestHash)),
    metric(null, "current_loss", outcome.currentLoss),
    metric(null, "merged_loss", outcome.mergedLoss),
  ];
  return compare(fields(was), fields(is), tolerance);
}

function headOf(head: { chainId: Bytes; ledgerId: Bytes; window: number }): Field[] {
  return [
    exact(null, "chain_id", toHex(head.chainId)),
    exact(null, "ledger_id", toHex(head.ledgerId)),
    exact(null, "window", head.window),
  ];
}

function compare(was: readonly Field[], is: readonly Field[], tolerance: number): Comparison {
  let within: { units: number; first: Difference } | undefined;
  for (let i = 0; i < Math.max(was.length, is.length); i++) {
    const [a, b] = [was[i], is[i]];
    if (a?.uid === b?.uid && a?.name === b?.name && a?.value === b?.value) continue;
    const { uid, name } = (a ?? b)!;
    const aligned = a?.uid === b?.uid && a?.name === b?.name;
    const first: Difference = {
      uid,
      field: name,
      signed: `${a?.value ?? "nothing"}`,
      again: `${(aligned ? b : undefined)?.value ?? "nothing"}`,
    };
    const units = aligned && a!.metric && typeof a!.value === "number" &&
        typeof b!.value === "number"
      ? Math.abs(a!.value - b!.value)
      : Infinity;
    if (units > tolerance) return { kind: "differs", first };
    within = { units: Math.max(units, within?.units ?? 0), first: within?.first ?? first };
  }
  if (within === undefined) throw new TypeError("Cannot compare: other bytes with the same fields");
  return { kind: "within", ...within };
}

/** One line about a difference. */
export function differenceText({ uid, field, signed, again }: Difference): string {
  const where = uid === null ? field : `uid ${uid}, ${field}`;
  return `${where}: signed ${signed}, again ${again}`;
}
