/**
 * A validator of a network: the same loop as in test mode, over the ledger that the settings name and a judge that
 * dwells in an enclave of its own.
 *
 * @module
 */
import { type Bytes, toHex } from "../../../enclave/protocol/bytes.ts";
import { type Config, ConfigError } from "../../config/mod.ts";
import { RemoteJudge } from "../../courier/remote_judge.ts";
import { formatAddress, type JudgeAddress, parseAddress } from "../../courier/transport.ts";
import { watchJudge } from "../../courier/watch.ts";
import { JobDesk } from "../../job_desk.ts";
import { Journal } from "../../journal.ts";
import type { Ledger, NetworkInfo } from "../../ledger/ledger.ts";
import { judgeProbe } from "../../monitoring/probes.ts";
import { Validator, type ValidatorParts } from "../../validator.ts";
import type { NetworkArgs } from "../args_network.ts";
import { openJobData } from "../open_job_data.ts";
import { openBeside } from "../explorer.ts";
import type { Monitoring } from "../monitoring.ts";
import type { OpenLedger } from "../open_ledger.ts";
import { openEnvelope, openReader } from "../open_reader.ts";
import { type NetworkHost, onLedger, openParts } from "./parts.ts";

const TARGET = "vramhub_validator";
/** How often a window the judge is asked whether it is the one that was attested. */
const LOOKS = 50;

/** Run the validator of the settings until `args.windows` have ended or the signal aborts. */
export async function runNetworkValidator(args: NetworkArgs, host: NetworkHost): Promise<void> {
  await onLedger(host, (opened) => runOn(opened, args, host));
}

/** {@linkcode runNetworkValidator} on a ledger that is open. */
export async function runOn(
  opened: OpenLedger,
  args: NetworkArgs,
  host: NetworkHost,
): Promise<void> {
  const { config, log, monitoring, signal } = host;
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
  const mode = modeOf(args, address, config, info);
  const owner = await opened.caller();
  const uid = await slotOf(ledger, owner, config);
  using cleanup = new DisposableStack();
  const parts = await openParts(opened, host, "judge", cleanup);
  const { own, store } = parts;
  const envelope = await openEnvelope(config, opened);
  const places = { store, own: own.write, uploads: own.read ?? own.write };
  const gradients = cleanup.use(
    await openReader(config, { ledger, owner, envelope, ...places }),
  );
  const journal = cleanup.use(await Journal.open(`${parts.dir}/validator-${uid}.journal`));
  const judge = await RemoteJudge.open(address);
  try {
    await checkPinned(judge, config);
    const url = formatAddress(address);
    log("info", TARGET, "Validator starting", { enclave_url: url, validator_uid: uid, mode });
    if (mode !== "Nitro") {
      const what = mode === "Dev" ? "DEV: nothing says that" : "SIMULATED: nothing proves that";
      log("warn", TARGET, `${what} this judge runs on an enclave's hardware`);
    }
    await monitoring?.begin({
      party: { component: "validator", uid },
      dataDir: parts.dir,
      ledger,
      validators: [uid],
    });
    await using _beside = await openBeside(args, opened, parts.dir, log);
    const measured = monitoring?.monitor.judge(judge) ?? judge;
    const validator = { ...parts, owner, uid, judge: measured, journal, gradients };
    const stores = [own.read ?? own.write];
    const desk = new JobDesk({
      ...validator,
      stores,
      data: openJobData(parts.pages, [store, ...stores]),
      dir: `${parts.dir}/job-verdicts-${uid}`,
    });
    await judgeWindows(validator, judge, desk, args, signal, monitoring);
  } finally {
    await judge.close();
  }
}

async function judgeWindows(
  parts: Omit<ValidatorParts, "events">,
  judge: RemoteJudge,
  desk: JobDesk,
  args: NetworkArgs,
  signal: AbortSignal,
  monitoring: Monitoring | undefined,
): Promise<void> {
  const { clock, ledger, log, uid } = parts;
  let attested: Bytes | undefined;
  monitoring?.monitor.health.watch("judge", uid, judgeProbe(judge, () => attested));
  monitoring?.monitor.stage("its judge's attestation");
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
  monitoring?.monitor.ready();
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
  const stop = new AbortController();
  void desk.run(AbortSignal.any([signal, stop.signal]));
  try {
    await validator.run(first, args.windows ?? Infinity, signal);
  } finally {
    stop.abort();
  }
}

/**
 * Production takes AWS's root and an enclave's own socket alone; anything else is development, or SIMULATED where the
 * ledger's own root is.
 */
function modeOf(
  args: NetworkArgs,
  { kind }: JudgeAddress,
  config: Config,
  { simulatedRoot }: NetworkInfo,
): "Nitro" | "Dev" | "Simulated" {
  if (!config.get("NITRO_ENCLAVE")) return simulatedRoot === null ? "Dev" : "Simulated";
  const fault = args.dev
    ? "--dev is the opposite of it"
    : simulatedRoot !== null
    ? "this ledger takes documents of a SIMULATED root"
    : kind !== "vsock"
    ? `a judge at ${kind}: is no enclave of this instance; name vsock:CID:PORT`
    : null;
  if (fault === null) return "Nitro";
  const source = config.sourceOf("NITRO_ENCLAVE");
  throw new ConfigError("bad_value", `Cannot judge in production, as ${source} says: ${fault}`);
}

function addressOf(args: NetworkArgs, config: Config): JudgeAddress {
  return args.judge ?? parseAddress(config.require("ENCLAVE_URL", "judge", "--judge ADDRESS"));
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
