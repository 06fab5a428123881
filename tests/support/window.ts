/**
 * A window to judge, for tests: the tiny model, a small set of bytes with Merkle proofs, a drand-like beacon
 * and miners that trained one real gradient step. Deterministic but for keys.
 *
 * @module
 */
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { Tensor } from "onnxruntime-node";
import { createTestChain } from "../../attestation/test_pki.ts";
import { Judge } from "../../enclave/judge.ts";
import { genesisWeights } from "../../enclave/model/genesis.ts";
import { modelHash } from "../../enclave/model/modelhash.ts";
import { emitTraining, gradientName } from "../../enclave/model/onnx/gpt.ts";
import { PageBatch } from "../../enclave/model/pages.ts";
import { paramManifest } from "../../enclave/model/params.ts";
import { type ModelConfig, pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { openSession, paramTensors } from "../../enclave/model/runtime.ts";
import { encodeSafetensors } from "../../enclave/model/safetensors.ts";
import { SimulatedNsm } from "../../enclave/nsm/simulated.ts";
import {
  CHUNK_BYTES,
  encodeManifest,
  type Manifest,
  manifestHash,
  manifestOf,
} from "../../enclave/protocol/base.ts";
import { type Bytes, concat, u32le, utf8 } from "../../enclave/protocol/bytes.ts";
import { encodeContext, type Reveal, type WindowContext } from "../../enclave/protocol/commit.ts";
import {
  assignedPages,
  type Dataset,
  datasetRoot,
  encodeDataset,
  heldOutPages,
  randomPages,
} from "../../enclave/protocol/dataset.ts";
import {
  BEACON_DST,
  type BeaconChain,
  beaconMessage,
  chainHashOf,
} from "../../enclave/protocol/drand.ts";
import { CODEC_V1, encodeV1, type SparseUpdate } from "../../enclave/protocol/gradient/mod.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import {
  DEFAULT_HPARAMS,
  encodeHparams,
  type Hparams,
  hparamsDigest,
} from "../../enclave/protocol/hparams.ts";
import type { JudgeIdentity } from "../../enclave/protocol/identity.ts";
import {
  encodeBody,
  encodeReveals,
  encodeSettlement,
  type Payload,
} from "../../enclave/protocol/judge_messages.ts";
import { leafHash, merkleLevels, merkleProof } from "../../enclave/protocol/merkle.ts";
import type { Metric, Report } from "../../enclave/protocol/report.ts";
import { type SettledRow, settleEntry } from "../../enclave/protocol/settle.ts";
import { topK } from "../../miner/compress/topk.ts";

const PAGE_COUNT = 200;
const WORDS = "the whale and a sea of white men saw ship in boat old captain said to".split(" ");

/** The time of the test judges' clock. */
export const NOW = 1_700_000_000_000;
/** The model of every test window. */
export const MODEL: ModelConfig = PRESETS.tiny;
/** Bytes that stand for Sui's chain and the ledger object. */
export const CHAIN_ID: Bytes = sha256(utf8("chain"));
/** See {@linkcode CHAIN_ID}. */
export const LEDGER_ID: Bytes = sha256(utf8("ledger"));

/** The configuration of validator `uid`'s judge. */
export function identityOf(uid: number): JudgeIdentity {
  const address = sha256(utf8(`validator ${uid}`));
  return { chainId: CHAIN_ID, ledgerId: LEDGER_ID, validator: uid, address };
}

const SECRET = sha256(utf8("a beacon for tests"));

/** The chain of the windows' beacon. */
export const BEACON: BeaconChain = (() => {
  const publicKey = bls12_381.shortSignatures.getPublicKey(SECRET).toBytes() as Bytes;
  const [genesisMs, periodMs] = [1_000, 3_000];
  return {
    publicKey,
    genesisMs,
    periodMs,
    chainHash: chainHashOf(publicKey, genesisMs, periodMs),
  };
})();

/** The beacon's signature of `round`. */
export function beaconSignature(round: number): Bytes {
  const { hash, sign, Signature } = bls12_381.shortSignatures;
  const message = hash(beaconMessage(BigInt(round)), BEACON_DST);
  return Signature.toBytes(sign(message, SECRET)) as Bytes;
}

/** Pages of a text of common words: what one page teaches helps on the others. */
function makePages(): Bytes[] {
  let state = 7;
  const word = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return WORDS[(state >>> 16) % WORDS.length]!;
  };
  return Array.from({ length: PAGE_COUNT }, () => {
    let text = "";
    while (text.length < pageTokens(MODEL)) text += `${word()} `;
    return concat(...[...utf8(text).subarray(0, pageTokens(MODEL))].map(u32le));
  });
}

