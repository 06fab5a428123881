/**
 * `deno task validator --test-mode`: a whole network in two processes, this one and the locked-down judge.
 *
 * @module
 */
import { LossModel } from "../../../enclave/model/session.ts";
import { paramManifest } from "../../../enclave/model/params.ts";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { trainingPages } from "../../../enclave/protocol/dataset.ts";
import { Aggregator } from "../../aggregator.ts";
import { JudgeClient } from "../../courier/judge_client.ts";
import { type JudgeProcess, startJudge } from "../../courier/judge_process.ts";
import { measureSimulated } from "../../credentials/measure.ts";
import { Journal } from "../../journal.ts";
import type { Clock } from "../../ledger/clock.ts";
import type { WindowView } from "../../ledger/ledger.ts";
import { type Log, reason } from "../../ledger/log.ts";
import { type Base, Bases } from "../../store/bases.ts";
import { Validator, type ValidatorPhase } from "../../validator.ts";
import { OnnxTrainer } from "../../../miner/trainers/onnx.ts";
import type { ValidatorArgs } from "../args.ts";
import type { Phase, RunEvent } from "../present/mod.ts";
import { openMiner, sourcesOf } from "./miners.ts";
import { type TestNetwork, wallet } from "./network.ts";
import { ENCLAVE_DIR, prepareNetwork } from "./prepare.ts";
import { windowEvent } from "./scoreboard.ts";

const TARGET = "vramhub_validator";
/** Pages on which the first and the last base are compared. */
const HELDOUT_SAMPLE = 64;
/** How often the phase of the running window is shown. */
const TICK_MS = 250;

