/**
 * A miner of a network: the same loop as in test mode, over the ledger that the settings name.
 *
 * @module
 */
import { type Config, ConfigError } from "../../config/mod.ts";
import { publishReadKeys } from "../../credentials/publish.ts";
import type { Clock } from "../../ledger/clock.ts";
import type { Address, Ledger } from "../../ledger/ledger.ts";
import { resolveUid } from "../../../miner/identity.ts";
import { MinerJournal } from "../../../miner/journal.ts";
import { Miner } from "../../../miner/miner.ts";
import { type GradientSource, TrainedSource } from "../../../miner/source.ts";
import { OnnxTrainer } from "../../../miner/trainers/onnx.ts";
import type { PartyArgs } from "../args_network.ts";
import type { OpenLedger } from "../open_ledger.ts";
import { openEnvelope } from "../open_reader.ts";
import { RECIPES } from "../testmode/calibrate.ts";
import { type NetworkHost, type NetworkParts, onLedger, openParts } from "./parts.ts";

const TARGET = "vramhub_miner";
/** What a newcomer to a dev ledger is given: its coins are worth nothing. */
const DEV_FUNDS = 10_000_000_000n;
/** The trainers that are there, by `VRAMHUB_DEVICE`. */
const DEVICE = "cpu";

/** Run the miner of the settings until `args.windows` have passed or the signal aborts. */
export async function runNetworkMiner(args: PartyArgs, host: NetworkHost): Promise<void> {
  await onLedger(host, (opened) => mineOn(opened, args, host));
}

/** {@linkcode runNetworkMiner} on a ledger that is open; `source` replaces the trainer. */
export async function mineOn(
  opened: OpenLedger,
  args: PartyArgs,
  host: NetworkHost,
  source?: GradientSource,
): Promise<void> {
  const { config, log, signal } = host;
  const { ledger } = opened;
  const owner = await opened.caller();
  checkDevice(config);
  using cleanup = new DisposableStack();
  const parts = await openParts(opened, host, "mine", cleanup);
  const dir = await homeOf(opened, parts.dir, owner);
  if (opened.profile === null) await fund(opened, owner);
  const env = config.get("MINER_UID")?.toString();
  const uid = await resolveUid(ledger, owner, { env, file: `${dir}/.vramhub-uid` }, log);
  const journal = cleanup.use(await MinerJournal.open(`${dir}/journal`));
  const miner = new Miner({
    ...parts,
    store: parts.own.write,
    journal,
    owner,
    uid,
    source: source ?? await trained(parts, cleanup),
  });
  await seated(ledger, uid, owner, parts.clock, signal);
  await publish(opened, parts, { owner, uid, dir }, host);
  await miner.run(signal, args.windows);
}

function checkDevice(config: Config): void {
  const device = config.get("DEVICE")!;
  if (device === DEVICE) return;
  throw new ConfigError(
    "bad_value",
    `Cannot train on ${device}, which ${
      config.sourceOf("DEVICE")
    } names: the trainer of this program ` +
      `runs on ${DEVICE}`,
  );
}

async function trained(
  { model }: NetworkParts,
  cleanup: DisposableStack,
): Promise<GradientSource> {
  const trainer = await OnnxTrainer.start(model);
  cleanup.defer(() => trainer.close());
  return new TrainedSource(trainer, model.name, DEVICE, RECIPES[model.name]!.training);
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
  { dir, owner, uid }: { readonly owner: Address; readonly uid: number; readonly dir: string },
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
