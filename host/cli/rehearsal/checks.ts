/**
 * Every check that a gradient will meet, tried before anybody is paid or refused by it: the couriers' filters, the
 * judge's own screening with its figures, and the judge itself, SIMULATED and in a process of its own. What it signs is
 * thrown away.
 *
 * @module
 */
import { openGradient } from "../../../enclave/model/merge.ts";
import type { ModelConfig } from "../../../enclave/model/presets.ts";
import { updateNorm } from "../../../enclave/model/update.ts";
import { type Bytes, equal } from "../../../enclave/protocol/bytes.ts";
import type { Reveal } from "../../../enclave/protocol/commit.ts";
import { timeOfRound } from "../../../enclave/protocol/drand.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { decodeReport, type Metric } from "../../../enclave/protocol/report.ts";
import { scoreOf, settleEntry } from "../../../enclave/protocol/settle.ts";
import { SETTLED, VERDICT, verdictName } from "../../../enclave/protocol/verdict.ts";
import { reportPayload } from "../../courier/request.ts";
import { measureSimulated } from "../../credentials/measure.ts";
import { fastEval, type Remark } from "../../filters/fast_eval.ts";
import type { WindowView } from "../../ledger/ledger.ts";
import { type BeaconSource, windowRandomness } from "../../ledger/randomness.ts";
import type { Base } from "../../store/bases.ts";
import type { PageSource } from "../../store/pages.ts";
import { Judges } from "../replay/judges.ts";
import type { Checked } from "../report/verify.ts";
import { ENCLAVE_DIR } from "../testmode/prepare.ts";

/** A gradient, and what its window says of it. */
export interface Rehearsal {
  /** The window; what others revealed in it is not looked at. */
  readonly view: WindowView;
  /** The gradient as it is, or would be, revealed. */
  readonly reveal: Reveal;
  /** Its bytes. */
  readonly bytes: Bytes;
  /** base(N). */
  readonly base: Base;
  /** The data. */
  readonly pages: PageSource;
  /** Randomness. */
  readonly beacon: BeaconSource;
  /** The model. */
  readonly model: ModelConfig;
  /** The time, in milliseconds. */
  readonly now: number;
  /** Ends the judge. */
  readonly signal: AbortSignal;
}

const FILTERS: readonly (readonly [Remark["filter"], string])[] = [
  ["liveness", "the object is not empty"],
  ["size", "its length is the revealed one, and allowed"],
  ["header", "the judge's own decoder reads it"],
];

/** Each check with its verdict, as it is known. A gradient that cannot be decoded is not judged any further. */
export async function* rehearse(rehearsal: Rehearsal): AsyncGenerator<Checked> {
  const { base, bytes, reveal, view } = rehearsal;
  const { baseHash, hparams, window } = view;
  const about = { hparams, total: base.theta.length, window, baseHash };
  const remarks = fastEval(reveal, bytes, about);
  for (const [filter, detail] of FILTERS) {
    const found = remarks.find((remark) => remark.filter === filter);
    yield { name: filter, ok: found === undefined, detail: found?.detail ?? detail };
    if (found !== undefined) return;
  }
  yield screened(rehearsal);
  yield* judged(rehearsal);
}

function screened({ base, bytes, reveal, view }: Rehearsal): Checked {
  const { baseHash, hparams, window } = view;
  try {
    const context = { hparams, window, baseHash, total: base.theta.length };
    const { clip, update } = openGradient(context, reveal, bytes);
    const entries = `${update.indices.length} of ${update.total} entries`;
    const length = `norm ${updateNorm(update.values).toPrecision(4)}`;
    const scaled = clip < 1 ? `, scaled down by ${clip.toPrecision(3)} to the ledger's limit` : "";
    return { name: "screening", ok: true, detail: `${entries}, ${length}${scaled}` };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { name: "screening", ok: false, detail: `${error.code}: ${error.message}` };
  }
}

async function* judged(rehearsal: Rehearsal): AsyncGenerator<Checked> {
  const { base, beacon, bytes, model, pages, reveal, signal } = rehearsal;
  const alone = { ...reveal, owner: "", generation: 0, ref: "" };
  const view = { ...drawnNow(rehearsal), reveals: [alone] };
  const { chainId, ledgerId } = view.context;
  const scratch = await Deno.makeTempDir({ prefix: "vramhub-try-" });
  try {
    await using judges = new Judges({
      scratch,
      identity: { chainId, ledgerId, validator: 0, address: new Uint8Array(32) },
      pcrs: await measureSimulated(ENCLAVE_DIR),
      model,
      gradients: new Map([[reveal.uid, bytes]]),
      signal,
    });
    const payload = await reportPayload({
      view,
      dataset: pages.dataset,
      pages,
      model,
      randomness: await windowRandomness(view, beacon),
      unavailable: [],
    }, base.manifest);
    const { entries: [entry], randomBefore } = decodeReport(
      await judges.ask("report", payload, base),
    );
    const verdict = verdictName(entry!.verdict) ?? String(entry!.verdict);
    const isOk = entry!.verdict === VERDICT.ok;
    yield { name: "judge", ok: isOk, detail: `its verdict is ${verdict}, SIMULATED` };
    if (!isOk) return;
    const { ownAfter, ownBefore, randomAfter } = entry!;
    yield {
      name: "own pages",
      ok: ownAfter! < ownBefore!,
      detail: `loss ${nats(ownBefore)} before, ${nats(ownAfter)} after`,
    };
    const score = scoreOf(randomBefore, randomAfter);
    const settled = settleEntry([{ value: entry!, stake: 1n }], randomBefore).verdict;
    yield {
      name: "score",
      ok: settled === SETTLED.accepted,
      detail: `random pages ${nats(randomBefore)} before, ${nats(randomAfter)} after: ` +
        `${nats(score)} settles as ${verdictName(settled)}`,
    };
    const more = ownBefore! - ownAfter! > score;
    yield {
      name: "own data",
      ok: true, // it lowers the pay of later windows, and refuses nothing
      detail: more
        ? "its own pages gained more than random ones, which pay goes by"
        : "its own pages gained no more than random ones: what is not trained on them earns little",
    };
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Losses in 1e-6 nats, for people. */
function nats(units: Metric): string {
  return units === null ? "unmeasured" : (units / 1e6).toFixed(6);
}

/**
 * The window with randomness that is there: where the judge's own is not due, or not drawn, that of the assignment
 * chooses the random pages. The miner knows it, so the score is a little less of a surprise than the real one.
 */
function drawnNow({ beacon, now, view }: Rehearsal): WindowView {
  const { randomness } = view.context;
  if (randomness.kind === "ledger") {
    const { assignSeed, judgeSeed } = randomness;
    if (!equal(judgeSeed, new Uint8Array(32))) return view;
    const drawn = { ...randomness, judgeSeed: assignSeed };
    return { ...view, context: { ...view.context, randomness: drawn } };
  }
  const { assignRound, judgeRound } = randomness;
  if (now >= timeOfRound(beacon.chain, BigInt(judgeRound))) return view;
  const drawn = { ...randomness, judgeRound: assignRound };
  return { ...view, context: { ...view.context, randomness: drawn } };
}
