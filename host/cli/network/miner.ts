/**
 * A miner of a network: the same loop as in test mode, over the ledger that the settings name.
 *
 * @module
 */
import { publishReadKeys } from "../../credentials/publish.ts";
import type { Clock } from "../../ledger/clock.ts";
import type { Address, Ledger } from "../../ledger/ledger.ts";
import { noObjectOf, storeProbe } from "../../monitoring/probes.ts";
import { StoreError } from "../../store/store.ts";
import { resolveUid } from "../../../miner/identity.ts";
import { MinerJournal } from "../../../miner/journal.ts";
import { Miner } from "../../../miner/miner.ts";
import type { NetworkMinerArgs } from "../args_network.ts";
import type { OpenLedger } from "../open_ledger.ts";
import { openEnvelope } from "../open_reader.ts";
import { openTraining } from "../open_source.ts";
import { trainingOf } from "../testmode/calibrate.ts";
import { watchedSource } from "../watched_source.ts";
import { type NetworkHost, type NetworkParts, onLedger, openParts } from "./parts.ts";

const TARGET = "vramhub_miner";
/** What a newcomer to a dev ledger is given: its coins are worth nothing. */
const DEV_FUNDS = 10_000_000_000n;

/** Run the miner of the settings until `args.windows` have passed or the signal aborts. */
export async function runNetworkMiner(args: NetworkMinerArgs, host: NetworkHost): Promise<void> {
  await onLedger(host, (opened) => mineOn(opened, args, host));
}

async function mineOn(
  opened: OpenLedger,
  args: NetworkMinerArgs,
  host: NetworkHost,
): Promise<void> {
  const { config, monitoring, signal } = host;
  using cleanup = new DisposableStack();
  const parts = await openParts(opened, host, "mine", cleanup);
  const training = trainingOf(parts.model.name);
  // Before anything is staked: a miner that cannot train needs no slot.
  await using trained = await openTraining(args, { ...parts, config, training });
  const slot = await openSlot(opened, parts, host);
  const { dir, owner, uid } = slot;
  const journal = cleanup.use(await MinerJournal.open(`${dir}/journal`));
  const { ledger } = parts;
  const party = { component: "miner", uid } as const;
  await monitoring?.begin({ party, dataDir: parts.dir, ledger, miner: uid });
  monitoring?.monitor.stage("its slot, which is its own from the next window on");
  const source = watchedSource(trained.source(`${dir}/journal`), monitoring?.monitor, signal);
  const miner = new Miner({ ...parts, store: parts.own.write, journal, owner, uid, source });
  await takeSlot(opened, parts, slot, host);
  monitoring?.monitor.ready();
  await miner.run(signal, args.windows);
}

/** A miner's slot, which may be its own with the next window only. */
export interface MinerSlot {
  /** Whose it is. */
  readonly owner: Address;
  /** Its number. */
  readonly uid: number;
  /** The miner's folder. */
  readonly dir: string;
}

/** The slot of the settings, registered if need be. */
export async function openSlot(
  opened: OpenLedger,
  parts: NetworkParts,
  { config, log, signal }: NetworkHost,
): Promise<MinerSlot> {
  const owner = await opened.caller();
  const dir = await homeOf(opened, parts.dir, owner);
  if (opened.profile === null) await fund(opened, owner);
  const env = config.get("MINER_UID")?.toString();
  const file = `${dir}/.vramhub-uid`;
  const ref = noObjectOf(config.get("STORAGE_BACKEND")!);
  const ready = async () => {
    try {
      await storeProbe(parts.own.write, ref)(signal);
    } catch (error) {
      // A key that may write alone is denied this question, and works.
      if (!(error instanceof StoreError && error.code === "unavailable")) return;
      const why = "its gradients could not be stored, and a commit without its reveal costs stake";
      throw new StoreError(error.code, ref, `Cannot register as miner: ${why}. ${error.message}`);
    }
  };
  const uid = await resolveUid(opened.ledger, owner, { env, file, ready }, log);
  return { owner, uid, dir };
}

/** Wait until the slot is the miner's own, and say how its bucket is read. */
export async function takeSlot(
  opened: OpenLedger,
  parts: NetworkParts,
  slot: MinerSlot,
  host: NetworkHost,
): Promise<void> {
  await seated(opened.ledger, slot.uid, slot.owner, parts.clock, host.signal);
  await publish(opened, parts, slot, host);
}

/** Where the miner's journal lies: of a dev ledger's folder each miner has a part. */
async function homeOf({ profile }: OpenLedger, dir: string, owner: Address): Promise<string> {
  const home = profile === null ? `${dir}/miners/${owner.slice(2, 18)}` : `${dir}/miner`;
  await Deno.mkdir(home, { recursive: true });
  return home;
}

async function fund({ faucet, ledger }: OpenLedger, owner: Address): Promise<void> {
  const { sui } = await ledger.balance(owner);
  if (sui < DEV_FUNDS / 2n) await faucet?.(owner, DEV_FUNDS);
}

/** A registration takes effect at the next window. */
async function seated(
  ledger: Ledger,
  uid: number,
  owner: Address,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if ((await ledger.miners()).some((row) => row.uid === uid && row.owner === owner)) return;
  const { deadlines } = await ledger.window(await ledger.currentWindow());
  await clock.until(deadlines.end, signal);
  await ledger.roll(owner);
}

/** Validators need the keys that read this miner's bucket, where it has one of its own. */
async function publish(
  opened: OpenLedger,
  { ledger, own: { readKeys } }: NetworkParts,
  { dir, owner, uid }: MinerSlot,
  { config, log }: NetworkHost,
): Promise<void> {
  if (readKeys === null) return;
  const envelope = await openEnvelope(config, opened);
  if (envelope === undefined) {
    config.require("SEAL_KEY_SERVER_IDS", "publish the bucket's read keys");
  } else {
    const publication = { ledger, owner, uid, envelope, ...readKeys };
    const fresh = await publishReadKeys(publication, `${dir}/credentials.json`);
    const said = fresh ? "Read credentials published" : "Read credentials stand";
    log("info", TARGET, said, { uid, bucket: readKeys.place.bucket, envelope: envelope.kind });
  }
}
