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
import { measureSimulated } from "../../credentials/measure.ts";
import { formatAddress } from "../../courier/transport.ts";
import type { Clock } from "../../ledger/clock.ts";
import type { WindowView } from "../../ledger/ledger.ts";
import { reason } from "../../ledger/log.ts";
import { Receipts } from "../../receipt/mod.ts";
import { type Base, Bases } from "../../store/bases.ts";
import { loadConfig, processSurroundings } from "../../config/mod.ts";
import type { ValidatorArgs } from "../args.ts";
import { openBeside, tunnelLine } from "../explorer.ts";
import { type OpenTraining, openTraining } from "../open_source.ts";
import type { PartyHost } from "../party.ts";
import type { RunEvent } from "../present/mod.ts";
import { watchedSource } from "../watched_source.ts";
import { homeOf, openMiner, sourcesOf } from "./miners.ts";
import type { TestNetwork } from "./network.ts";
import { ENCLAVE_DIR, prepareNetwork } from "./prepare.ts";
import { windowEvent } from "./scoreboard.ts";
import { TestStores } from "./stores.ts";
import { type OpenValidator, openValidator } from "./validators.ts";
import { measuredNetwork, watchedRun, watchStores } from "./watch.ts";

const TARGET = "vramhub_validator";
/** Pages on which the first and the last base are compared. */
const HELDOUT_SAMPLE = 64;
/** How often the phase of the running window is shown. */
const TICK_MS = 250;

/** How honest companions train: the device and the wire format are the settings'. */
const COMPANIONS = { trainer: "onnx", device: undefined, codec: undefined, allowRead: [] };

/** Run a test network until `args.windows` are settled or the signal aborts. */
export async function runTestMode(
  args: ValidatorArgs,
  clock: Clock,
  { log, monitoring, show, signal }: PartyHost,
): Promise<void> {
  const { monitor } = monitoring;
  const dir = args.dataDir ?? await Deno.makeTempDir({ prefix: "vramhub-" });
  using _folder = takeFolder(dir);
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  await using cleanup = new AsyncDisposableStack();
  const step = (detail: string) => {
    monitor.stage(detail);
    show({ event: "setup", detail });
  };
  const bare = await prepareNetwork(args, dir, clock, step);
  cleanup.defer(() => bare.ledger[Symbol.dispose]());
  const network = measuredNetwork(bare, monitor);
  const { ledger, model, store } = network;
  const stores = await TestStores.open(network, args.store, dir);
  cleanup.defer(() => stores[Symbol.dispose]());
  if (stores.name !== undefined) step(`miners keep their gradients in ${stores.name}`);
  watchStores(bare, stores, monitor);
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
    judge: args.judge === undefined ? "local process" : formatAddress(args.judge),
    pcrs: Object.fromEntries(pcrs.map((pcr, i) => [String(i), toHex(pcr)])),
  });
  const bases = await Bases.open(ledger, store, model);
  const start = await bases.reach((await ledger.window(first)).baseHash, first);
  const heldoutStart = await heldOut(network, first, start, show);

  const roles = new Map<number, string>();
  let training: OpenTraining | undefined;
  const endTraining = async () => {
    const ending = training;
    training = undefined;
    await ending?.[Symbol.asyncDispose]();
  };
  cleanup.defer(endTraining);
  if (args.miners.includes("honest")) {
    const config = loadConfig(processSurroundings());
    training = await openTraining(COMPANIONS, { ...network, config, log });
  }
  const home = (index: number) => homeOf(network, `miner-${index}`);
  const honest = (index: number) => training!.source(`${home(index)}/journal`);
  const sources = sourcesOf(args.miners, network, honest, clock);
  const miners = [];
  for (const [i, source] of sources.entries()) {
    const { uid, miner, publish } = await openMiner(
      `miner-${i}`,
      watchedSource(source, monitor, all),
      network,
      bases,
      stores,
      clock,
      log,
    );
    await publish();
    roles.set(uid, args.miners[i]!);
    monitor.health.watch("miner", uid, null);
    miners.push({ uid, miner });
  }
  const receipts = new Receipts(dir, { ...network, bases, log });
  let settled = 0;
  let last: WindowView | undefined;
  const liars = new Map<number, string>();
  const validators: OpenValidator[] = [];
  const host = { network, pcrs, stores, bases, clock, log, monitor, show, signal: all };
  const seats = await ledger.validators();
  await monitoring.begin({
    party: { component: "validator", uid: seats[0]?.uid ?? null },
    dataDir: dir,
    ledger: bare.ledger,
    validators: seats.slice(0, args.validators).map(({ uid }) => uid),
  });
  step("attesting and registering the judges");
  for (let i = 0; i < args.validators; i++) {
    const liar = i === args.validators - 1 ? args.liar : undefined;
    const opened = await openValidator(
      host,
      i,
      { liar, judge: i === 0 ? args.judge : undefined },
      async (view) => {
        if (i !== 0) return; // the first one tells of the window; all see the same
        settled += Number(view.payout !== null);
        last = view;
        show(await windowEvent(view, ledger, roles, liars));
        await receipts.keep(view);
      },
    );
    cleanup.defer(() => opened.close());
    if (liar !== undefined) liars.set(opened.uid, `lying courier: ${liar}`);
    validators.push(opened);
  }
  monitor.ready();
  const shown = { ledger: bare.ledger, network: "dev", profile: null };
  const beside = await openBeside(args, shown, dir, log);
  if (beside !== null) {
    cleanup.use(beside);
    show({ event: "setup", detail: `VRAMScan shows this network: ${beside.url}` });
    const tunnel = tunnelLine(beside.url, Deno.env.toObject());
    if (tunnel !== null) show({ event: "setup", detail: tunnel });
  }
  const aggregator = new Aggregator({ ...network, bases, clock, log });
  const begin = await firstInTime(network);
  const partFailed = (error: unknown) => {
    if (!all.aborted) log("error", TARGET, "Part failed", { reason: reason(error) });
  };
  const background = [
    ...miners.map(({ miner, uid }) => watchedRun(uid, miner.run(all), monitor, all)),
    aggregator.run(all),
    ...validators.slice(1).map(({ validator }) => validator.run(begin, Infinity, all)),
    tick(network, clock, show, all),
  ].map((part) => part.catch(partFailed)); // at once: nobody else waits for them before the end
  await validators[0]!.validator.run(begin, args.windows ?? Infinity, all);
  monitor.stopping();
  stop.abort();
  await endTraining(); // nobody waits for the step that is running
  await Promise.all(background);
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

