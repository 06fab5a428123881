/**
 * A window as its page shows it. Pure: the server builds it from the ledger, the page builds it again from a
 * verified receipt, and the two must be the same.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { WindowContext } from "../../enclave/protocol/commit.ts";
import {
  decodeOutcome,
  decodeReport,
  type Metric,
  type Report,
  type ReportEntry,
} from "../../enclave/protocol/report.ts";
import { scoreOf, type SettledRow } from "../../enclave/protocol/settle.ts";
import { hasMetrics, VERDICT, verdictName } from "../../enclave/protocol/verdict.ts";
import type { Deadlines } from "../../enclave/protocol/window.ts";
import type {
  Address,
  Payout,
  RecordRow,
  RevealRow,
  Settlement,
  ValidatorRow,
  WindowMessages,
  WindowStatus,
} from "../ledger/ledger.ts";

/** Losses further than this from the median (1e-6 nats) count against a validator: design §2.10. */
export const FAR = 5;

/** What a detail is built from: of a `WindowView`, or of a receipt. */
export interface DetailSource {
  /** N. */
  readonly window: number;
  /** Where it stands. */
  readonly status: WindowStatus;
  /** Why it was skipped. */
  readonly skipReason: string | null;
  /** Its moments. */
  readonly deadlines: Deadlines;
  /** What its digest binds. */
  readonly context: WindowContext;
  /** The digest. */
  readonly digest: Bytes;
  /** Gradients. */
  readonly reveals: readonly Omit<RevealRow, "generation">[];
  /** Stakes. */
  readonly snapshot: readonly Pick<ValidatorRow, "uid" | "owner" | "stake">[];
  /** Once settled. */
  readonly settled: Settlement | null;
  /** Once paid. */
  readonly payout: Payout | null;
}

/** A gradient and what became of it. Losses are 1e-6 nats. */
export interface GradientDetail {
  /** The miner's slot. */
  readonly uid: number;
  /** Who is paid. */
  readonly owner: Address;
  /** Number of its commit. */
  readonly commitSeq: number;
  /** SHA-256 of the gradient. */
  readonly contentHash: Bytes;
  /** Bytes. */
  readonly size: number;
  /** How it is encoded. */
  readonly codec: number;
  /** Where it lies: whatever its miner wrote. */
  readonly ref: string;
  /** The settled verdict, or null before. */
  readonly verdict: string | null;
  /** Loss on its own pages before. */
  readonly ownBefore: Metric;
  /** And after. */
  readonly ownAfter: Metric;
  /** Loss on the random pages after. */
  readonly randomAfter: Metric;
  /** Fall of the loss on the random pages, or null where unmeasured. */
  readonly score: number | null;
  /** Own-versus-random average after the window, or null before it is settled. */
  readonly average: number | null;
  /** Weight of the pay, or null before. */
  readonly weight: bigint | null;
  /** VRAM, 1e-9. */
  readonly reward: bigint | null;
  /** Rating after the window, 1e-6. */
  readonly mu: number | null;
  /** Its uncertainty. */
  readonly sigma: number | null;
}

/** A validator's part in a window, beside what was settled. */
export interface ValidatorDetail {
  /** The slot. */
  readonly uid: number;
  /** Whose it is. */
  readonly owner: Address;
  /** MIST. */
  readonly stake: bigint;
  /** Key of its report, or of its outcome. */
  readonly key: Bytes | null;
  /** When its report came. */
  readonly reportMs: number | null;
  /** When its outcome came. */
  readonly outcomeMs: number | null;
  /** Loss of the base that it measured. */
  readonly randomBefore: Metric;
  /** Entries of its report. */
  readonly entries: number;
  /** Of them those with the settled verdict. */
  readonly same: number;
  /** Of them those that it did not measure. */
  readonly abstained: number;
  /** Of them those further than {@link FAR} from the median. */
  readonly far: number;
  /** Its largest distance from a median, or null. */
  readonly largest: Metric;
  /** Merged manifest that it signed, or null. */
  readonly manifestHash: Bytes | null;
  /** Whether its report counted for pay, or null before. */
  readonly counted: boolean | null;
  /** VRAM, 1e-9. */
  readonly reward: bigint | null;
}

/** See the module. */
export interface WindowDetail extends
  Pick<
    DetailSource,
    "window" | "status" | "skipReason" | "deadlines" | "context" | "digest"
  > {
  /** Once settled. */
  readonly settledDigest: Bytes | null;
  /** Median loss of the base on the random pages. */
  readonly randomBefore: Metric;
  /** By uid. */
  readonly gradients: readonly GradientDetail[];
  /** By uid. */
  readonly validators: readonly ValidatorDetail[];
  /** VRAM issued, the merge and its losses; null before. */
  readonly payout: Omit<Payout, "miners" | "validators"> | null;
}

