/**
 * What was settled of a window, and what judges signed of it.
 *
 * @module
 */
import { INTENT, type Metric } from "../../../../enclave/protocol/report.ts";
import { AVERAGE_ZERO, nextAverage, type SettledRow } from "../../../../enclave/protocol/settle.ts";
import { hasMetrics } from "../../../../enclave/protocol/verdict.ts";
import type { RecordRow, Settlement, SignedRow, WindowMessages } from "../../ledger.ts";
import { SuiError } from "../errors.ts";
import type { Of } from "../layout/layout.ts";
import { PeerRegistryInner } from "../layout/peers.ts";
import type { Judgement, Origin, ScoreLedgerInner } from "../layout/scores.ts";
import type { StateReader } from "../state_reader.ts";

/** Settled rows of a chunk. */
const CHUNK = 64;
/** Windows back in which a miner's earlier average is looked for. */
const LOOK_BACK = 8;

/** The state of `score_ledger`. */
export type Scores = Of<typeof ScoreLedgerInner>;

interface SettledReveal {
  readonly row: SettledRow;
  readonly origin: Of<typeof Origin>;
}

/** Read what was settled of `window`. */
export async function readSettlement(
  reader: StateReader,
  scores: Scores,
  window: number,
  judgement: Of<typeof Judgement>,
): Promise<Settlement> {
  const rows = await readRows(reader, scores, window, judgement.cursor);
  const priors = await priorAverages(reader, scores, window, judgement, rows);
  return {
    randomBefore: judgement.random_before,
    rows: rows.map(({ row }) => row),
    records: rows.map(({ origin, row }, i): RecordRow => ({
      uid: row.uid,
      average: origin.average,
      priorAverage: priors[i]!,
      priorMeasured: origin.measured,
      priorAccepted: origin.accepted,
    })),
    digest: judgement.digest,
  };
}

async function readRows(
  reader: StateReader,
  scores: Scores,
  window: number,
  cursor: number,
): Promise<SettledReveal[]> {
  const keys = Array.from({ length: Math.ceil(cursor / CHUNK) }, (_, index) => ({ window, index }));
  const chunks = await reader.entries(scores.chunks, keys);
  const rows = chunks.flatMap((chunk) =>
    chunk === null ? [] : chunk.rows.map((row, i): SettledReveal => ({
      row: {
        uid: row.uid,
        verdict: row.verdict,
        ownBefore: row.own_before,
        ownAfter: row.own_after,
        randomAfter: row.random_after,
        priorMu: row.prior_mu,
        priorSigma: row.prior_sigma,
      },
      origin: chunk.origins[i]!,
    }))
  );
  if (rows.length !== cursor) {
    throw new SuiError(
      "torn_read",
      `Window ${window} has ${cursor} settled rows, ${rows.length} came`,
    );
  }
  return rows;
}

/**
 * The averages before the window. The contracts keep the average after it; the one before lies in the miner's
 * record until the outcome, then in the window in which the miner was settled last.
 */
async function priorAverages(
  reader: StateReader,
  scores: Scores,
  window: number,
  judgement: Of<typeof Judgement>,
  rows: readonly SettledReveal[],
): Promise<number[]> {
  const found = rows.map(({ origin, row }) => {
    if (!hasMetrics(row.verdict)) return origin.average; // nothing was added
    return origin.measured === 0 ? AVERAGE_ZERO : null; // nothing was there
  });
  const missing = () => rows.filter((_, i) => found[i] === null);
  const fill = (of: (entry: SettledReveal) => number | undefined) =>
    rows.forEach((entry, i) => found[i] ??= of(entry) ?? null);
  if (!judgement.rated && missing().length > 0) {
    const [peers] = await reader.inners(["peerRegistry", PeerRegistryInner]);
    const uids = missing().map(({ row }) => row.uid);
    const seats = new Map(
      (await reader.entries(peers.seats, uids)).map((seat, i) => [uids[i]!, seat] as const),
    );
    fill(({ origin, row }) => {
      const seat = seats.get(row.uid);
      if (seat == null) return undefined;
      if (seat.slot !== null && seat.generation === origin.generation) {
        return seat.slot.record.average;
      }
      return seat.former.find(({ generation }) => generation === origin.generation)?.record.average;
    });
  }
  for (let back = 1; back <= LOOK_BACK && window >= back && missing().length > 0; back++) {
    const earlier = await reader.entry(scores.windows, window - back);
    if (earlier?.rated !== true) continue;
    const before = await readRows(reader, scores, window - back, earlier.cursor);
    fill(({ origin, row }) =>
      before.find((other) =>
        other.row.uid === row.uid && other.origin.generation === origin.generation
      )?.origin.average
    );
  }
  fill(({ origin, row }) => inverse(origin.average, judgement.random_before, row));
  return found.map((average) => average!);
}

/**
 * The least average whose next one is `average`. There are at most two, one unit apart; where the window that
 * would tell lies further back than is looked, both pass every check of the settlement.
 */
function inverse(average: number, randomBefore: Metric, row: SettledRow): number | undefined {
  const near = Math.floor((20 * average - 2 * AVERAGE_ZERO) / 19);
  for (const base of [near, near + AVERAGE_ZERO / 19, near + 2 * AVERAGE_ZERO / 19]) {
    for (let step = -3; step <= 3; step++) {
      const prior = Math.floor(base) + step;
      const inside = prior >= 0 && prior <= 2 * AVERAGE_ZERO;
      if (inside && nextAverage(prior, randomBefore, row) === average) return prior;
    }
  }
  return undefined;
}

/** What judges signed of a window, each list in order of arrival. */
export async function readMessages(
  reader: StateReader,
  scores: Scores,
  window: number,
): Promise<WindowMessages> {
  const judgement = await reader.entry(scores.windows, window);
  const read = async (intent: number, validators: readonly number[]): Promise<SignedRow[]> => {
    const keys = validators.map((validator) => ({ window, intent, validator }));
    const found = await reader.entries(scores.messages, keys);
    return found.map((message, i) => {
      if (message === null) {
        throw new SuiError(
          "torn_read",
          `A message of window ${window} was pruned while it was read`,
        );
      }
      return {
        validator: validators[i]!,
        message: message.bytes,
        signature: message.signature,
        key: message.key,
        atMs: message.at_ms,
      };
    });
  };
  return {
    reports: await read(INTENT.report, judgement?.judges.map(({ uid }) => uid) ?? []),
    outcomes: await read(INTENT.outcome, judgement?.votes.map(({ validator }) => validator) ?? []),
  };
}
