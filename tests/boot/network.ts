/**
 * A network of two validators for one window: one asks a judge in an emulated enclave, the other one in this process.
 * Everything is the real code but the clock, and the notary's signature on the emulator's documents.
 *
 * @module
 */
import { modelHash } from "../../enclave/model/modelhash.ts";
import { paramManifest } from "../../enclave/model/params.ts";
import { pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { safetensorsHeader } from "../../enclave/model/safetensors.ts";
import { type Bytes, utf8 } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS, type Hparams } from "../../enclave/protocol/hparams.ts";
import { RECIPES } from "../../host/cli/testmode/calibrate.ts";
import { IdleSource, PoisonedSource } from "../../host/cli/testmode/companions.ts";
import { openDataset } from "../../host/cli/testmode/dataset.ts";
import type { JudgeLike } from "../../host/courier/judge_like.ts";
import type { RemoteJudge } from "../../host/courier/remote_judge.ts";
import { watchJudge } from "../../host/courier/watch.ts";
import type { TestRoot } from "../../host/credentials/test_root.ts";
import { Journal } from "../../host/journal.ts";
import { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import type { Log } from "../../host/ledger/log.ts";
import { address } from "../../host/ledger/testing.ts";
import { Bases, genesisBase } from "../../host/store/bases.ts";
import { LocalStore } from "../../host/store/local.ts";
import type { Pages } from "../../host/store/pages.ts";
import { Validator, type ValidatorEvents } from "../../host/validator.ts";
import { patternedBatches } from "../../miner/adapters/conformance.ts";
import { OnnxAdapter } from "../../miner/adapters/onnx.ts";
import { AdapterSource } from "../../miner/adapters/source.ts";
import { MinerJournal } from "../../miner/journal.ts";
import { Miner } from "../../miner/miner.ts";
import type { GradientSource, Produced } from "../../miner/source.ts";
import { PCRS } from "../crash/judge.ts";
import { type Running, Turns } from "../crash/turns.ts";
import { RECORDED, START_MS, WINDOW_MS } from "./quicknet.ts";

/** The model. */
export const MODEL = PRESETS.tiny;
/** The number of the window. */
export const WINDOW = 1;
/** Slots of the validators. */
export const GUEST = 0;
/** See {@linkcode GUEST}. */
export const LOCAL = 1;

const ADMIN = address(0xad);
const validatorOwner = (uid: number) => address(0x2000 + uid);
const minerOwner = (uid: number) => address(0x1000 + uid);

/** Few pages: an emulated CPU does a few hundred million operations a second. */
const HPARAMS: Hparams = {
  ...DEFAULT_HPARAMS,
  window_ms: WINDOW_MS,
  topk_bps: 500,
  own_pages: 4,
  random_pages: 8,
  heldout_pages: 8,
  miner_bps: 5_000,
  validator_bps: 2_000,
  treasury_bps: 3_000,
};

/** Gives every miner that shares it the gradient of the first: all but the first to commit are copiers. */
class SharedSource implements GradientSource {
  readonly name = "shared";
  readonly device = "cpu";
  readonly #source: GradientSource;
  #produced: Promise<Produced> | undefined;

  constructor(source: GradientSource) {
    this.#source = source;
  }

  produce(assignment: Parameters<GradientSource["produce"]>[0]): Promise<Produced> {
    return this.#produced ??= this.#source.produce(assignment);
  }
}

/** What trains all of them. */
export function startTrainer(): Promise<OnnxAdapter> {
  const { innerSteps, lr } = RECIPES.tiny!.training;
  const settings = { innerSteps, lr, percent: HPARAMS.topk_bps / 100 };
  const batches = patternedBatches(pageTokens(MODEL), MODEL.batch);
  const zeros = new Float32Array(paramManifest(MODEL).total);
  return OnnxAdapter.start({ batches, settings }, MODEL, zeros);
}

/** Two that train, one that copies, one that sends zeros, one that does harm: a source each, by uid. */
function sources(trainer: OnnxAdapter): GradientSource[] {
  const { decay } = RECIPES.tiny!.training;
  const header = safetensorsHeader(paramManifest(MODEL));
  const honest = () => new AdapterSource(trainer, { device: "cpu", decay, header });
  const shared = new SharedSource(honest());
  return [honest(), shared, shared, new IdleSource(), new PoisonedSource(MODEL)];
}

/** See the module. */
export class BootNetwork {
  readonly dir: string;
  readonly ledger: DevLedger;
  readonly turns: Turns;
  readonly #pages: Pages;
  readonly #trainer: OnnxAdapter;
  readonly #log: Log;

  private constructor(
    dir: string,
    ledger: DevLedger,
    turns: Turns,
    pages: Pages,
    trainer: OnnxAdapter,
    log: Log,
  ) {
    this.dir = dir;
    this.ledger = ledger;
    this.turns = turns;
    this.#pages = pages;
    this.#trainer = trainer;
    this.#log = log;
  }

  /** Found it in `dir`: its first window begins. Approved are the image of `pcrs` and the judge of this process. */
  static async found(
    dir: string,
    root: TestRoot,
    pcrs: readonly [Bytes, Bytes, Bytes],
    trainer: OnnxAdapter,
    log: Log,
  ): Promise<BootNetwork> {
    const turns = new Turns(START_MS);
    const idle = () => Promise.reject(new Error("Only parties wait"));
    const ledger = DevLedger.open(`${dir}/ledger.sqlite`, { now: () => turns.now(), until: idle });
    const pages = await openDataset(`${dir}/dataset`, MODEL);
    const hash = modelHash(MODEL);
    const seats = sources(trainer);
    ledger.found({
      chainId: sha256(utf8("chain")),
      ledgerId: sha256(utf8("ledger")),
      admin: ADMIN,
      model: MODEL.name,
      modelHash: hash,
      baseHash: genesisBase(MODEL, hash).hash,
      dataset: pages.dataset,
      beacon: RECORDED.chain,
      hparams: HPARAMS,
      epoch: { firstWindow: WINDOW, startMs: START_MS },
      measurements: [{ name: "image", pcrs }, { name: "local", pcrs: [...PCRS] }],
      simulatedRoot: root.root,
      seats: [
        ...[GUEST, LOCAL].map((uid) => ({
          role: "validator" as const,
          owner: validatorOwner(uid),
          stake: BigInt(HPARAMS.min_validator_stake),
        })),
        ...seats.map((_, uid) => ({
          role: "miner" as const,
          owner: minerOwner(uid),
          stake: BigInt(HPARAMS.min_miner_stake),
        })),
      ],
    });
    return new BootNetwork(dir, ledger, turns, pages, trainer, log);
  }

  /** Start the validator of slot `uid`, which judges the one window. */
  validator(
    uid: number,
    judge: JudgeLike,
    events: Partial<ValidatorEvents> = {},
    started: (validator: Validator) => void = () => {},
  ): Running {
    return this.turns.spawn(`validator ${uid}`, async (clock, signal) => {
      const { ledger } = this;
      const store = await LocalStore.open(`${this.dir}/store`);
      using journal = await Journal.open(`${this.dir}/validator-${uid}.journal`);
      const validator = new Validator({
        ledger,
        store,
        bases: await Bases.open(ledger, store, MODEL),
        pages: this.#pages,
        beacon: RECORDED,
        clock,
        judge,
        model: MODEL,
        owner: validatorOwner(uid),
        uid,
        journal,
        log: (level, target, message, fields) =>
          this.#log(level, target, message, { ...fields, validator: uid }),
        events: { phase: () => {}, attested: () => {}, ended: () => {}, ...events },
      });
      await validator.attest();
      started(validator);
      await validator.run(WINDOW, 1, signal);
    });
  }

  /** Start all miners, which take part in the one window. */
  miners(): Running[] {
    return sources(this.#trainer).map((source, uid) =>
      this.turns.spawn(`miner ${uid}`, async (clock, signal) => {
        const { ledger } = this;
        const store = await LocalStore.open(`${this.dir}/store`);
        using journal = await MinerJournal.open(`${this.dir}/miner-${uid}`);
        const miner = new Miner({
          ledger,
          store,
          bases: await Bases.open(ledger, store, MODEL),
          pages: this.#pages,
          beacon: RECORDED,
          clock,
          journal,
          owner: minerOwner(uid),
          uid,
          source,
          log: this.#log,
        });
        await miner.run(signal, 1);
      })
    );
  }

  /** Look after the judge of a validator, a hundred times in the window, until its reveals are over. */
  watch(judge: RemoteJudge, attested: () => Bytes | undefined, mend: () => Promise<void>): Running {
    return this.turns.spawn("watch", async (clock, stop) => {
      const everyMs = WINDOW_MS / 100;
      const over = new AbortController();
      const signal = AbortSignal.any([stop, over.signal]);
      const { deadlines } = await this.ledger.window(WINDOW);
      const until = (ms: number, signal?: AbortSignal) => {
        if (ms >= deadlines.reveal) over.abort();
        return over.signal.aborted ? Promise.reject(over.signal.reason) : clock.until(ms, signal);
      };
      await watchJudge(judge, { clock: { ...clock, until }, everyMs, signal, attested, mend });
    });
  }

  /** Start something else at `ms` after the window's start. */
  at(ms: number, name: string, run: () => Promise<void>): Running {
    return this.turns.spawn(name, async (clock) => {
      await clock.until(START_MS + ms);
      await run();
    });
  }

  /** Until all of `parties` have ended. */
  async drive(parties: readonly Running[]): Promise<void> {
    let running = parties.length;
    for (const { ended } of parties) void ended.then(() => running--);
    await this.turns.drive(async () => {
      await new Promise((resolve) => setTimeout(resolve)); // who has ended is counted a little later
      return running === 0;
    });
  }

  /** Close the ledger. */
  [Symbol.dispose](): void {
    this.ledger[Symbol.dispose]();
  }
}
