/**
 * Test support, imported by tests only: a small network on a dev ledger with a virtual clock, whose judges'
 * documents (under a SIMULATED root) and messages are made by hand. Nothing is measured here.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../../enclave/protocol/cbor.ts";
import { commitment } from "../../enclave/protocol/commit.ts";
import { encodeCoseSign1 } from "../../enclave/protocol/cose.ts";
import { chainHashOf, QUICKNET } from "../../enclave/protocol/drand.ts";
import { LEDGER_ERRORS, LedgerError } from "../../enclave/protocol/errors.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS, type Hparams } from "../../enclave/protocol/hparams.ts";
import { addressBytes, keyPairFrom, userDataOf } from "../../enclave/protocol/identity.ts";
import {
  encodeOutcome,
  encodeReport,
  type Outcome,
  ratedUids,
  type RatingRow,
  type Report,
  type ReportEntry,
} from "../../enclave/protocol/report.ts";
import { VERDICT } from "../../enclave/protocol/verdict.ts";
import { createTestRoot, type Leaf } from "../credentials/test_root.ts";
import { VirtualClock } from "./clock.ts";
import { DevLedger } from "./dev/dev_ledger.ts";
import type { Address, LedgerEvent } from "./ledger.ts";

/** When window 0 starts, in milliseconds. */
export const T0 = 1_700_000_000_000;
/** Length of a window: commits end at 8,000, reveals at 9,500, reports at 16,000, outcomes at 19,000 ms. */
export const WINDOW_MS = 10_000;
/** Hparams of a quick network. */
export const FAST: Hparams = {
  ...DEFAULT_HPARAMS,
  window_ms: WINDOW_MS,
  beacon_margin_ms: 100,
  min_judge_ms: 1_000,
  heldout_pages: 8,
  max_gradient_bytes: 10_000,
  min_miner_stake: 1_000,
  min_validator_stake: 1_000,
  unrevealed_fee: 300,
  eviction_fee: 50,
  immunity_windows: 2,
  unbonding_ms: 50_000,
  document_age_ms: 60_000,
  key_ttl_ms: 10_000_000,
};

/** A Sui address that ends in `n`. */
export function address(n: number): Address {
  return `0x${n.toString(16).padStart(64, "0")}`;
}
/** Owner of the founding miner `i`. */
export const minerOf = (i: number): Address => address(0x1000 + i);
/** Owner of the founding validator `i`. */
export const validatorOf = (i: number): Address => address(0x2000 + i);
/** Governs the network. */
export const ADMIN: Address = address(0xad);

/** 32 bytes that stand for `text`. */
export const bytes32 = (text: string): Bytes => sha256(utf8(text));

/** PCR0, 1 and 2 of the made-up build number `n`. */
export function pcrsOf(n: number): [Bytes, Bytes, Bytes] {
  const pcr = (i: number) => new Uint8Array(48).fill(16 * n + i);
  return [pcr(1), pcr(2), pcr(3)];
}

interface TestChain {
  readonly root: Bytes;
  readonly leaf: Leaf;
  readonly key: CryptoKey;
}

let chain: Promise<TestChain> | undefined;
/** One root and leaf for all tests of a process, valid for every moment of a virtual clock. */
function testChain(): Promise<TestChain> {
  return chain ??= makeChain();
}

