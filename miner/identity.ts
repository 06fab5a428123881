/**
 * Which uid a miner has, by the seeds' chain: `VRAMHUB_MINER_UID`, the file `.vramhub-uid`, the ledger by
 * wallet, and else a registration with the least stake, saved for the next start.
 *
 * @module
 */
import { LedgerError } from "../enclave/protocol/errors.ts";
import type { Address, Ledger } from "../host/ledger/ledger.ts";
import type { Log } from "../host/ledger/log.ts";

const TARGET = "vramhub_miner";
/** Events read at a time. */
const EVENTS_PAGE = 1_000;

/** Where to look. */
export interface IdentityOptions {
  /** Value of `VRAMHUB_MINER_UID`, where it is set. */
  readonly env: string | undefined;
  /** Path of `.vramhub-uid`. */
  readonly file: string;
  /** Awaited before a new slot is registered: what it throws costs no stake. */
  readonly ready?: () => Promise<void>;
}

/**
 * The uid that `owner` mines with, registered if need be.
 *
 * @throws {TypeError} where the environment or the file names a slot that is not the owner's.
 */
export async function resolveUid(
  ledger: Ledger,
  owner: Address,
  options: IdentityOptions,
  log: Log,
): Promise<number> {
  const given = options.env ?? await readOr(options.file);
  const mine = (await ledger.miners()).find((miner) => miner.owner === owner);
  if (given !== undefined) {
    const uid = Number(given.trim());
    if (mine !== undefined && mine.uid === uid) return uid;
    const from = options.env === undefined ? options.file : "VRAMHUB_MINER_UID";
    // A file from another network must not bar a newcomer; what the user set by hand is an error.
    if (options.env !== undefined) {
      throw new TypeError(
        `Cannot mine as uid ${given}: ${from} names a slot of another owner, or one that is yours from the next ` +
          "window on. Leave it out, and the wallet's own slot is looked up or registered",
      );
    }
    log("warn", TARGET, "Saved uid is not ours on this ledger", { file: from, uid: given.trim() });
  } else {
    log("info", TARGET, "No VRAMHUB_MINER_UID set - looking up on-chain...");
  }
  if (mine !== undefined) return await save(options.file, mine.uid, log);
  await options.ready?.();
  const { hparams } = await ledger.window(await ledger.currentWindow());
  const stake = BigInt(hparams.min_miner_stake);
  log("info", TARGET, `Registering as miner with ${Number(stake) / 1e9} SUI stake`);
  const uid = await registerOnce(ledger, owner, stake, log);
  return await save(options.file, uid, log);
}

/** Register. Where an earlier start did, and ended before it took effect, the log tells the slot. */
async function registerOnce(
  ledger: Ledger,
  owner: Address,
  stake: bigint,
  log: Log,
): Promise<number> {
  try {
    return await ledger.registerMiner(owner, stake);
  } catch (error) {
    if (!(error instanceof LedgerError) || error.constant !== "EAlreadyRegistered") throw error;
    let uid: number | undefined;
    for (let after = 0;;) {
      const page = await ledger.events(after, EVENTS_PAGE);
      for (const { kind, body } of page) {
        const ours = kind === "peer_registry::PeerRegistered" && body.owner === owner;
        if (ours) uid = Number(body.uid);
      }
      if (page.length < EVENTS_PAGE) break;
      after = page.at(-1)!.seq;
    }
    if (uid === undefined) throw error;
    log("info", TARGET, "Registered already; the slot is ours from the next window on", { uid });
    return uid;
  }
}

async function save(file: string, uid: number, log: Log): Promise<number> {
  const draft = `${file}.draft`;
  await Deno.writeTextFile(draft, `${uid}\n`);
  await Deno.rename(draft, file); // whole or not at all
  log("info", TARGET, `Saved uid=${uid} to .vramhub-uid`);
  return uid;
}

async function readOr(file: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
