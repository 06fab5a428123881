/**
 * A validator of a network: the same loop as in test mode, over the ledger that the settings name and a judge that
 * dwells in an enclave of its own.
 *
 * @module
 */
import { type ModelConfig, presetByName } from "../../../enclave/model/presets.ts";
import { type Bytes, equal, toHex } from "../../../enclave/protocol/bytes.ts";
import { datasetRoot } from "../../../enclave/protocol/dataset.ts";
import { type Config, ConfigError } from "../../config/mod.ts";
import { RemoteJudge } from "../../courier/remote_judge.ts";
import { type JudgeAddress, parseAddress } from "../../courier/transport.ts";
import { watchJudge } from "../../courier/watch.ts";
import { Journal } from "../../journal.ts";
import type { Clock } from "../../ledger/clock.ts";
import type { Ledger, NetworkInfo } from "../../ledger/ledger.ts";
import type { Log } from "../../ledger/log.ts";
import type { BeaconSource } from "../../ledger/randomness.ts";
import { Bases } from "../../store/bases.ts";
import { Pages } from "../../store/pages.ts";
import type { Store } from "../../store/store.ts";
import { Validator } from "../../validator.ts";
import type { NetworkArgs } from "../args_network.ts";
import { type OpenLedger, openLedger } from "../open_ledger.ts";
import { openStores } from "../open_store.ts";
import { DrandRelays } from "./drand.ts";

const TARGET = "vramhub_validator";
/** How often a window the judge is asked whether it is the one that was attested. */
const LOOKS = 50;

/** What a validator takes of its process. */
export interface NetworkHost {
  /** Settings. */
  readonly config: Config;
  /** The user's folder. */
  readonly home: string | undefined;
  /** Time. */
  readonly clock: Clock;
  /** Log lines. */
  readonly log: Log;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** Run the validator of the settings until `args.windows` have ended or the signal aborts. */
export async function runNetworkValidator(args: NetworkArgs, host: NetworkHost): Promise<void> {
  const { clock, config, home } = host;
  using opened = await openLedger(config, { clock, home });
  await runOn(opened, args, host);
}

/** {@linkcode runNetworkValidator} on a ledger that is open. */
export async function runOn(
  opened: OpenLedger,
  args: NetworkArgs,
  host: NetworkHost,
): Promise<void> {
  const { clock, config, log, signal } = host;
  const { ledger } = opened;
  const info = await ledger.info();
  if (args.testMode && info.simulatedRoot === null) {
    throw new ConfigError(
      "bad_value",
      `Cannot judge in test mode on ${opened.network}: it takes documents of AWS's root alone. Leave ` +
        "--test-mode out and name an enclave with --judge",
    );
  }
  const address = addressOf(args, config);
  const owner = await opened.caller();
  const uid = await slotOf(ledger, owner, config);
  const dir = config.require("DATA_DIR", "keep journals", "--data-dir DIR");
  const model = presetByName(info.model);
  const pages = await openPages(`${dir}/dataset`, info);
  using stores = await openStores(config);
  const store = stores.write;
  const bases = await Bases.open(ledger, store, model);
  using journal = await Journal.open(`${dir}/validator-${uid}.journal`);
  const judge = await RemoteJudge.open(address);
  try {
    await checkPinned(judge, config);
    const mode = config.get("NITRO_ENCLAVE") ? "Nitro" : "Dev";
    const url = args.judge === undefined ? config.get("ENCLAVE_URL")! : formatted(args.judge);
    log("info", TARGET, "Validator starting", { enclave_url: url, validator_uid: uid, mode });
    const parts = { ledger, owner, uid, judge, journal, store, pages, bases, clock, log, model };
    await judgeWindows({ ...parts, beacon: beaconOf(info, config) }, args, signal);
  } finally {
    await judge.close();
  }
}

/** What the loop works with. */
interface Parts {
  readonly ledger: Ledger;
  readonly owner: string;
  readonly uid: number;
  readonly judge: RemoteJudge;
  readonly journal: Journal;
  readonly store: Store;
  readonly pages: Pages;
  readonly bases: Bases;
  readonly clock: Clock;
  readonly log: Log;
  readonly model: ModelConfig;
  readonly beacon: BeaconSource;
}

async function judgeWindows(parts: Parts, args: NetworkArgs, signal: AbortSignal): Promise<void> {
  const { clock, judge, ledger, log } = parts;
  let attested: Bytes | undefined;
  const validator = new Validator({
    ...parts,
    events: {
      phase: (window, phase, detail) =>
        log("debug", TARGET, "Phase begins", { window, phase, detail }),
      attested: (key, { measurement, root }) => {
        attested = key;
        log("info", TARGET, "Judge attested", { key: toHex(key), measurement, root });
      },
      ended: ({ payout, status, window }) =>
        log("info", TARGET, "Window ended", {
          window,
          status,
          issued: String(payout?.issued ?? 0n),
        }),
    },
  });
  await validator.attest();
  const window = await ledger.currentWindow();
  const { deadlines, hparams } = await ledger.window(window);
  void watchJudge(judge, {
    clock,
    everyMs: hparams.window_ms / LOOKS,
    signal,
    attested: () => attested,
    mend: () => validator.mend(),
  });
  const first = ledger.now() < deadlines.commit ? window : window + 1;
  await validator.run(first, args.windows ?? Infinity, signal);
}

function addressOf(args: NetworkArgs, config: Config): JudgeAddress {
  return args.judge ?? parseAddress(config.require("ENCLAVE_URL", "judge", "--judge ADDRESS"));
}

function formatted(address: JudgeAddress): string {
  return Object.values(address).join(":");
}

/** The slot of the settings, or the only one of the wallet. */
async function slotOf(ledger: Ledger, owner: string, config: Config): Promise<number> {
  const own = (await ledger.validators()).filter((row) => row.owner === owner);
  const given = config.get("VALIDATOR_UID");
  const [found] = own.filter(({ uid }) => given === undefined || uid === given);
  if (found !== undefined) return found.uid;
  throw new ConfigError(
    "missing",
    given === undefined
      ? `Cannot judge: ${owner} holds no slot; take one with 'deno task vramhub register-validator'`
      : `Cannot judge as validator ${given}: ${
        config.sourceOf("VALIDATOR_UID")
      } names another's slot`,
  );
}

/** The data set of `dir`, which must be the network's. */
async function openPages(dir: string, { dataset }: NetworkInfo): Promise<Pages> {
  let pages: Pages;
  try {
    pages = await Pages.open(dir);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ConfigError("missing", `Cannot judge: there is no data set in ${dir}`);
  }
  if (equal(datasetRoot(pages.dataset), datasetRoot(dataset))) return pages;
  throw new ConfigError(
    "bad_value",
    `Cannot judge: the data set in ${dir} is another than the network's, whose root is ${
      toHex(datasetRoot(dataset))
    }`,
  );
}

/** Whoever pins a key wants no other. */
async function checkPinned(judge: RemoteJudge, config: Config): Promise<void> {
  const pinned = config.get("ENCLAVE_PUBKEY");
  if (pinned === undefined) return;
  const { publicKey } = await judge.health();
  if (toHex(publicKey) === pinned) return;
  throw new ConfigError(
    "bad_value",
    `Cannot judge: the enclave's key is ${toHex(publicKey)}, ${
      config.sourceOf("ENCLAVE_PUBKEY")
    } is ` +
      "another. An enclave that restarts has a new key: its attestation says more than a pinned one",
  );
}

function beaconOf({ beacon }: NetworkInfo, config: Config): BeaconSource {
  return new DrandRelays(beacon, config.get("DRAND_URLS")!);
}