/** Run a test network until `args.windows` are settled or `signal` aborts. */
export async function runTestMode(
  args: ValidatorArgs,
  clock: Clock,
  show: (event: RunEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const log: Log = (level, target, message, fields = {}) =>
    show({ event: "log", level, target, message, fields: { ...fields } });
  const dir = args.dataDir ?? await Deno.makeTempDir({ prefix: "vramhub-" });
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  await using cleanup = new AsyncDisposableStack();
  let trainer: OnnxTrainer | undefined;
  cleanup.defer(() => trainer?.close());
  const network = await prepareNetwork(args, dir, clock, async (model) => {
    trainer = await OnnxTrainer.start(model);
    return trainer;
  }, (detail) => show({ event: "setup", detail }));
  cleanup.defer(() => network.ledger[Symbol.dispose]());
  const { ledger, model, store } = network;
  const pcrs = await measureSimulated(ENCLAVE_DIR);
  const first = await ledger.currentWindow();
  show({
    event: "network",
    simulated: true,
    dataDir: dir,
    model: model.name,
    params: paramManifest(model).total,
    windowMs: (await ledger.window(first)).hparams.window_ms,
    ledger: "dev",
    judge: "local process",
    pcrs: Object.fromEntries(pcrs.map((pcr, i) => [String(i), toHex(pcr)])),
  });
  const bases = await Bases.open(ledger, store, model);
  const start = await bases.reach((await ledger.window(first)).baseHash, first);
  const heldoutStart = await heldOut(network, first, start, show);

  const judge = await openJudge(network, pcrs, all, log);
  cleanup.defer(() => judge.process.stop());
  cleanup.defer(() => judge.client.close());
  judge.process.exited.then(({ code }) => {
    if (!all.aborted) {
      log("error", TARGET, "Judge ended", { code });
      stop.abort(new Error(`The judge ended with status ${code}`));
    }
  });
  if (args.miners.includes("honest")) {
    trainer ??= await OnnxTrainer.start(model);
  }
  const roles = new Map<number, string>();
  const sources = sourcesOf(args.miners, network, () => trainer!, clock);
  const miners = [];
  for (const [i, source] of sources.entries()) {
    const { uid, miner } = await openMiner(`miner-${i}`, source, network, bases, clock, log);
    roles.set(uid, args.miners[i]!);
    miners.push(miner);
  }
  const owner = await wallet(dir, "validator-0");
  const uid = (await ledger.validators()).find((row) => row.owner === owner)?.uid ?? 0;
  using journal = await Journal.open(`${dir}/validator-0.journal`);
  let settled = 0;
  let last: WindowView | undefined;
  const validator = new Validator({
    ...network,
    bases,
    clock,
    judge: judge.client,
    owner,
    uid,
    journal,
    log,
    events: {
      phase: (window, phase, detail) =>
        show({ event: "phase", window, phase: PHASES[phase], progress: 0, detail }),
      attested: (key, { measurement, root }) =>
        show({
          event: "attestation",
          keyHex: toHex(key),
          measurement,
          root,
          verified: true,
        }),
      ended: async (view: WindowView) => {
        settled += Number(view.payout !== null);
        last = view;
        show(await windowEvent(view, ledger, roles));
      },
    },
  });
  log("info", TARGET, "Validator starting", { validator_uid: uid, mode: "Simulated" });
  await validator.attest();
  const aggregator = new Aggregator({ ...network, bases, clock, log });
  const background = [
    ...miners.map((miner) => miner.run(all)),
    aggregator.run(all),
    tick(network, clock, show, all),
  ];
  await validator.run(first, args.windows ?? Infinity, all);
  stop.abort();
  trainer?.close(); // nobody waits for the step that is running
  const ends = await Promise.allSettled(background);
  for (const end of ends) {
    if (end.status === "rejected" && !all.aborted) {
      log("error", TARGET, "Part failed", { reason: reason(end.reason) });
    }
  }
  const merged = last?.payout?.mergedHash ?? null;
  // The last merge has no window yet that trains from it: replay it all the same.
  const end = last === undefined || merged === null
    ? bases.current
    : await bases.reach(merged, last.window + 2);
  const heldoutEnd = await heldOut(network, (last?.window ?? first) + 2, end, show);
  const paid = [];
  for (const row of await ledger.miners()) {
    const { claimable, vram } = await ledger.balance(row.owner);
    const role = roles.get(row.uid) ?? "joined";
    paid.push({ uid: row.uid, role, total: (claimable + vram).toString() });
  }
  show({ event: "done", windows: settled, heldoutStart, heldoutEnd, paid });
}

const PHASES: Readonly<Record<ValidatorPhase, Phase>> = {
  fetch: "judge",
  judge: "judge",
  report: "report",
  settle: "settle",
  outcome: "outcome",
};

async function openJudge(
  network: TestNetwork,
  pcrs: readonly [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>],
  signal: AbortSignal,
  log: Log,
): Promise<{ client: JudgeClient; process: JudgeProcess }> {
  // Not in the data directory: a Unix socket's path is at most 107 bytes long.
  const dir = await Deno.makeTempDir({ prefix: "vramhub-judge-" });
  const socketPath = `${dir}/judge.sock`;
  const process = await startJudge({
    socketPath,
    leaf: await network.root.issueLeaf(),
    pcrs,
    signal,
    onStderr: (line) => log("warn", "vramhub_judge", line),
  });
  process.exited.finally(() => Deno.remove(dir, { recursive: true }).catch(() => {}));
  return { client: JudgeClient.unix(socketPath), process };
}

/** Mean loss of a base on held-out pages, which nobody trains on. */
async function heldOut(
  { model, pages }: TestNetwork,
  window: number,
  base: Base,
  show: (event: RunEvent) => void,
): Promise<number> {
  const first = trainingPages(pages.dataset.pageCount);
  const held = pages.dataset.pageCount - first;
  const count = Math.floor(Math.min(HELDOUT_SAMPLE, held) / model.batch) * model.batch;
  const sample = Array.from(
    { length: count },
    (_, i) => pages.tokens(first + Math.floor(i * held / count)),
  );
  const forward = await LossModel.create(model);
  try {
    const { sum, count: tokens } = await forward.losses(base.theta, sample);
    const loss = sum / tokens;
    show({ event: "heldout", atWindow: window, loss, baseHash: toHex(base.hash) });
    return loss;
  } finally {
    await forward.close();
  }
}

/** Show how far the running window is. */
async function tick(
  { ledger }: TestNetwork,
  clock: Clock,
  show: (event: RunEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const now = clock.now();
    const window = await ledger.currentWindow();
    const { deadlines: { start, commit, end }, reveals } = await ledger.window(window);
    const training = now < commit;
    show({
      event: "phase",
      window,
      phase: training ? "train" : "reveal",
      progress: training ? (now - start) / (commit - start) : (now - commit) / (end - commit),
      detail: training ? "until the commit deadline" : `${reveals.length} revealed`,
    });
    await clock.until(now + TICK_MS, signal).catch(() => {});
  }
}