async function makeChain(): Promise<TestChain> {
  const directory = await Deno.makeTempDir();
  try {
    const { root, issueLeaf } = await createTestRoot(directory);
    const leaf = await issueLeaf({ now: T0 - 86_400_000, lifetimeMs: 10 * 365 * 86_400_000 });
    const algorithm = { name: "ECDSA", namedCurve: "P-384" };
    const key = await crypto.subtle.importKey("pkcs8", leaf.pkcs8, algorithm, false, ["sign"]);
    return { root, leaf, key };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A signed message, as it is submitted. */
export interface Signed {
  /** The bytes. */
  readonly message: Bytes;
  /** 64 bytes. */
  readonly signature: Bytes;
}

/** How a network is founded. */
export interface NetworkOptions {
  /** Default `:memory:`. */
  readonly path?: string;
  /** Founding miners, 5,000 MIST each; default 3. */
  readonly miners?: number;
  /** Stakes of the founding validators; default one of 10,000 MIST. */
  readonly validators?: readonly bigint[];
  /** Changes to {@link FAST}. */
  readonly hparams?: Partial<Hparams>;
  /** Whether the judges' keys are registered at once; default true. */
  readonly attested?: boolean;
  /** How long window 0 lies ahead, in milliseconds; default 0. */
  readonly startsIn?: number;
  /** See `OpenOptions`. */
  readonly readsRoll?: boolean;
}

/** What a made-up document says instead of the truth. */
export interface DocumentOptions {
  /** Number of the judge's key; default 0. */
  readonly key?: number;
  /** Fields of the payload, e.g. `public_key`, `timestamp`. */
  readonly fields?: Record<string, unknown>;
  /** Number of the build; default 1, which is approved. */
  readonly build?: number;
  /** Whose it is; default the founding validator's. */
  readonly owner?: Address;
}

/** A made-up report; entries default to `ok` with a score of 50,000 units. */
export interface ReportDraft extends Partial<Report> {
  /** Replaces fields of an entry. */
  readonly measure?: (uid: number) => Partial<ReportEntry>;
  /** Number of the key that signs; default 0. */
  readonly key?: number;
}

/** A made-up outcome; ratings default to mu 30, sigma 5. */
export interface OutcomeDraft extends Partial<Outcome> {
  /** Replaces a rating. */
  readonly rate?: (uid: number) => Partial<RatingRow>;
  /** Number of the key that signs; default 0. */
  readonly key?: number;
}

/** An entry without metrics. */
export const unmeasured = (verdict: number): Partial<ReportEntry> => ({
  verdict,
  ownBefore: null,
  ownAfter: null,
  randomAfter: null,
});

const RATING = { mu: 30_000_000, sigma: 5_000_000 };
const key = (validator: number, n = 0) =>
  keyPairFrom(new Uint8Array(32).fill(1 + validator).fill(n, 31));

/** A founded network and the hands that play its parties. */
export class TestNetwork {
  /** Moved by {@link at}. */
  readonly clock: VirtualClock = new VirtualClock(T0);
  /** The ledger under test. */
  readonly ledger: DevLedger;

  private constructor(path: string, readsRoll = true) {
    this.ledger = DevLedger.open(path, this.clock, { readsRoll });
  }

  /** Found a network. */
  static async found(options: NetworkOptions = {}): Promise<TestNetwork> {
    const { path = ":memory:", miners = 3, validators = [10_000n], attested = true } = options;
    const network = new TestNetwork(path, options.readsRoll);
    const beacon = { publicKey: QUICKNET.publicKey, genesisMs: T0 - 60_000, periodMs: 1_000 };
    network.ledger.found({
      chainId: bytes32("chain"),
      ledgerId: bytes32("ledger"),
      admin: ADMIN,
      model: "tiny",
      modelHash: bytes32("model"),
      baseHash: bytes32("genesis"),
      dataset: {
        pageCount: 100,
        pageTokens: 33,
        tokenizerHash: bytes32("tokenizer"),
        merkleRoot: bytes32("pages"),
      },
      beacon: {
        ...beacon,
        chainHash: chainHashOf(beacon.publicKey, beacon.genesisMs, beacon.periodMs),
      },
      hparams: { ...FAST, ...options.hparams },
      epoch: { firstWindow: 0, startMs: T0 + (options.startsIn ?? 0) },
      measurements: [{ name: "build-1", pcrs: pcrsOf(1) }],
      simulatedRoot: (await testChain()).root,
      seats: [
        ...Array.from(
          { length: miners },
          (_, i) => ({ role: "miner", owner: minerOf(i), stake: 5_000n }) as const,
        ),
        ...validators.map((stake, i) =>
          ({ role: "validator", owner: validatorOf(i), stake }) as const
        ),
      ],
    });
    if (attested) { for (const i of validators.keys()) await network.attest(i); }
    return network;
  }

  /** Set the clock to `ms` after the start of `window`. */
  at(window: number, ms = 0): void {
    this.clock.set(T0 + window * WINDOW_MS + ms);
  }

  /** A judge's document. */
  async document(validator: number, options: DocumentOptions = {}): Promise<Bytes> {
    const { leaf, key: leafKey } = await testChain();
    const { chainId, ledgerId } = await this.ledger.info();
    const pcrs = pcrsOf(options.build ?? 1);
    const owner = addressBytes(options.owner ?? validatorOf(validator));
    const payload = encodeCanonical({
      module_id: "simulated-enc0",
      digest: "SHA384",
      timestamp: this.clock.now(),
      pcrs: new Map(Array.from({ length: 16 }, (_, i) => [i, pcrs[i] ?? new Uint8Array(48)])),
      certificate: leaf.certificate,
      cabundle: leaf.cabundle,
      public_key: key(validator, options.key).publicKey,
      user_data: userDataOf({ chainId, ledgerId, validator, address: owner }),
      nonce: null,
      ...options.fields,
    });
    return await encodeCoseSign1(payload, async (toBeSigned) => {
      const algorithm = { name: "ECDSA", hash: "SHA-384" };
      return new Uint8Array(await crypto.subtle.sign(algorithm, leafKey, toBeSigned));
    });
  }

  /** Make and register a judge's document. */
  async attest(validator: number, options: DocumentOptions = {}): Promise<void> {
    const document = await this.document(validator, options);
    await this.ledger.registerEnclave(address(0xf00), validator, document);
  }

  /** The public key of a judge's key number `n`. */
  publicKey(validator: number, n = 0): Bytes {
    return key(validator, n).publicKey;
  }

  /** Sign as the judge of a validator. */
  sign(validator: number, message: Bytes, n = 0): Bytes {
    return key(validator, n).sign(message);
  }

  /** The salt of every commitment here. */
  readonly salt: Bytes = bytes32("salt");

  /** Commit to the gradient that stands for `uid` in `window`. */
  async commit(uid: number, window: number, owner: Address = minerOf(uid)): Promise<number> {
    const { ledgerId } = await this.ledger.info();
    const hash = commitment(ledgerId, uid, window, this.content(uid, window), this.salt);
    return await this.ledger.commit(owner, uid, window, hash);
  }

  /** The content hash of that gradient. */
  content(uid: number, window: number): Bytes {
    return bytes32(`gradient ${window} ${uid}`);
  }

  /** Reveal it. */
  async reveal(uid: number, window: number, owner: Address = minerOf(uid)): Promise<void> {
    const gradient = { contentHash: this.content(uid, window), size: 1_000 + uid, codec: 1 };
    const ref = `gradient-${window}-${uid}-v1.pt`;
    await this.ledger.reveal(owner, uid, window, gradient, this.salt, ref);
  }

  /** Let `uids` commit and reveal in `window`; the clock stands at the start of the next one. */
  async play(window: number, uids: readonly number[]): Promise<void> {
    this.at(window, 1_000);
    for (const uid of uids) await this.commit(uid, window);
    this.at(window, 8_000);
    for (const uid of uids) await this.reveal(uid, window);
    this.at(window + 1);
    const { hparams } = await this.ledger.window(window);
    if (hparams.randomness_kind === 1) await this.ledger.drawSeeds(ADMIN, window);
  }

  /** Sign a report. */
  async signReport(validator: number, window: number, draft: ReportDraft = {}): Promise<Signed> {
    const { measure, key: n, ...rest } = draft;
    const view = await this.ledger.window(window);
    const { chainId, ledgerId } = await this.ledger.info();
    const entries = view.reveals.map(({ uid }) => uid).sort((a, b) => a - b).map((uid) => ({
      uid,
      verdict: VERDICT.ok,
      ownBefore: 1_000_000,
      ownAfter: 900_000,
      randomAfter: 950_000,
      ...measure?.(uid),
    }));
    const message = encodeReport({
      chainId,
      ledgerId,
      validator,
      window,
      timestampMs: this.clock.now(),
      windowDigest: view.digest,
      randomBefore: 1_000_000,
      entries,
      ...rest,
    });
    return { message, signature: key(validator, n).sign(message) };
  }

  /** Sign and submit a report. */
  async report(validator: number, window: number, draft: ReportDraft = {}): Promise<Signed> {
    const signed = await this.signReport(validator, window, draft);
    await this.ledger.submitReport(validatorOf(validator), signed.message, signed.signature);
    return signed;
  }

  /** Sign an outcome of a settled window. */
  async signOutcome(validator: number, window: number, draft: OutcomeDraft = {}): Promise<Signed> {
    const { rate, key: n, ...rest } = draft;
    const { settled } = await this.ledger.window(window);
    const { chainId, ledgerId } = await this.ledger.info();
    const message = encodeOutcome({
      chainId,
      ledgerId,
      validator,
      window,
      timestampMs: this.clock.now(),
      settledDigest: settled?.digest ?? bytes32("not settled"),
      ratings: ratedUids(settled?.rows ?? []).map((uid) => ({ uid, ...RATING, ...rate?.(uid) })),
      manifestHash: null,
      currentLoss: null,
      mergedLoss: null,
      ...rest,
    });
    return { message, signature: key(validator, n).sign(message) };
  }

  /** Sign and submit an outcome. */
  async outcome(validator: number, window: number, draft: OutcomeDraft = {}): Promise<Signed> {
    const signed = await this.signOutcome(validator, window, draft);
    await this.ledger.submitOutcome(validatorOf(validator), signed.message, signed.signature);
    return signed;
  }

  /** Play `window` with one validator from commits to a closed window. */
  async whole(
    window: number,
    uids: readonly number[],
    report: ReportDraft = {},
    outcome: OutcomeDraft = {},
  ): Promise<void> {
    await this.play(window, uids);
    await this.report(0, window, report);
    await this.ledger.settle(window, 64);
    await this.outcome(0, window, outcome);
  }

  /** All events so far. */
  async events(): Promise<LedgerEvent[]> {
    const all: LedgerEvent[] = [];
    for (;;) {
      const page = await this.ledger.events(all.at(-1)?.seq ?? 0, 1_000);
      if (page.length === 0) return all;
      all.push(...page);
    }
  }

  /** Every coin is where it should be. */
  checkAudit(): void {
    const { minted, held, issued, vramHeld } = this.ledger.audit();
    assert.deepEqual([held, vramHeld], [minted, issued], "coins appeared or vanished");
  }

  /** Check the coins a last time and close the ledger. */
  [Symbol.dispose](): void {
    this.checkAudit();
    this.ledger[Symbol.dispose]();
  }
}

/** `module::EConstant`: a name in the table of the ledger's errors. */
export type ErrorName = {
  [M in keyof typeof LEDGER_ERRORS]: `${M}::${keyof (typeof LEDGER_ERRORS)[M] & string}`;
}[keyof typeof LEDGER_ERRORS];

/** Assert that a call is refused with exactly this constant. */
export async function refuses(name: ErrorName, call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof LedgerError, `${error}`);
    assert.equal(`${error.module}::${error.constant}`, name, error.message);
    return true;
  });
}