/** Build the detail. */
export function windowDetail(source: DetailSource, messages: WindowMessages): WindowDetail {
  const { context, deadlines, digest, payout, skipReason, status, window } = source;
  const settled = status === "skipped" ? null : source.settled;
  const rows = byUid(settled?.rows ?? []);
  const records = byUid(settled?.records ?? []);
  const paid = byUid(payout?.miners ?? []);
  const before = settled?.randomBefore ?? null;
  const { issued, currentLoss, mergedHash, mergedLoss } = payout ?? {};
  return {
    window,
    status,
    skipReason,
    deadlines,
    context,
    digest,
    settledDigest: settled?.digest ?? null,
    randomBefore: before,
    gradients: [...source.reveals].sort((a, b) => a.uid - b.uid).map((reveal) =>
      gradient(reveal, before, rows.get(reveal.uid), records.get(reveal.uid), paid.get(reveal.uid))
    ),
    validators: source.snapshot.map((seat) => validator(seat, source, rows, messages)),
    payout: payout === null ? null : {
      issued: issued!,
      mergedHash: mergedHash!,
      currentLoss: currentLoss!,
      mergedLoss: mergedLoss!,
    },
  };
}

function byUid<T extends { readonly uid: number }>(rows: readonly T[]): Map<number, T> {
  return new Map(rows.map((row) => [row.uid, row]));
}

function gradient(
  reveal: Omit<RevealRow, "generation">,
  before: Metric,
  row: SettledRow | undefined,
  record: RecordRow | undefined,
  paid: Payout["miners"][number] | undefined,
): GradientDetail {
  const { codec, commitSeq, contentHash, owner, ref, size, uid } = reveal;
  const scored = row !== undefined && hasMetrics(row.verdict);
  return {
    uid,
    owner,
    commitSeq,
    contentHash,
    size,
    codec,
    ref,
    verdict: row === undefined ? null : verdictName(row.verdict) ?? "unknown",
    ownBefore: row?.ownBefore ?? null,
    ownAfter: row?.ownAfter ?? null,
    randomAfter: row?.randomAfter ?? null,
    score: scored ? scoreOf(before, row.randomAfter) : null,
    average: record?.average ?? null,
    weight: paid?.weight ?? null,
    reward: paid?.reward ?? null,
    mu: paid?.mu ?? null,
    sigma: paid?.sigma ?? null,
  };
}

function validator(
  { owner, stake, uid }: DetailSource["snapshot"][number],
  { payout }: DetailSource,
  rows: ReadonlyMap<number, SettledRow>,
  messages: WindowMessages,
): ValidatorDetail {
  const report = messages.reports.find((row) => row.validator === uid);
  const outcome = messages.outcomes.find((row) => row.validator === uid);
  const paid = payout?.validators.find((row) => row.uid === uid);
  const told = report === undefined ? null : decodeReport(report.message);
  return {
    uid,
    owner,
    stake,
    key: report?.key ?? outcome?.key ?? null,
    reportMs: report?.atMs ?? null,
    outcomeMs: outcome?.atMs ?? null,
    randomBefore: told?.randomBefore ?? null,
    ...agreement(told, rows),
    manifestHash: outcome === undefined ? null : decodeOutcome(outcome.message).manifestHash,
    counted: paid?.counted ?? null,
    reward: paid?.reward ?? null,
  };
}

type Agreement = Pick<ValidatorDetail, "entries" | "same" | "abstained" | "far" | "largest">;

function agreement(told: Report | null, rows: ReadonlyMap<number, SettledRow>): Agreement {
  const entries = told?.entries ?? [];
  const distances = entries.flatMap((entry) => distance(entry, rows.get(entry.uid)) ?? []);
  return {
    entries: entries.length,
    same: entries.filter(({ uid, verdict }) => isSame(verdict, rows.get(uid)?.verdict)).length,
    abstained: entries.filter(({ verdict }) => verdict === VERDICT.unavailable).length,
    far: distances.filter((one) => one > FAR).length,
    largest: distances.length === 0 ? null : Math.max(...distances),
  };
}

/** Whether a judge's verdict is what was settled: `ok` settles as one of three. */
export function isSame(told: number, settled: number | undefined): boolean {
  if (settled === undefined) return false;
  return told === VERDICT.ok ? hasMetrics(settled) : told === settled;
}

/** How far an entry's losses are from the medians, at most; null where either has none. */
function distance(entry: ReportEntry, row: SettledRow | undefined): Metric {
  if (row === undefined || entry.randomAfter === null || row.randomAfter === null) return null;
  return Math.max(
    Math.abs(entry.ownBefore! - row.ownBefore!),
    Math.abs(entry.ownAfter! - row.ownAfter!),
    Math.abs(entry.randomAfter - row.randomAfter),
  );
}

/** What every judge said of one gradient. */
export interface GradientReport extends Omit<ReportEntry, "uid" | "verdict"> {
  /** The validator's slot. */
  readonly validator: number;
  /** MIST. */
  readonly stake: bigint;
  /** Its verdict's name. */
  readonly verdict: string;
  /** Whether that was settled. */
  readonly same: boolean;
}

/** What every judge said of `uid`'s gradient, in order of arrival. */
export function gradientReports(
  source: DetailSource,
  { reports }: WindowMessages,
  uid: number,
): GradientReport[] {
  const row = source.settled?.rows.find((settled) => settled.uid === uid);
  return reports.flatMap(({ message, validator }) => {
    const entry = decodeReport(message).entries.find((one) => one.uid === uid);
    if (entry === undefined) return [];
    const { ownAfter, ownBefore, randomAfter, verdict } = entry;
    const stake = source.snapshot.find((seat) => seat.uid === validator)?.stake ?? 0n;
    return [{
      validator,
      stake,
      verdict: verdictName(verdict) ?? "unknown",
      same: isSame(verdict, row?.verdict),
      ownBefore,
      ownAfter,
      randomAfter,
    }];
  });
}
