/**
 * A small network in a folder, whose parties can die and be started again from their files: a validator with a
 * judge, miners with cheap gradients that help, an aggregator. Everything is the real code but the clock.
 *
 * @module
 */
import { modelHash } from "../../enclave/model/modelhash.ts";
import { type ModelConfig, pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { type Bytes, utf8 } from "../../enclave/protocol/bytes.ts";
import type { Dataset } from "../../enclave/protocol/dataset.ts";
import { DEFAULT_HPARAMS, type Hparams } from "../../enclave/protocol/hparams.ts";
import { Aggregator } from "../../host/aggregator.ts";
import { LocalBeacon } from "../../host/beacon.ts";
import { watchJudge } from "../../host/courier/watch.ts";
import { openTestRoot } from "../../host/credentials/test_root.ts";
import type { GradientReader } from "../../host/gradient_reader.ts";
import { Journal } from "../../host/journal.ts";
import { useNativeSha256 } from "../../host/cli/native.ts";
import { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import type { Address } from "../../host/ledger/ledger.ts";
import type { Clock } from "../../host/ledger/clock.ts";
import type { Ledger } from "../../host/ledger/ledger.ts";
import type { Log } from "../../host/ledger/log.ts";
import type { BeaconSource } from "../../host/ledger/randomness.ts";
import { address } from "../../host/ledger/testing.ts";
import { Bases, genesisBase } from "../../host/store/bases.ts";
import { LocalStore } from "../../host/store/local.ts";
import { Pages, type PageSource } from "../../host/store/pages.ts";
import type { Store, StoreError } from "../../host/store/store.ts";
import { Validator, type ValidatorParts } from "../../host/validator.ts";
import { MinerJournal } from "../../miner/journal.ts";
import { Miner } from "../../miner/miner.ts";
import type { GradientSource } from "../../miner/source.ts";
import { CheapSource } from "./cheap_source.ts";
import {
  JOURNAL_CALLS,
  JUDGE_CALLS,
  LEDGER_CALLS,
  Life,
  type Moment,
  STORE_CALLS,
} from "./faults.ts";
import { PCRS, TestJudge } from "./judge.ts";
import { type Running, Turns } from "./turns.ts";

/** Model of every world. */
export const MODEL: ModelConfig = PRESETS.tiny;
/** Number of the first window. */
export const FIRST = 1;
/** When it starts. */
const START_MS = 1_800_000_000_000;
const WINDOW_MS = 10_000;
/** How often a window a judge is watched. */
const LOOKS = 50;
const BEACON = { genesisMs: START_MS - 1_000, periodMs: 200 };
const PAGES = 120;

/** Hparams of every world: short windows, few pages. */
export const HPARAMS: Hparams = {
  ...DEFAULT_HPARAMS,
  window_ms: WINDOW_MS,
  beacon_margin_ms: 100,
  min_judge_ms: 1_000,
  own_pages: 4,
  random_pages: 4,
  heldout_pages: 4,
  max_gradient_bytes: 100_000,
  randomness_kind: 1, // drawn by the ledger: a beacon's proofs would take most of the time
  overlap_bps: 10_001, // all gradients here touch the same few parameters
  checkpoint_frequency: 2,
  retention_windows: 6,
  key_ttl_ms: 365 * 86_400_000,
};

/** Owners of the slots. */
export const VALIDATOR = address(0x2000);
/** See {@link VALIDATOR}. */
export const minerOwner = (uid: number): string => address(0x1000 + uid);

function pages(): Pages {
  let state = 7;
  const tokens = Uint32Array.from({ length: PAGES * pageTokens(MODEL) }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const uniform = (state >>> 8) / 2 ** 24;
    return 32 + Math.floor(90 * uniform ** 4); // a few tokens are far more frequent than the others
  });
  return Pages.fromTokens(tokens, pageTokens(MODEL), sha256(utf8("bytes")));
}

useNativeSha256();
const PAGE_SET = pages();
const signatures = new Map<bigint, Uint8Array<ArrayBuffer>>();

/** How a world is founded. */
export interface WorldOptions {
  /** Changes to {@link HPARAMS}. */
  readonly hparams?: Partial<Hparams>;
  /** Founding miners; default 2. */
  readonly miners?: number;
  /** Hears every log line of every party. */
  readonly log?: Log;
  /** The data, and how a party opens it; default: pages in memory. */
  readonly data?: { readonly dataset: Dataset; open(): Promise<PageSource> };
  /** What a party asks instead of the local beacon itself. */
  readonly beacon?: (local: BeaconSource) => BeaconSource;
  /** The clock of validators and miners; default: the world's. */
  readonly clock?: (clock: Clock, ledger: Ledger) => Clock;
  /** Where a miner's gradients come from; default: {@link CheapSource}. */
  readonly source?: GradientSource;
  /** The model, and what of it the judge takes by hash; default: {@link MODEL}. */
  readonly model?: {
    readonly config: ModelConfig;
    readonly blobs: NonNullable<ValidatorParts["modelBlobs"]>;
  };
  /** Who owns the validator's seat; default: {@link VALIDATOR}. */
  readonly validator?: Address;
  /** Where a miner puts its gradients; default: the store that all share. */
  readonly uploads?: (uid: number) => Store;
  /** What the validator reads gradients with; default: the shared store alone. */
  readonly reader?: (parts: Pick<ValidatorParts, "ledger" | "store">) => Promise<GradientReader>;
}

/** Why a store does not give an object, or null where it does. */
export interface StoreFaults {
  /** Asked before every `get`. */
  readonly get?: (key: string) => StoreError | null;
}

function faulty(store: Store, { get }: StoreFaults): Store {
  return {
    put: (...args) => store.put(...args),
    get: (key, options) => {
      const error = get?.(key) ?? null;
      return error === null ? store.get(key, options) : Promise.reject(error);
    },
    head: (key) => store.head(key),
    list: (...args) => store.list(...args),
    delete: (key) => store.delete(key),
  };
}

let template: Promise<string> | undefined;
/** The keys that all worlds of this process share: they cost more than all the rest. */
async function keys(): Promise<string> {
  return await (template ??= (async () => {
    const dir = await Deno.makeTempDir({ prefix: "vramhub-crash-" });
    await Deno.mkdir(`${dir}/keys`);
    await openTestRoot(`${dir}/keys`);
    await LocalBeacon.open(`${dir}/keys`, { ...BEACON, now: () => 0 });
    globalThis.addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
    return `${dir}/keys`;
  })());
}

/** See the module. */
export class World {
  /** Its folder. */
  readonly dir: string;
  /** Its time. */
  readonly turns = new Turns(START_MS);
  /** Reads what the parties did. */
  readonly ledger: DevLedger;
  /** The validator's judge: it may outlive its validator. */
  readonly judge: TestJudge;
  /** The key that its validator attested last. */
  attested: Bytes | undefined;
  readonly #log: Log;
  readonly #options: WorldOptions;

  private constructor(dir: string, judge: TestJudge, ledger: DevLedger, options: WorldOptions) {
    this.dir = dir;
    this.judge = judge;
    this.ledger = ledger;
    this.#log = options.log ?? (() => {});
    this.#options = options;
  }

  /** Found a world in a folder of its own. */
  static async found(options: WorldOptions = {}): Promise<World> {
    const { data, hparams = {}, miners = 2 } = options;
    const dir = await Deno.makeTempDir({ prefix: "vramhub-crash-" });
    const root = await openTestRoot(await keys());
    const box: { now: () => number } = { now: () => START_MS };
    const leaf = await root.issueLeaf({ now: START_MS - 86_400_000 });
    const judge = await TestJudge.start(leaf, () => box.now());
    const clock = { now: () => box.now(), until: () => Promise.reject(new Error("No waiting")) };
    const ledger = DevLedger.open(`${dir}/ledger.sqlite`, clock);
    const world = new World(dir, judge, ledger, options);
    box.now = () => world.turns.now();
    const { config: model } = options.model ?? { config: MODEL };
    const hash = modelHash(model);
    ledger.found({
      chainId: sha256(utf8("chain")),
      ledgerId: sha256(utf8("ledger")),
      admin: address(0xad),
      model: model.name,
      modelHash: hash,
      baseHash: genesisBase(model, hash).hash,
      dataset: data?.dataset ?? PAGE_SET.dataset,
      beacon: (await world.beacon()).chain,
      hparams: { ...HPARAMS, ...hparams },
      epoch: { firstWindow: FIRST, startMs: START_MS },
      measurements: [{ name: "crash-test", pcrs: PCRS }],
      simulatedRoot: root.root,
      seats: [
        {
          role: "validator",
          owner: options.validator ?? VALIDATOR,
          stake: BigInt(HPARAMS.min_validator_stake),
        },
        ...Array.from({ length: miners }, (_, uid) => ({
          role: "miner" as const,
          owner: minerOwner(uid),
          stake: BigInt(HPARAMS.min_miner_stake),
        })),
      ],
    });
    return world;
  }

  /** The beacon; signatures are kept, since all worlds have the same. */
  async beacon(): Promise<BeaconSource> {
    const local = await LocalBeacon.open(await keys(), { ...BEACON, now: () => this.turns.now() });
    const known: BeaconSource = {
      chain: local.chain,
      signature: (round) => {
        const signature = signatures.get(round) ?? local.signature(round);
        signatures.set(round, signature);
        return signature;
      },
    };
    return this.#options.beacon?.(known) ?? known;
  }

  get #model(): ModelConfig {
    return this.#options.model?.config ?? MODEL;
  }

  async #pages(): Promise<PageSource> {
    return await this.#options.data?.open() ?? PAGE_SET;
  }

  /** Start the validator from its files; its store may fail. `started` hears of it before it attests. */
  validator(
    life: Life = new Life(),
    fails: StoreFaults = {},
    started: (validator: Validator) => void = () => {},
  ): Running {
    return this.turns.spawn("validator", async (turns, signal) => {
      using ledger = DevLedger.open(`${this.dir}/ledger.sqlite`, turns);
      const clock = this.#options.clock?.(turns, ledger) ?? turns;
      const store = await LocalStore.open(`${this.dir}/store`);
      using journal = await Journal.open(`${this.dir}/validator.journal`);
      const parts = {
        ledger: life.wrap("ledger", ledger, LEDGER_CALLS),
        store: life.wrap("store", faulty(store, fails), STORE_CALLS),
      };
      using gradients = await this.#options.reader?.(parts);
      const validator = new Validator({
        ...parts,
        bases: await Bases.open(parts.ledger, parts.store, this.#model),
        pages: await this.#pages(),
        beacon: await this.beacon(),
        clock,
        judge: life.wrap("judge", this.judge, JUDGE_CALLS),
        restartJudge: () => this.judge.restart(),
        model: this.#model,
        modelBlobs: this.#options.model?.blobs ?? [],
        owner: this.#options.validator ?? VALIDATOR,
        ...(gradients === undefined ? {} : { gradients }),
        uid: 0,
        journal: life.wrap("journal", journal, JOURNAL_CALLS),
        log: this.#log,
        events: {
          phase: () => {},
          attested: (key) => void (this.attested = key),
          ended: () => {},
        },
      });
      started(validator);
      await validator.attest();
      await validator.run(await ledger.currentWindow(), Infinity, signal);
    });
  }

  /** Ask the judge now and then whether it is the one that was attested, as validators do whose judge dwells elsewhere. */
  watch(mend: () => Promise<void>): Running {
    return this.turns.spawn("watch", async (clock, signal) => {
      const options = { clock, everyMs: WINDOW_MS / LOOKS, signal, mend };
      await watchJudge(this.judge, { ...options, attested: () => this.attested });
    });
  }

  /** Let something happen at a time. */
  at(ms: number, name: string, run: () => Promise<void>): Running {
    return this.turns.spawn(name, async (clock) => {
      await clock.until(ms);
      await run();
    });
  }

  /** Start a miner from its files. */
  miner(uid: number, life: Life = new Life()): Running {
    return this.turns.spawn(`miner ${uid}`, async (turns, signal) => {
      using ledger = DevLedger.open(`${this.dir}/ledger.sqlite`, turns);
      const clock = this.#options.clock?.(turns, ledger) ?? turns;
      const store = life.wrap("store", await LocalStore.open(`${this.dir}/store`), STORE_CALLS);
      const own = this.#options.uploads?.(uid);
      using journal = await MinerJournal.open(`${this.dir}/miner-${uid}`);
      const parts = {
        ledger: life.wrap("ledger", ledger, LEDGER_CALLS),
        store: own === undefined ? store : life.wrap("store", own, STORE_CALLS),
      };
      const miner = new Miner({
        ...parts,
        bases: await Bases.open(parts.ledger, store, this.#model),
        pages: await this.#pages(),
        beacon: await this.beacon(),
        clock,
        journal: life.wrap("journal", journal, { ...JOURNAL_CALLS, save: () => "save" }),
        owner: minerOwner(uid),
        uid,
        source: this.#options.source ?? new CheapSource(this.#model),
        log: this.#log,
      });
      await miner.run(signal);
    });
  }

  /** Start the aggregator. */
  aggregator(life: Life = new Life()): Running {
    return this.turns.spawn("aggregator", async (clock, signal) => {
      using ledger = DevLedger.open(`${this.dir}/ledger.sqlite`, clock);
      const store = life.wrap("store", await LocalStore.open(`${this.dir}/store`), STORE_CALLS);
      const bases = await Bases.open(ledger, store, this.#model);
      const parts = { ledger, store, bases, model: this.#model, clock, log: this.#log };
      await new Aggregator(parts).run(signal);
    });
  }

  /** The window at this moment. */
  window(): Promise<number> {
    return this.ledger.currentWindow();
  }

  /** Drive it until `window` is closed or skipped; whoever dies on the way is started again by `mortals`. */
  async until(window: number, mortals: readonly Mortal[] = []): Promise<void> {
    await this.turns.drive(async () => {
      for (const mortal of mortals) await mortal.mourn();
      if (await this.window() <= window) return false;
      const { status } = await this.ledger.window(window);
      return status === "closed" || status === "skipped";
    });
  }

  /** Drive it for `ms` more. */
  async pass(ms: number, mortals: readonly Mortal[] = []): Promise<void> {
    const end = this.turns.now() + ms;
    this.turns.spawn("bystander", (clock) => clock.until(end));
    await this.turns.drive(async () => {
      for (const mortal of mortals) await mortal.mourn();
      return this.turns.now() >= end;
    });
  }

  /** A party that is started again `downMs` after its death. */
  mortal(
    start: (life: Life) => Running,
    dies: (moment: Moment, index: number) => boolean,
    options: { readonly downMs?: number; readonly onDeath?: () => Promise<void> } = {},
  ): Mortal {
    return new Mortal(this.turns, start, dies, options.downMs ?? 20, options.onDeath);
  }

  /** The journal's steps of a party, as its file has them. */
  async steps(file: string): Promise<Record<string, unknown>[]> {
    const text = await Deno.readTextFile(`${this.dir}/${file}`);
    return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  }

  /** Cut a line off in the middle of the file, as a crash does. */
  async tear(file: string): Promise<void> {
    await Deno.writeTextFile(`${this.dir}/${file}`, '{"step":"rep', { append: true });
  }

  /** Stop everybody and remove the folder. */
  async close(parties: readonly (Running | Mortal)[]): Promise<void> {
    for (const party of parties) party.stop();
    await Promise.all(parties.map(({ ended }) => ended));
    await this.judge.end();
    this.ledger[Symbol.dispose]();
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** A party with one death before it. */
export class Mortal {
  /** The life that ends, and the one after it. */
  readonly lives: Life[];
  readonly #turns: Turns;
  readonly #start: (life: Life) => Running;
  readonly #downMs: number;
  readonly #onDeath: () => Promise<void>;
  #running: Running;
  #buried = false;

  /** Starts it. */
  constructor(
    turns: Turns,
    start: (life: Life) => Running,
    dies: (moment: Moment, index: number) => boolean,
    downMs: number,
    onDeath: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#turns = turns;
    this.#start = start;
    this.#downMs = downMs;
    this.#onDeath = onDeath;
    this.lives = [new Life(dies, () => this.#running.stop())];
    this.#running = start(this.lives[0]!);
  }

  /** Where it has died, start it again when its time has come. */
  async mourn(): Promise<void> {
    if (this.#buried || this.lives[0]!.death === undefined) return;
    this.#buried = true;
    await this.#running.ended;
    await this.#onDeath();
    this.#turns.spawn("undertaker", async (clock) => {
      await clock.until(clock.now() + this.#downMs);
      this.lives.push(new Life());
      this.#running = this.#start(this.lives[1]!);
    });
  }

  /** What its present life threw. */
  get error(): unknown {
    return this.#running.error;
  }

  /** See {@link Running}. */
  get ended(): Promise<void> {
    return this.#running.ended;
  }

  /** See {@link Running}. */
  stop(): void {
    this.#running.stop();
  }
}