/** A gradient that a miner reveals. */
export interface Submission {
  readonly uid: number;
  readonly bytes: Bytes;
  /** Default version 1. */
  readonly codec?: number;
  /** Default: the length of `bytes`. */
  readonly size?: number;
  /** The ledger's number of the commit; default: in order of arrival. */
  readonly commitSeq?: number;
}

/** Model, data and the base that the windows start from. */
export class TestNet {
  readonly hparams: Hparams;
  readonly modelHash: Bytes = modelHash(MODEL);
  /** Genesis. */
  readonly theta: Float32Array<ArrayBuffer> = genesisWeights(MODEL, this.modelHash);
  /** Genesis' file. */
  readonly file: Bytes = encodeSafetensors(paramManifest(MODEL), this.theta);
  /** Genesis' manifest. */
  readonly base: Manifest = manifestOf(this.file, {
    modelHash: this.modelHash,
    parent: new Uint8Array(32),
    window: 0,
  });
  readonly dataset: Dataset;
  readonly #pages = makePages();
  readonly #levels = merkleLevels(this.#pages.map(leafHash));

  /** The defaults, but for `hparams`. */
  constructor(hparams: Partial<Hparams> = {}) {
    this.hparams = { ...DEFAULT_HPARAMS, max_gradient_bytes: 400_000, ...hparams };
    this.dataset = {
      pageCount: PAGE_COUNT,
      pageTokens: pageTokens(MODEL),
      tokenizerHash: sha256(utf8("bytes")),
      merkleRoot: this.#levels.at(-1)![0]!,
    };
  }

