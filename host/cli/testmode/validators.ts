/**
 * The validators of a test network: each with a judge, a journal and a key of its own; the last one may lie.
 *
 * @module
 */
import { type Bytes, toHex } from "../../../enclave/protocol/bytes.ts";
import type { SimulatedPcrs } from "../../credentials/measure.ts";
import { RemoteJudge } from "../../courier/remote_judge.ts";
import type { JudgeAddress } from "../../courier/transport.ts";
import { watchJudge } from "../../courier/watch.ts";
import { JobDesk } from "../../job_desk.ts";
import { Journal } from "../../journal.ts";
import type { Clock } from "../../ledger/clock.ts";
import type { WindowView } from "../../ledger/ledger.ts";
import type { Log } from "../../ledger/log.ts";
import type { Bases } from "../../store/bases.ts";
import type { Monitor } from "../../monitoring/monitor.ts";
import { judgeProbe } from "../../monitoring/probes.ts";
import { Validator, type ValidatorPhase } from "../../validator.ts";
import type { Liar } from "../args_values.ts";
import { openJobData } from "../open_job_data.ts";
import type { Phase, RunEvent } from "../present/mod.ts";
import { lie } from "./liars.ts";
import { LocalJudge } from "./local_judge.ts";
import { type TestNetwork, wallet } from "./network.ts";
import type { TestStores } from "./stores.ts";

const TARGET = "vramhub_validator";
/** How often a window a judge that dwells elsewhere is asked whether it is the one that was attested. */
const LOOKS = 50;

/** What all validators of a process share. */
export interface ValidatorHost {
  /** The network. */
  readonly network: TestNetwork;
  /** PCR0–2 of its judges. */
  readonly pcrs: SimulatedPcrs;
  /** Where gradients lie. */
  readonly stores: TestStores;
  /** Bases, brought forward by replay. */
  readonly bases: Bases;
  /** Time. */
  readonly clock: Clock;
  /** Log lines. */
  readonly log: Log;
  /** Components and numbers. */
  readonly monitor: Monitor;
  /** Shows events. */
  readonly show: (event: RunEvent) => void;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** A validator that is attested. */
export interface OpenValidator {
  /** Its slot. */
  readonly uid: number;
  /** Its loop. */
  readonly validator: Validator;
  /** Ends the judge and closes the journal. */
  close(): Promise<void>;
}

/** What is particular to a validator. */
export interface ValidatorOptions {
  /** How its courier lies; undefined is honest. */
  readonly liar: Liar | undefined;
  /** Where its judge listens; undefined starts one. */
  readonly judge: JudgeAddress | undefined;
}

/** Start or find the judge of validator `index`, attest and register it. Only the first one shows its phases. */
export async function openValidator(
  host: ValidatorHost,
  index: number,
  options: ValidatorOptions,
  ended: (view: WindowView) => void | Promise<void>,
): Promise<OpenValidator> {
  const { network, bases, clock, monitor, show } = host;
  const { liar } = options;
  const { dir, ledger } = network;
  const owner = await wallet(dir, `validator-${index}`);
  const uid = (await ledger.validators()).find((row) => row.owner === owner)?.uid;
  if (uid === undefined) {
    throw new TypeError(`Cannot start validator ${index}: the network has no seat for it`);
  }
  const log: Log = index === 0
    ? host.log
    : (level, target, message, fields = {}) =>
      host.log(level, target, message, { ...fields, validator: uid });
  const journal = await Journal.open(`${dir}/validator-${index}.journal`);
  const judge = options.judge !== undefined
    ? await RemoteJudge.open(options.judge)
    : await LocalJudge.start({
      socketNote: `${dir}/validator-${index}.socket`,
      root: network.root,
      pcrs: host.pcrs,
      clock,
      signal: host.signal,
      onStderr: (line) => log("warn", "vramhub_judge", line),
      onEnded: (code) => {
        log("error", TARGET, "Judge ended", { validator_uid: uid, code });
        const detail = `Its process ended with status ${code}, and is started again`;
        monitor.health.failed("judge", uid, { reason: "ended", detail });
        void validator.mend(); // at once: a key that is registered before the reveals are over loses no window
      },
    });
  let attested: Bytes | undefined;
  monitor.health.watch("judge", uid, judgeProbe(judge, () => attested));
  const honest = { judge: monitor.judge(judge), store: network.store };
  const seen = liar === undefined ? honest : lie(liar, { ...honest, ledger, owner, log });
  const gradients = liar === "abstain" ? undefined : await host.stores.reader(owner, seen.store);
  const validator = new Validator({
    ...network,
    ...seen,
    ...(gradients === undefined ? {} : { gradients }),
    ...(judge instanceof LocalJudge ? { restartJudge: () => judge.restart() } : {}),
    bases,
    clock,
    owner,
    uid,
    journal,
    log,
    events: {
      phase: (window, phase, detail) => {
        if (index !== 0) return;
        show({ event: "phase", window, phase: PHASES[phase], progress: 0, detail });
      },
      attested: (key, { measurement, root }) => {
        attested = key;
        show({ event: "attestation", keyHex: toHex(key), measurement, root, verified: true });
      },
      ended,
    },
  });
  const mode = liar === undefined ? "Simulated" : `Simulated, lying courier (${liar})`;
  log("info", TARGET, "Validator starting", { validator_uid: uid, mode });
  const close = async () => {
    journal[Symbol.dispose]();
    gradients?.[Symbol.dispose]();
    await judge.close();
  };
  try {
    await validator.attest();
  } catch (error) {
    await close();
    throw error;
  }
  if (judge instanceof RemoteJudge) {
    const { hparams } = await ledger.window(await ledger.currentWindow());
    void watchJudge(judge, {
      clock,
      everyMs: hparams.window_ms / LOOKS,
      signal: host.signal,
      attested: () => attested,
      mend: () => validator.mend(),
    });
  }
  if (liar === undefined) {
    const parts = { ...network, judge, clock, owner, uid, log, dir: `${dir}/job-verdicts-${uid}` };
    const data = openJobData(network.pages, [network.store]);
    const desk = new JobDesk({ ...parts, data, ...(gradients === undefined ? {} : { gradients }) });
    void desk.run(host.signal);
  }
  return { uid, validator, close };
}

const PHASES: Readonly<Record<ValidatorPhase, Phase>> = {
  fetch: "judge",
  judge: "judge",
  report: "report",
  settle: "settle",
  outcome: "outcome",
};
