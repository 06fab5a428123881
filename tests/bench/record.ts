/**
 * A run's record: kept as JSON for each commit, and compared with an earlier one.
 *
 * @module
 */
import type { Figure } from "./figures.ts";
import { type Machine, sameMachine } from "./machine.ts";

/** What is kept of a run. */
export interface BenchRecord {
  /** Layout of this record. */
  readonly version: 1;
  /** The commit that was measured. */
  readonly commit: string;
  /** When the run began, ISO 8601. */
  readonly date: string;
  /** What it ran on. */
  readonly machine: Machine;
  /** Load averages over a minute before and after: above a few tenths, a neighbour was measured as well. */
  readonly load: readonly [before: number, after: number];
  /** What ran beside it, e.g. PyTorch's version and threads. */
  readonly beside: string | null;
  /** The figures, in the order in which they were measured. */
  readonly figures: readonly Figure[];
}

/** Read a record. @throws {TypeError} where `text` is none. */
export function parseRecord(text: string): BenchRecord {
  const fail = (why: string) => new TypeError(`Cannot read a bench's record: ${why}`);
  let record: BenchRecord;
  try {
    record = JSON.parse(text);
  } catch {
    throw fail("it is no JSON");
  }
  if (record?.version !== 1 || !Array.isArray(record.figures)) throw fail("its layout is unknown");
  const sound = record.figures.every(({ name, value }) =>
    typeof name === "string" && typeof value === "number"
  );
  if (!sound || !Array.isArray(record.machine?.flags)) throw fail("a field has a wrong type");
  return record;
}

/** Worse by more than this share is a regression: medians of a calm machine differ by less. */
export const TOLERANCE = 0.1;

/** A figure beside an earlier one. */
export interface Change {
  /** The figure's name. */
  readonly name: string;
  /** Earlier value. */
  readonly before: number;
  /** Value now. */
  readonly now: number;
  /** Change in its better direction as a share: negative is worse. */
  readonly gain: number;
  /** Whether it is worse by more than {@linkcode TOLERANCE}. */
  readonly regressed: boolean;
}

/** The figures that both records have. */
export function compareRecords(now: BenchRecord, before: BenchRecord): Change[] {
  const earlier = new Map(before.figures.map((figure) => [figure.name, figure]));
  return now.figures.flatMap(({ name, value, better }) => {
    const old = earlier.get(name)?.value;
    if (old === undefined) return [];
    const change = old === 0 ? (value === 0 ? 0 : Math.sign(value)) : value / old - 1;
    const gain = better === "less" ? -change : change;
    return [{
      name,
      before: old,
      now: value,
      gain,
      regressed: better !== "neither" && gain < -TOLERANCE,
    }];
  });
}

/** A comparison for people: regressions, improvements, and whether the machines differ. */
export function describeChanges(now: BenchRecord, before: BenchRecord): string {
  const changes = compareRecords(now, before);
  const line = ({ name, before, now, gain }: Change) =>
    `  ${name}: ${number(before)} → ${number(now)} (${gain < 0 ? "" : "+"}${
      (100 * gain).toFixed(0)
    } %)`;
  const worse = changes.filter(({ regressed }) => regressed);
  const better = changes.filter(({ name, gain }) =>
    gain > TOLERANCE &&
    now.figures.some((figure) => figure.name === name && figure.better !== "neither")
  );
  const lines = [`Against ${before.commit} of ${before.date}: ${changes.length} figures compared`];
  if (!sameMachine(now.machine, before.machine)) {
    lines.push(`  another machine (${before.machine.cpu}): the comparison says little`);
  }
  lines.push(worse.length === 0 ? "No regression" : `Regressions: ${worse.length}`);
  lines.push(...worse.map(line));
  if (better.length > 0) lines.push(`Improvements: ${better.length}`, ...better.map(line));
  return lines.join("\n");
}

/** Three significant digits, more for large integers. */
export function number(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const digits = Math.abs(value) >= 100
    ? 0
    : Math.abs(value) >= 10
    ? 1
    : Math.abs(value) >= 1
    ? 2
    : 3;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