  /** Page `index` with its proof. */
  page(index: number): Payload["pages"][number] {
    const proof = concat(...merkleProof(this.#levels, index));
    return { index, tokens: this.#pages[index]!, proof };
  }

  /** Tokens of page `index`. */
  tokens(index: number): Uint32Array {
    return new Uint32Array(this.#pages[index]!.slice().buffer);
  }

  /** The chunks of a base's file, for the judge. */
  chunks(file: Bytes = this.file): Bytes[] {
    return Array.from(
      { length: Math.ceil(file.length / CHUNK_BYTES) },
      (_, i) => file.slice(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
    );
  }

  /** Window `n` with these reveals, in order of arrival. */
  window(n: number, submissions: readonly Submission[]): TestWindow {
    return new TestWindow(this, n, submissions);
  }

  /** The pages assigned to `uid` in window `n`. */
  assigned(n: number, uid: number): number[] {
    const beacon = sha256(beaconSignature(assignRound(n)));
    return assignedPages(this.dataset, uid, n, beacon, this.hparams.own_pages);
  }

  /** The tenth of `rate` · gradient that is largest, on the pages of `uid` in window `n`. */
  async train(n: number, uid: number, rate = 0.5): Promise<SparseUpdate> {
    const manifest = paramManifest(MODEL);
    const gradient = new Float32Array(manifest.total);
    const batch = new PageBatch(MODEL);
    const pages = this.assigned(n, uid).map((index) => this.tokens(index));
    batch.fill((row) => pages[row]!);
    const rows = MODEL.batch * MODEL.context;
    const fetches: Record<string, Tensor> = {
      losses: new Tensor("float32", new Float32Array(rows), [rows]),
    };
    for (const [name, tensor] of Object.entries(paramTensors(manifest, gradient))) {
      fetches[gradientName(name)] = tensor;
    }
    const session = await openSession(emitTraining(MODEL), { threads: 1 });
    await session.run({ ...paramTensors(manifest, this.theta), ...batch.tensors }, fetches);
    await session.release();
    return topK(gradient.map((g) => rate * g), Math.floor(manifest.total / 10));
  }
}

function assignRound(window: number): number {
  return 10 * window + 1;
}

/** A window whose reveals are over. */
export class TestWindow {
  readonly net: TestNet;
  readonly context: WindowContext;
  readonly reveals: readonly Reveal[];
  /** What the judge must be given: gradients, and the base's chunks. */
  readonly gradients: readonly Bytes[];

  constructor(net: TestNet, n: number, submissions: readonly Submission[]) {
    this.net = net;
    this.gradients = submissions.map(({ bytes }) => bytes);
    this.reveals = submissions.map(({ uid, bytes, codec, size, commitSeq }, i) => ({
      uid,
      commitSeq: commitSeq ?? 1_000 * n + i,
      contentHash: sha256(bytes),
      size: size ?? bytes.length,
      codec: codec ?? CODEC_V1,
    }));
    this.context = {
      chainId: CHAIN_ID,
      ledgerId: LEDGER_ID,
      workload: net.hparams.workload,
      version: net.hparams.version,
      window: n,
      hparamsDigest: hparamsDigest(net.hparams),
      modelHash: net.modelHash,
      baseHash: manifestHash(net.base),
      datasetRoot: datasetRoot(net.dataset),
      randomness: {
        kind: "drand",
        chainHash: BEACON.chainHash,
        assignRound: assignRound(n),
        judgeRound: assignRound(n) + 5,
      },
    };
  }

  /** Randomness that assigned the pages. */
  get assignBeacon(): Bytes {
    return sha256(beaconSignature(assignRound(this.context.window)));
  }

  /** Randomness after the reveals. */
  get judgeBeacon(): Bytes {
    return sha256(beaconSignature(assignRound(this.context.window) + 5));
  }

  /** The pages that everybody is measured on. */
  random(): number[] {
    const { dataset, hparams } = this.net;
    const { window } = this.context;
    return randomPages(dataset, LEDGER_ID, window, this.judgeBeacon, hparams.random_pages);
  }

  /** The pages that measure a base. */
  heldOut(): number[] {
    const { dataset, hparams } = this.net;
    const { window } = this.context;
    return heldOutPages(dataset, LEDGER_ID, window, this.judgeBeacon, hparams.heldout_pages);
  }

  /** What a courier sends for a report. */
  report(): Payload {
    const { context, net } = this;
    const { window } = context;
    const own = this.reveals.flatMap(({ uid }) => net.assigned(window, uid));
    return this.#payload("report", net.base, [...own, ...this.random()], null);
  }

  /** What a courier sends for an outcome; base(N+1) is genesis, too, where nothing else is said. */
  outcome(
    randomBefore: Metric,
    rows: readonly SettledRow[],
    base: Manifest = this.net.base,
  ): Payload {
    return this.#payload("outcome", base, this.heldOut(), encodeSettlement(randomBefore, rows));
  }

  #payload(kind: string, base: Manifest, pages: number[], settled: Bytes | null): Payload {
    const { net, context } = this;
    const { vocab, layers, dims, heads, context: length, batch } = MODEL;
    const first = assignRound(context.window);
    return {
      kind,
      context: encodeContext(context),
      hparams: encodeHparams(net.hparams),
      dataset: encodeDataset(net.dataset),
      model: { vocab, layers, dims, heads, context: length, batch },
      beacon: {
        public_key: BEACON.publicKey,
        genesis_ms: BEACON.genesisMs,
        period_ms: BEACON.periodMs,
        assign_signature: beaconSignature(first),
        judge_signature: beaconSignature(first + 5),
      },
      reveals: encodeReveals(this.reveals),
      unavailable: [],
      pages: [...new Set(pages)].sort((a, b) => a - b).map((index) => net.page(index)),
      base: encodeManifest(base),
      settled,
    };
  }
}

/** The body of `POST /process_data`. */
export function bodyOf(payload: Payload): Bytes {
  return encodeBody({ payload });
}

/** Everything that the judge needs by hash for `window`. */
export function blobsOf(window: TestWindow): { readonly hash: Bytes; readonly bytes: Bytes }[] {
  return [...window.net.chunks(), ...window.gradients].map((bytes) => ({
    hash: sha256(bytes),
    bytes,
  }));
}

/** What a ledger with one validator settles from its report; every rating is the default. */
export function settle(report: Report): SettledRow[] {
  return report.entries.map((value) => ({
    uid: value.uid,
    ...settleEntry([{ value, stake: 1n }], report.randomBefore),
    priorMu: 25_000_000,
    priorSigma: 8_333_334,
  }));
}

let nsm: Promise<SimulatedNsm> | undefined;

/** One module for all judges of a test process: its documents are not what these tests look at. */
async function createNsm(): Promise<SimulatedNsm> {
  const { cabundle, leaf } = await createTestChain(NOW);
  const pcr = (value: number) => new Uint8Array(48).fill(value);
  return await SimulatedNsm.create({
    pkcs8: new Uint8Array(await crypto.subtle.exportKey("pkcs8", leaf.keys.privateKey)),
    certificate: leaf.certificate,
    cabundle: cabundle.map(({ certificate }) => certificate),
    pcrs: [pcr(1), pcr(2), pcr(3)],
    clock: () => NOW,
  });
}

/** A judge in this process that is not configured. Close it. */
export async function createBareJudge(blobBytes: number = 64 << 20): Promise<Judge> {
  return new Judge(await (nsm ??= createNsm()), { blobBytes, threads: 1 });
}

/** A judge in this process, configured for validator `uid`, that holds what `window` needs. Close it. */
export async function createTestJudge(window?: TestWindow, uid = 0): Promise<Judge> {
  const judge = await createBareJudge();
  judge.configure(identityOf(uid));
  if (window !== undefined) supply(judge, window);
  return judge;
}

/** Give `judge` what it needs for `window`. */
export function supply(judge: Judge, window: TestWindow): void {
  for (const { hash, bytes } of blobsOf(window)) judge.blobs.put(hash, bytes);
}

/** `update` as a submission of version 1. */
export function v1(uid: number, update: SparseUpdate): Submission {
  return { uid, bytes: encodeV1(update) };
}
