/**
 * `deno task miner`: joins a running test network, or mines on a network.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import type { Log } from "../ledger/log.ts";
import { Bases } from "../store/bases.ts";
import { OnnxTrainer } from "../../miner/trainers/onnx.ts";
import { type MinerArgs, parseMinerArgs } from "./args.ts";
import { isForNetwork, parseNetworkMinerArgs } from "./args_network.ts";
import { command, openPresenter, useNativeSha256 } from "./native.ts";
import { runNetworkMiner } from "./network/miner.ts";
import { startParty, wordsOf } from "./network/start.ts";
import { openMiner, sourcesOf } from "./testmode/miners.ts";
import { networkExists, openNetwork } from "./testmode/network.ts";
import { TestStores } from "./testmode/stores.ts";

async function join(args: MinerArgs, log: Log, signal: AbortSignal): Promise<void> {
  if (!networkExists(args.dataDir)) {
    throw new TypeError(`Cannot join: there is no network in ${args.dataDir}`);
  }
  const network = await openNetwork(args.dataDir, SYSTEM_CLOCK);
  using _ledger = network.ledger;
  using identity = takeIdentity(`${args.dataDir}/miners`);
  const trainer = args.role === "honest" ? await OnnxTrainer.start(network.model) : undefined;
  try {
    const [source] = sourcesOf([args.role], network, () => trainer!, SYSTEM_CLOCK);
    const bases = await Bases.open(network.ledger, network.store, network.model);
    using stores = await TestStores.open(
      network,
      args.store,
      `${args.dataDir}/miners/${identity.name}`,
    );
    const { miner, publish, uid } = await openMiner(
      identity.name,
      source!,
      network,
      bases,
      stores,
      SYSTEM_CLOCK,
      log,
    );
    await waitForSeat(network.ledger, uid, signal);
    await publish();
    await miner.run(signal, args.windows);
  } finally {
    trainer?.close();
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
  useNativeSha256();
  const presenter = openPresenter(args.json, true);
  const log: Log = (level, target, message, fields = {}) =>
    presenter.show({ event: "log", level, target, message, fields: { ...fields } });
  await command(presenter, (signal) => join(args, log, signal));
}

if (import.meta.main) {
  const words = wordsOf(true);
  if (isForNetwork(words)) {
    const args = parseNetworkMinerArgs(words);
    await startParty(args, (host) => runNetworkMiner(args, host));
  } else await runTest(words);
}
