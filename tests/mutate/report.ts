/**
 * What mutation testing found, from Stryker's JSON report (mutation-testing-report-schema).
 *
 * @module
 */

/** The part of a report that is read here. */
export interface MutationReport {
  /** By path. */
  readonly files: Readonly<Record<string, { readonly mutants: readonly Mutant[] }>>;
}

/** One change of the code. */
export interface Mutant {
  /** The kind of change. */
  readonly mutatorName: string;
  /** What it puts there. */
  readonly replacement?: string;
  /** `Killed` or `Timeout` where a test noticed, `Ignored` where nobody looked, anything else: it survived. */
  readonly status: string;
  /** Of an ignored one: the reason in the code's comment `Stryker disable next-line MUTATOR: REASON`. */
  readonly statusReason?: string;
  /** Where it begins, both from 1. */
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
}

/** How the mutants of one file, or of all, fared. */
export interface Tally {
  /** Noticed by a test. */
  killed: number;
  /** Cannot be noticed, and a comment in the code says why. */
  explained: number;
  /** Not noticed. */
  survived: number;
}

/** Numbers by path, and what a person must look at. */
export interface Summary {
  /** By path, sorted. */
  readonly files: ReadonlyMap<string, Tally>;
  /** All of them. */
  readonly total: Tally;
  /** One line for each explained mutant, with its reason, and each that survived. */
  readonly remarks: readonly string[];
}

/** Count the mutants of `report`, but those of the kinds `left` out. */
export function summarise(report: MutationReport, left: readonly string[]): Summary {
  const files = new Map<string, Tally>();
  const total: Tally = { killed: 0, explained: 0, survived: 0 };
  const remarks: string[] = [];
  for (const path of Object.keys(report.files).sort()) {
    const tally: Tally = { killed: 0, explained: 0, survived: 0 };
    for (const mutant of report.files[path]!.mutants) {
      if (left.includes(mutant.mutatorName)) continue;
      const fate = fateOf(mutant);
      tally[fate]++;
      total[fate]++;
      if (fate !== "killed") remarks.push(remark(path, mutant, fate));
    }
    files.set(path, tally);
  }
  return { files, total, remarks };
}

function fateOf({ status, statusReason = "" }: Mutant): keyof Tally {
  if (status === "Killed" || status === "Timeout") return "killed";
  return status === "Ignored" && statusReason !== "" ? "explained" : "survived";
}

function remark(path: string, mutant: Mutant, fate: keyof Tally): string {
  const { line, column } = mutant.location.start;
  const change = (mutant.replacement ?? "").replace(/\s+/g, " ").slice(0, 80);
  const why = fate === "explained" ? `: ${mutant.statusReason}` : "";
  return `${fate} ${path}:${line}:${column} ${mutant.mutatorName} to '${change}'${why}`;
}

/** A table, a line a file, the remarks and the score: the share of killed among those not explained. */
export function summaryText({ files, total, remarks }: Summary): string {
  const row = (name: string, { killed, explained, survived }: Tally) =>
    [killed + explained + survived, killed, explained, survived]
      .reduce((text, count) => text + String(count).padStart(10), name.padEnd(32));
  const { killed } = total;
  const tested = killed + total.survived;
  return [
    `${"file".padEnd(32)}   mutants    killed explained  survived`,
    ...[...files].map(([path, tally]) => row(path, tally)),
    row("all", total),
    "",
    ...remarks,
    tested === 0
      ? "score: none, nothing was mutated"
      : `score: ${(100 * killed / tested).toFixed(1)} % (${killed} of ${tested})`,
  ].join("\n");
}
