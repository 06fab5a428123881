/**
 * Where the parties meet for the tests: a dev ledger, judges that really judge (in this process, the tiny model),
 * the courier's own code, a store in a temporary folder, and a clock that jumps to whatever is waited for.
 *
 * @module
 */
import { Judge } from "../../enclave/judge.ts";
import { SimulatedNsm } from "../../enclave/nsm/simulated.ts";
import { manifestHash } from "../../enclave/protocol/base.ts";
import { type Bytes, concat } from "../../enclave/protocol/bytes.ts";
import { commitment } from "../../enclave/protocol/commit.ts";
import { assignedPages } from "../../enclave/protocol/dataset.ts";
import { firstRoundAfter } from "../../enclave/protocol/drand.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import type { Hparams } from "../../enclave/protocol/hparams.ts";
import { addressBytes } from "../../enclave/protocol/identity.ts";
import { encodeBody, type Payload, type Signed } from "../../enclave/protocol/judge_messages.ts";
import { decodeReport, type Report } from "../../enclave/protocol/report.ts";
import { outcomePayload, reportPayload, type RequestParts } from "../../host/courier/request.ts";
import { createTestRoot, type Leaf } from "../../host/credentials/test_root.ts";
import { VirtualClock } from "../../host/ledger/clock.ts";
import { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import type { WindowView } from "../../host/ledger/ledger.ts";
import {
  type BeaconSource,
  type WindowRandomness,
  windowRandomness,
} from "../../host/ledger/randomness.ts";
import {
  ADMIN,
  FAST,
  minerOf,
  pcrsOf,
  T0,
  validatorOf,
  WINDOW_MS,
} from "../../host/ledger/testing.ts";
import { gradientKey } from "../../host/store/keys.ts";
import { LocalStore } from "../../host/store/local.ts";
import { Pages } from "../../host/store/pages.ts";
import {
  BEACON,
  beaconSignature,
  CHAIN_ID,
  MODEL,
  type Submission,
  TestNet,
} from "../support/window.ts";

/** The salt of every commitment. */
const SALT = new Uint8Array(32).fill(7);

/** A clock that is at once where it is waited for: for one party that waits, and nobody beside it. */
export class JumpClock extends VirtualClock {
  /** Jumps to `ms`. */
  override until(ms: number): Promise<void> {
    if (ms > this.now()) this.set(ms);
    return Promise.resolve();
  }
}

let credentials: Promise<{ readonly root: Bytes; readonly leaf: Leaf }> | undefined;

/** One root and leaf for all networks of a process: who attests is not what these tests look at. */
async function makeCredentials(): Promise<{ readonly root: Bytes; readonly leaf: Leaf }> {
  const dir = await Deno.makeTempDir();
  try {
    const { root, issueLeaf } = await createTestRoot(dir);
    return { root, leaf: await issueLeaf({ now: T0, lifetimeMs: 86_400_000 }) };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const nets = new Map<string, TestNet>();

/** Model, base and data under `hparams`; made once, since nothing changes them. */
function netOf(hparams: Partial<Hparams>): TestNet {
  const key = JSON.stringify(hparams);
  const known = nets.get(key);
  if (known !== undefined) return known;
  const net = new TestNet({ ...FAST, heldout_pages: 16, max_gradient_bytes: 400_000, ...hparams });
  // Miners train on the pages that the ledger's beacon rounds assign.
  net.assigned = (window, uid) => {
    const round = firstRoundAfter(BEACON, T0 + window * WINDOW_MS);
    const beacon = sha256(beaconSignature(Number(round)));
    return assignedPages(net.dataset, uid, window, beacon, net.hparams.own_pages);
  };
  nets.set(key, net);
  return net;
}

let pages: Pages | undefined;

/** The data, which is the same for all, as a courier holds it. */
function pagesOf(net: TestNet): Pages {
  const { pageCount, pageTokens, tokenizerHash } = net.dataset;
  const all = Array.from({ length: pageCount }, (_, index) => net.page(index).tokens);
  return new Pages(concat(...all), pageTokens, tokenizerHash);
}

/** How an arena is founded. */
export interface ArenaOptions {
  /** Validators of 10,000 MIST; default 1. */
  readonly validators?: number;
  /** Miners of 5,000 MIST; default 3. */
  readonly miners?: number;
  /** The ledger's object; default the same for all. */
  readonly ledgerId?: Bytes;
  /** Changes to the hparams. */
  readonly hparams?: Partial<Hparams>;
}

/** The beacon as everybody gets it. */
export const HONEST_BEACON: BeaconSource = {
  chain: BEACON,
  signature: (round) => beaconSignature(Number(round)),
};

/** A founded network with a judge for each validator. */
export class Arena {
  /** Moves by being waited for. */
  readonly clock: JumpClock = new JumpClock(T0);
  /** The ledger. */
  readonly ledger: DevLedger = DevLedger.open(":memory:", this.clock);
  /** The model, genesis and data. */
  readonly net: TestNet;
  /** The data as a courier holds it. */
  readonly pages: Pages;
  /** Judges by validator. */
  readonly judges: Judge[] = [];
  /** Where gradients lie. */
  readonly store: LocalStore;
  /** The store's folder. */
  readonly dir: string;
  #nsm!: SimulatedNsm;
  readonly #randomness = new Map<number, WindowRandomness>();

  private constructor(net: TestNet, store: LocalStore, dir: string) {
    this.net = net;
    this.store = store;
    this.dir = dir;
    this.pages = pages ??= pagesOf(net);
  }

  /** Found a network whose judges are registered. */
  static async found(options: ArenaOptions = {}): Promise<Arena> {
    const { validators = 1, miners = 3, ledgerId = sha256(CHAIN_ID), hparams = {} } = options;
    const dir = await Deno.makeTempDir();
    const { root, leaf } = await (credentials ??= makeCredentials());
    const net = netOf(hparams);
    const arena = new Arena(net, await LocalStore.open(`${dir}/store`), dir);
    arena.#nsm = await SimulatedNsm.create({
      ...leaf,
      pcrs: pcrsOf(1),
      clock: () => arena.clock.now(),
    });
    const seats = (role: "miner" | "validator", count: number) =>
      Array.from({ length: count }, (_, i) => ({
        role,
        owner: role === "miner" ? minerOf(i) : validatorOf(i),
        stake: role === "miner" ? 5_000n : 10_000n,
      }));
    arena.ledger.found({
      chainId: CHAIN_ID,
      ledgerId,
      admin: ADMIN,
      model: MODEL.name,
      modelHash: net.modelHash,
      baseHash: manifestHash(net.base),
      dataset: net.dataset,
      beacon: BEACON,
      hparams: net.hparams,
      epoch: { firstWindow: 0, startMs: T0 },
      measurements: [{ name: "build-1", pcrs: pcrsOf(1) }],
      simulatedRoot: root,
      seats: [...seats("miner", miners), ...seats("validator", validators)],
    });
    for (let uid = 0; uid < validators; uid++) arena.judges.push(await arena.startJudge(uid));
    return arena;
  }

  /** A judge that is not configured. */
  newJudge(): Judge {
    return new Judge(this.#nsm, { blobBytes: 64 << 20, threads: 1 });
  }

  /** A judge of validator `uid` with a fresh key, configured and registered. */
  async startJudge(uid: number): Promise<Judge> {
    const judge = this.newJudge();
    const { chainId, ledgerId } = await this.ledger.info();
    judge.configure({ chainId, ledgerId, validator: uid, address: addressBytes(validatorOf(uid)) });
    await this.ledger.registerEnclave(validatorOf(uid), uid, await judge.attest());
    return judge;
  }

  /** Set the clock to `ms` after the start of `window`. */
  at(window: number, ms = 0): void {
    this.clock.set(T0 + window * WINDOW_MS + ms);
  }

  /** Let everybody commit, upload and reveal in `window`; the clock stands at the start of the next one. */
  async play(window: number, submissions: readonly Submission[]): Promise<void> {
    const { ledgerId } = await this.ledger.info();
    this.at(window, 1_000);
    for (const { uid, bytes } of submissions) {
      const hash = commitment(ledgerId, uid, window, sha256(bytes), SALT);
      await this.ledger.commit(minerOf(uid), uid, window, hash);
    }
    this.at(window, 8_000);
    for (const { uid, bytes, codec = 1, size = bytes.length } of submissions) {
      const ref = gradientKey(window, uid);
      await this.store.put(ref, bytes);
      const gradient = { contentHash: sha256(bytes), size, codec };
      await this.ledger.reveal(minerOf(uid), uid, window, gradient, SALT, ref);
    }
    this.at(window + 1);
  }

  /** What the courier's requests are made of. */
  async parts(window: number): Promise<RequestParts> {
    const view = await this.ledger.window(window);
    const { dataset } = this.net;
    const randomness = await this.#randomnessOf(view);
    return { view, dataset, pages: this.pages, model: MODEL, randomness, unavailable: [] };
  }

  async #randomnessOf(view: WindowView): Promise<WindowRandomness> {
    const known = this.#randomness.get(view.window);
    if (known !== undefined) return known;
    const randomness = await windowRandomness(view, HONEST_BEACON);
    this.#randomness.set(view.window, randomness);
    return randomness;
  }

  /** An honest courier's request for a report. */
  async reportPayload(window: number): Promise<Payload> {
    return reportPayload(await this.parts(window), this.net.base);
  }

  /** An honest courier's request for an outcome; the base is still genesis. */
  async outcomePayload(window: number): Promise<Payload> {
    return outcomePayload(await this.parts(window), this.net.base);
  }

  /** Give `judge` the base, and `gradients`, and ask. */
  ask(payload: Payload, gradients: readonly Bytes[], judge = this.judges[0]!): Promise<Signed> {
    for (const bytes of [...this.net.chunks(), ...gradients]) judge.blobs.put(sha256(bytes), bytes);
    return judge.process(encodeBody({ payload }));
  }

  /** Submit a report as validator `uid`. */
  submitReport({ message, signature }: Signed, uid = 0): Promise<void> {
    return this.ledger.submitReport(validatorOf(uid), message, signature);
  }

  /** Submit an outcome as validator `uid`. */
  submitOutcome({ message, signature }: Signed, uid = 0): Promise<void> {
    return this.ledger.submitOutcome(validatorOf(uid), message, signature);
  }

  /** Judge, report and settle `window` honestly. */
  async settle(window: number, gradients: readonly Bytes[]): Promise<Report> {
    const signed = await this.ask(await this.reportPayload(window), gradients);
    await this.submitReport(signed);
    await this.ledger.settle(window, 64);
    return decodeReport(signed.message);
  }

  /** Every coin is where it should be; close everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { minted, held, issued, vramHeld } = this.ledger.audit();
    for (const judge of this.judges) await judge.close();
    this.ledger[Symbol.dispose]();
    await Deno.remove(this.dir, { recursive: true });
    if (minted !== held || issued !== vramHeld) throw new Error("Coins appeared or vanished");
  }
}