/** The first window in which a miner that starts now can commit. */
async function firstInTime({ ledger }: TestNetwork): Promise<number> {
  const window = await ledger.currentWindow();
  const { deadlines } = await ledger.window(window);
  return ledger.now() < deadlines.commit ? window : window + 1;
}

/**
 * The folder of a network, for this process alone.
 *
 * @throws {TypeError} where it is no folder, cannot be made or written, or another process runs its network.
 */
export function takeFolder(dir: string): Disposable {
  const refuse = (why: string) =>
    new TypeError(`Cannot run a test network in ${dir}: ${why}. Name another folder by --data-dir`);
  let lock: Deno.FsFile;
  try {
    Deno.mkdirSync(dir, { recursive: true });
    lock = Deno.openSync(`${dir}/network.lock`, { create: true, write: true, mode: 0o600 });
  } catch (error) {
    throw refuse((error as Error).message);
  }
  if (lock.tryLockSync(true)) return { [Symbol.dispose]: () => lock.close() };
  lock.close();
  throw refuse("another validator runs it, until Ctrl-C");
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
    // Where the ledger fails, the parties say so; this line is back when it answers.
    const phase = await phaseAt(ledger, now).catch(() => null);
    if (phase !== null) show(phase);
    await clock.until(now + TICK_MS, signal).catch(() => {});
  }
}

async function phaseAt(ledger: TestNetwork["ledger"], now: number): Promise<RunEvent> {
  const window = await ledger.currentWindow();
  const { deadlines: { start, commit, end }, reveals } = await ledger.window(window);
  const training = now < commit;
  return {
    event: "phase",
    window,
    phase: training ? "train" : "reveal",
    progress: training ? (now - start) / (commit - start) : (now - commit) / (end - commit),
    detail: training ? "until the commit deadline" : `${reveals.length} revealed`,
  };
}
