/**
 * A stranger's data directory, read for an audit: nothing in it is written, made or removed. The ledger is
 * worked on in a copy, whose clock stands at its last event, so that nothing rolls on.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { type ModelConfig, presetByName } from "../../../enclave/model/presets.ts";
import { type Bytes, equal } from "../../../enclave/protocol/bytes.ts";
import { LocalBeacon } from "../../beacon.ts";
import { DevLedger } from "../../ledger/dev/dev_ledger.ts";
import type { NetworkInfo } from "../../ledger/ledger.ts";
import type { BeaconSource } from "../../ledger/randomness.ts";
import { decodeReceipt, MAX_RECEIPT_BYTES, receiptPath } from "../../receipt/mod.ts";
import { LocalStore } from "../../store/local.ts";
import { Pages } from "../../store/pages.ts";
import { CheckError } from "../report/facts.ts";
import { readInput } from "../audit/input.ts";

/** What a replay needs is not there: no verdict can be given. */
export class Missing extends Error {
  /** Names what is missing. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Missing";
  }
}

const LEDGER_FILE = "ledger.sqlite";
const BEACON_KEY = "simulated-beacon.key";

/** A copy of the ledger in `dir`, opened in `scratch`. */
export async function openLedgerCopy(dir: string, scratch: string): Promise<DevLedger> {
  const path = `${dir}/${LEDGER_FILE}`;
  const copy = `${scratch}/${LEDGER_FILE}`;
  if (!await exists(path)) throw new Missing(`Cannot replay: there is no ${LEDGER_FILE} in ${dir}`);
  if (await exists(`${path}-wal`)) {
    // Somebody may be writing: SQLite itself gives one consistent moment.
    using db = new DatabaseSync(path, { readOnly: true });
    db.prepare("vacuum into ?").run(copy);
  } else {
    await Deno.copyFile(path, copy);
    await Deno.chmod(copy, 0o600);
  }
  const now = lastMoment(copy);
  return DevLedger.open(copy, { now: () => now, until: () => Promise.resolve() });
}

function lastMoment(path: string): number {
  using db = new DatabaseSync(path, { readOnly: true });
  const row = db.prepare("select max(at_ms) as ms from events").get();
  const ms = row?.ms;
  if (typeof ms !== "number") throw new CheckError("the ledger has no events");
  return ms;
}

/** The data set, whose pages must give its root. */
export async function openPages(dir: string, { dataset }: NetworkInfo): Promise<Pages> {
  const pages = await Pages.open(`${dir}/dataset`).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Missing(`Cannot replay: there is no data set in ${dir}`, { cause: error });
  });
  if (!equal(pages.dataset.merkleRoot, dataset.merkleRoot)) {
    throw new CheckError("the data set is not the ledger's");
  }
  return pages;
}

/** The model that the ledger names. */
export function modelOf({ model }: NetworkInfo): ModelConfig {
  return presetByName(model);
}

/** The store as it lies there. */
export async function openStore(dir: string): Promise<LocalStore> {
  if (!await exists(`${dir}/store`)) {
    throw new Missing(`Cannot replay: there is no store in ${dir}`);
  }
  return LocalStore.at(`${dir}/store`);
}

/**
 * The beacon of a test network: by its key, where that lies in the directory, else the two signatures that the
 * window's receipt keeps.
 */
export async function openBeacon(
  dir: string,
  scratch: string,
  { beacon: chain }: NetworkInfo,
  window: number,
  rounds: readonly [assign: number, judge: number],
): Promise<{ readonly source: BeaconSource; readonly from: string }> {
  const key = await Deno.readTextFile(`${dir}/keys/${BEACON_KEY}`).catch(ignoreNotFound);
  if (key !== undefined) {
    const keys = `${scratch}/keys`;
    await Deno.mkdir(keys, { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(`${keys}/${BEACON_KEY}`, key, { mode: 0o600 });
    const { genesisMs, periodMs } = chain;
    const local = await LocalBeacon.open(keys, { genesisMs, periodMs, now: () => Date.now() });
    if (!equal(local.chain.publicKey, chain.publicKey)) {
      throw new CheckError("the key of the beacon is not that of the ledger's chain");
    }
    return { source: { chain, signature: (round) => local.signature(round) }, from: "its key" };
  }
  const path = receiptPath(dir, window);
  if (!await exists(path)) {
    throw new Missing("Cannot replay: neither the beacon's key nor the window's receipt is there");
  }
  const { beacon } = decodeReceipt(await readInput(path, { maxBytes: MAX_RECEIPT_BYTES }));
  const known = new Map<bigint, Bytes>();
  if (beacon !== null) {
    known.set(BigInt(rounds[0]), beacon.assign_signature);
    known.set(BigInt(rounds[1]), beacon.judge_signature);
  }
  const signature = (round: bigint): Bytes => {
    const found = known.get(round);
    if (found === undefined) throw new Missing(`Cannot replay: nobody has round ${round}`);
    return found;
  };
  return { source: { chain, signature }, from: "the window's receipt" };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, (error) => ignoreNotFound(error) ?? false);
}

function ignoreNotFound(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
