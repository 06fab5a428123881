/**
 * `deno task miner`: joins a running test network, or mines on a network. `deno task miner cuda:install` brings CUDA.
 *
 * @module
 */
// First of all, before anything loads onnxruntime: the one beside its CUDA provider, where that is installed.
import "../../miner/cuda/preload.ts";
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import { Bases } from "../store/bases.ts";
import { loadConfig, processSurroundings } from "../config/mod.ts";
import { type MinerArgs, parseMinerArgs } from "./args.ts";
import { isForNetwork, parseNetworkMinerArgs } from "./args_network.ts";
import { cudaInstall } from "./cuda_install.ts";
import { modelCommand } from "./model.ts";
import { runJobMiner } from "./network/job_miner.ts";
import { runNetworkMiner } from "./network/miner.ts";
import { startParty, wordsOf } from "./network/start.ts";
import { openTraining } from "./open_source.ts";
import { type PartyHost, runParty } from "./party.ts";
import { runDryRun } from "./rehearsal/dry_run.ts";
import { homeOf, openMiner, sourcesOf } from "./testmode/miners.ts";
import { networkExists, openNetwork } from "./testmode/network.ts";
import { TestStores } from "./testmode/stores.ts";
import { measuredNetwork, watchStores } from "./testmode/watch.ts";
import { trainerCommand } from "./trainer.ts";
import { watchedSource } from "./watched_source.ts";

async function join(
  args: MinerArgs,
  { log, monitoring, signal }: PartyHost,
): Promise<void> {
  if (!networkExists(args.dataDir)) {
    throw new TypeError(`Cannot join: there is no network in ${args.dataDir}`);
  }
  const { monitor } = monitoring;
  const bare = await openNetwork(args.dataDir, SYSTEM_CLOCK);
  using _ledger = bare.ledger;
  const network = measuredNetwork(bare, monitor);
  using identity = takeIdentity(`${args.dataDir}/miners`);
  const config = loadConfig(processSurroundings());
  const training = args.role === "honest"
    ? await openTraining(args, { ...network, config, log })
    : undefined;
  try {
    const home = homeOf(network, identity.name);
    const honest = () => training!.source(`${home}/journal`);
    const [source] = sourcesOf([args.role], network, honest, SYSTEM_CLOCK);
    const bases = await Bases.open(network.ledger, network.store, network.model);
    using stores = await TestStores.open(
      network,
      args.store,
      home,
    );
    watchStores(bare, stores, monitor);
    const { miner, publish, uid } = await openMiner(
      identity.name,
      watchedSource(source!, monitor, signal),
      network,
      bases,
      stores,
      SYSTEM_CLOCK,
      log,
    );
    const party = { component: "miner", uid } as const;
    const { ledger } = network;
    await monitoring.begin({ party, dataDir: args.dataDir, ledger, miner: uid });
    monitor.stage("its slot, which is its own from the next window on");
    await waitForSeat(ledger, uid, signal);
    await publish();
    monitor.ready();
    await miner.run(signal, args.windows);
  } finally {
    await training?.[Symbol.asyncDispose]();
  }
}

/** The first name of `joined-0`, `joined-1`, … that no running miner of this folder holds. */
function takeIdentity(dir: string): { readonly name: string; [Symbol.dispose](): void } {
  for (let i = 0;; i++) {
    const name = `joined-${i}`;
    Deno.mkdirSync(`${dir}/${name}`, { recursive: true });
    const lock = Deno.openSync(`${dir}/${name}/lock`, { create: true, write: true });
    if (lock.tryLockSync(true)) return { name, [Symbol.dispose]: () => lock.close() };
    lock.close();
  }
}

/** A registration takes effect at the next window. */
async function waitForSeat(
  ledger:
    & { currentWindow(): Promise<number> }
    & Awaited<
      ReturnType<typeof openNetwork>
    >["ledger"],
  uid: number,
  signal: AbortSignal,
): Promise<void> {
  const seated = (await ledger.miners()).some((miner) => miner.uid === uid);
  if (seated) return;
  const { deadlines } = await ledger.window(await ledger.currentWindow());
  await SYSTEM_CLOCK.until(deadlines.end, signal);
}

async function runTest(words: readonly string[]): Promise<void> {
  const args = parseMinerArgs(words);
  await runParty(args, {}, false, (host) => join(args, host));
}

if (import.meta.main) {
  if (Deno.args[0] === "cuda:install") await cudaInstall(Deno.args.slice(1));
  if (Deno.args[0] === "trainer") Deno.exit(await trainerCommand(Deno.args.slice(1)));
  if (Deno.args[0] === "model") Deno.exit(await modelCommand(Deno.args.slice(1)));
  const words = wordsOf(true);
  if (isForNetwork(words)) {
    const args = parseNetworkMinerArgs(words);
    const windows = args.dryRun ? runDryRun : runNetworkMiner;
    const run = args.job === undefined ? windows : runJobMiner;
    await startParty(args, (host) => run(args, host));
  } else await runTest(words);
}
