/**
 * A ledger with a board of jobs, one validator whose judge listens on a socket, and a miner: everything is the real
 * code but the clock, and no window is judged.
 *
 * @module
 */
import { Judge } from "../../enclave/judge.ts";
import { modelHash } from "../../enclave/model/modelhash.ts";
import { type ModelConfig, pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { SimulatedNsm } from "../../enclave/nsm/simulated.ts";
import { type Bytes, utf8 } from "../../enclave/protocol/bytes.ts";
import { QUICKNET } from "../../enclave/protocol/drand.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { judgeHandler } from "../../enclave/server.ts";
import { registerJudge } from "../../host/attester.ts";
import { JudgeClient } from "../../host/courier/judge_client.ts";
import { openTestRoot } from "../../host/credentials/test_root.ts";
import { JobDesk } from "../../host/job_desk.ts";
import { VirtualClock } from "../../host/ledger/clock.ts";
import { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import type { JobSpec } from "../../host/ledger/jobs.ts";
import type { Address } from "../../host/ledger/ledger.ts";
import type { Log } from "../../host/ledger/log.ts";
import { address, FAST, minerOf, T0, validatorOf } from "../../host/ledger/testing.ts";
import { COIN, CUSTOMER, HOUR } from "../../host/ledger/testing_coins.ts";
import { type Base, genesisBase } from "../../host/store/bases.ts";
import { firstOf, GENESIS_REF } from "../../host/store/job_weights.ts";
import { LocalStore } from "../../host/store/local.ts";
import { Pages } from "../../host/store/pages.ts";
import { OnnxAdapter } from "../../miner/adapters/onnx.ts";
import { patternedBatches } from "../../miner/adapters/conformance.ts";
import { JobMiner } from "../../miner/job/job_miner.ts";
import type { JobMinerParts } from "../../miner/job/job_parts.ts";

/** The model of every job here. */
export const MODEL: ModelConfig = PRESETS.tiny;
const PAGES = 120;
const PCRS: readonly [Bytes, Bytes, Bytes] = [1, 2, 3].map((n) => new Uint8Array(48).fill(n)) as [
  Bytes,
  Bytes,
  Bytes,
];

/** Pages in which a few tokens are far more frequent than the others: a little training shows. */
function makePages(): Pages {
  let state = 7;
  const tokens = Uint32Array.from({ length: PAGES * pageTokens(MODEL) }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return 32 + Math.floor(90 * ((state >>> 8) / 2 ** 24) ** 4);
  });
  return Pages.fromTokens(tokens, pageTokens(MODEL), sha256(utf8("bytes")));
}

/** See the module. */
export class JobNetwork {
  /** Its folder. */
  readonly dir: string;
  /** Moved by tests alone. */
  readonly clock: VirtualClock;
  /** The ledger. */
  readonly ledger: DevLedger;
  /** The store that all share. */
  readonly store: LocalStore;
  /** The data. */
  readonly pages: Pages;
  /** The first base. */
  readonly genesis: Base;
  /** The validator's judge, over its socket. */
  readonly judge: JudgeClient;
  /** Every log line, as `message key=value …`. */
  readonly lines: string[] = [];
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    parts: Pick<
      JobNetwork,
      "clock" | "dir" | "genesis" | "judge" | "ledger" | "pages" | "store"
    >,
    cleanup: AsyncDisposableStack,
  ) {
    this.dir = parts.dir;
    this.clock = parts.clock;
    this.ledger = parts.ledger;
    this.store = parts.store;
    this.pages = parts.pages;
    this.genesis = parts.genesis;
    this.judge = parts.judge;
    this.#cleanup = cleanup;
  }

  /** Found it; customer and miners 0 and 1 have 10 SUI each. */
  static async found(): Promise<JobNetwork> {
    await using guard = new AsyncDisposableStack();
    const dir = await Deno.makeTempDir({ prefix: "vramhub-job-" });
    guard.defer(() => Deno.remove(dir, { recursive: true }));
    const clock = new VirtualClock(T0);
    const root = await openTestRoot(`${dir}/keys`);
    const leaf = await root.issueLeaf({ now: T0 - HOUR });
    const nsm = await SimulatedNsm.create({ ...leaf, pcrs: PCRS, clock: () => clock.now() });
    const judge = new Judge(nsm, { blobBytes: 64 << 20, threads: 1 });
    guard.defer(() => judge.close());
    const path = `${dir}/judge.sock`;
    const server = Deno.serve({ path, onListen: () => {} }, judgeHandler(judge));
    guard.defer(() => server.shutdown());
    const client = JudgeClient.unix(path);
    guard.defer(() => client.close());
    const ledger = DevLedger.open(`${dir}/ledger.sqlite`, clock);
    guard.defer(() => ledger[Symbol.dispose]());
    const pages = makePages();
    const hash = modelHash(MODEL);
    const genesis = genesisBase(MODEL, hash);
    ledger.found({
      chainId: sha256(utf8("chain")),
      ledgerId: sha256(utf8("ledger")),
      admin: address(0xad),
      model: MODEL.name,
      modelHash: hash,
      baseHash: genesis.hash,
      dataset: pages.dataset,
      beacon: QUICKNET,
      hparams: { ...FAST, heldout_pages: 4, key_ttl_ms: 100 * HOUR },
      epoch: { firstWindow: 0, startMs: T0 },
      measurements: [{ name: "job-test", pcrs: PCRS }],
      simulatedRoot: root.root,
      seats: [
        { role: "validator", owner: validatorOf(0), stake: 10_000n },
        { role: "miner", owner: minerOf(0), stake: 5_000n },
        { role: "miner", owner: minerOf(1), stake: 5_000n },
      ],
    });
    for (const who of [CUSTOMER, minerOf(0), minerOf(1)]) ledger.faucet(who, 10n * COIN);
    await registerJudge(client, ledger, validatorOf(0), 0);
    const store = await LocalStore.open(`${dir}/store`);
    const parts = { clock, dir, genesis, judge: client, ledger, pages, store };
    return new JobNetwork(parts, guard.move());
  }

  /** Takes log lines. */
  readonly log: Log = (_level, _target, message, fields = {}) => {
    const said = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
    this.lines.push([message, ...said].join(" "));
  };

  /** Post a job of an hour that asks for a hundredth of a nat. */
  post(change: Partial<JobSpec> = {}, customer: Address = CUSTOMER): Promise<number> {
    const spec: JobSpec = {
      modelParamsM: 1,
      datasetTokensM: 1,
      numEpochs: 1,
      batchSize: MODEL.batch,
      sequenceLength: MODEL.context,
      precision: "FP32",
      minGpuVramGb: 0,
      datasetId: 0,
      baseHash: this.genesis.hash,
      baseRef: GENESIS_REF,
      minImprovement: 10_000,
      ...change,
    };
    return this.ledger.postJob(customer, spec, this.clock.now() + HOUR);
  }

  /** A new start of miner `i`. */
  miner(i = 0, change: Partial<JobMinerParts> = {}): JobMiner {
    const { clock, dir, ledger, log, pages, store } = this;
    return new JobMiner({
      clock,
      ledger,
      log,
      store,
      read: firstOf([store]),
      data: () => Promise.resolve(pages),
      model: MODEL,
      trainer: trainTiny,
      owner: minerOf(i),
      uid: i,
      dir: `${dir}/miner-${i}`,
      ...change,
    });
  }

  /** A new start of the validator's desk. */
  desk(): JobDesk {
    const { clock, dir, judge, ledger, log, pages, store } = this;
    return new JobDesk({
      clock,
      judge,
      ledger,
      log,
      store,
      data: () => Promise.resolve(pages),
      model: MODEL,
      owner: validatorOf(0),
      uid: 0,
      dir: `${dir}/verdicts`,
    });
  }

  /** MIST of an address. */
  async sui(who: string): Promise<bigint> {
    return (await this.ledger.balance(who)).sui;
  }

  /** Close and remove it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

/** The trainer that mines windows otherwise. */
export function trainTiny(model: ModelConfig, innerSteps: number): Promise<OnnxAdapter> {
  const batches = patternedBatches(pageTokens(model), model.batch);
  const settings = { innerSteps, lr: 3e-3, percent: 100 };
  return OnnxAdapter.start({ batches, settings }, model, new Float32Array(0), { threads: 1 });
}
