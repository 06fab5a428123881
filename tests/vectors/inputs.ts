/**
 * What the shared vectors are made from: fixed, small, and different in every field, so that two fields that
 * change places change the bytes.
 *
 * @module
 */
import { type Bytes, toHex, u32le, utf8 } from "../../enclave/protocol/bytes.ts";
import type { Reveal, WindowContext } from "../../enclave/protocol/commit.ts";
import type { Dataset } from "../../enclave/protocol/dataset.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS, hparamsDigest } from "../../enclave/protocol/hparams.ts";
import { leafHash, merkleRoot } from "../../enclave/protocol/merkle.ts";
import type { Metric } from "../../enclave/protocol/report.ts";

/** 32 bytes that a reader can make again: SHA-256 of a name. */
export function named(name: string): Bytes {
  return sha256(utf8(name));
}

/** A u64 as JSON carries it: decimal, since most readers round numbers above 2^53. */
export function u64(value: number | bigint): string {
  return BigInt(value).toString();
}

/** A metric: decimal, or null where it was not measured. */
export function metric(value: Metric): string | null {
  return value === null ? null : u64(value);
}

/** The window of all vectors. */
export const WINDOW = 2_957_300;
/** `SHA-256("chain")`. */
export const CHAIN: Bytes = named("chain");
/** `SHA-256("ledger")`. */
export const LEDGER: Bytes = named("ledger");
/** Randomness of the window's first round. */
export const ASSIGN_BEACON: Bytes = named("assign beacon");
/** Randomness after the reveals. */
export const JUDGE_BEACON: Bytes = named("judge beacon");

/** Page `index` of the vectors' data: its number as u32le, four times. */
export function page(index: number): Bytes {
  const number = u32le(index);
  return Uint8Array.from([...number, ...number, ...number, ...number]);
}

/** 333 pages of 4 tokens. */
export const DATASET: Dataset = {
  pageCount: 333,
  pageTokens: 4,
  tokenizerHash: named("tokenizer"),
  merkleRoot: merkleRoot(Array.from({ length: 333 }, (_, i) => leafHash(page(i)))),
};

/** Three reveals, in order of arrival, which is not that of commits. */
export const REVEALS: readonly Reveal[] = [
  { uid: 258, commitSeq: 12, contentHash: named("gradient 258"), size: 41_000, codec: 2 },
  { uid: 3, commitSeq: 10, contentHash: named("gradient 3"), size: 52_428_800, codec: 1 },
  { uid: 7, commitSeq: 2 ** 33, contentHash: named("gradient 7"), size: 64, codec: 2 },
];

/** A window whose randomness comes from drand. */
export const DRAND_CONTEXT: WindowContext = {
  chainId: CHAIN,
  ledgerId: LEDGER,
  workload: 1,
  version: 1,
  window: WINDOW,
  hparamsDigest: hparamsDigest(DEFAULT_HPARAMS),
  modelHash: named("model"),
  baseHash: named("base"),
  datasetRoot: named("data set"),
  randomness: {
    kind: "drand",
    chainHash: named("drand chain"),
    assignRound: 27_192_212,
    judgeRound: 27_192_412,
  },
};

/** The same window where the ledger draws. */
export const LEDGER_CONTEXT: WindowContext = {
  ...DRAND_CONTEXT,
  hparamsDigest: hparamsDigest({ ...DEFAULT_HPARAMS, randomness_kind: 1 }),
  randomness: { kind: "ledger", assignSeed: named("assign seed"), judgeSeed: named("judge seed") },
};

/** `value` as JSON: names in snake case, byte strings as hex, the fields named in `wide` as decimals. */
export function plain(value: object, ...wide: string[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => {
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      if (part instanceof Uint8Array) return [snake, toHex(part)];
      return [snake, wide.includes(name) ? u64(part as number) : part];
    }),
  );
}
