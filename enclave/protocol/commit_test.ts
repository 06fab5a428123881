import assert from "node:assert/strict";
import { bcs } from "@mysten/bcs";
import { createHash } from "node:crypto";
import { concat, toHex, u32le, u64le, utf8 } from "./bytes.ts";
import {
  commitment,
  decodeContext,
  EMPTY_ACC,
  encodeContext,
  foldReveal,
  foldReveals,
  type Reveal,
  type WindowContext,
  windowDigest,
} from "./commit.ts";
import { Refusal } from "./refusal.ts";

const fill = (byte: number) => new Uint8Array(32).fill(byte);
const sha = (...parts: Uint8Array[]) =>
  new Uint8Array(createHash("sha256").update(concat(...parts)).digest());
const u16le = (value: number) => Uint8Array.of(value & 0xff, value >> 8);

const REVEALS: Reveal[] = [
  { uid: 258, commitSeq: 7, contentHash: fill(1), size: 4_000, codec: 2 },
  { uid: 3, commitSeq: 2, contentHash: fill(2), size: 50_000_000, codec: 1 },
];
const DRAND: WindowContext = {
  chainId: fill(1),
  ledgerId: fill(2),
  workload: 1,
  version: 1,
  window: 2_957_300,
  hparamsDigest: fill(3),
  modelHash: fill(4),
  baseHash: fill(5),
  datasetRoot: fill(6),
  randomness: { kind: "drand", chainHash: fill(7), assignRound: 11, judgeRound: 12 },
};
const DRAWN: WindowContext = {
  ...DRAND,
  randomness: { kind: "ledger", assignSeed: fill(8), judgeSeed: fill(9) },
};

Deno.test("commitment: is the tag, ledger, uid u16, N u64, content and salt, by hand", () => {
  const expected = sha(utf8("vramhub/commit/v1"), fill(2), u16le(258), u64le(5), fill(3), fill(4));
  assert.deepEqual(commitment(fill(2), 258, 5, fill(3), fill(4)), expected);
});

Deno.test("commitment: is bound to ledger, uid, window, content and salt", () => {
  const all = [
    commitment(fill(1), 1, 5, fill(3), fill(4)),
    commitment(fill(2), 1, 5, fill(3), fill(4)),
    commitment(fill(1), 2, 5, fill(3), fill(4)),
    commitment(fill(1), 1, 6, fill(3), fill(4)),
    commitment(fill(1), 1, 5, fill(4), fill(3)),
  ].map(toHex);
  assert.equal(new Set(all).size, all.length);
  assert.throws(() => commitment(fill(1), 1, 5, fill(3), new Uint8Array(31)), RangeError);
  assert.throws(() => commitment(fill(1), 65_536, 5, fill(3), fill(4)), RangeError);
});

Deno.test("foldReveals: starts at zero and folds in order of arrival, by hand", () => {
  assert.deepEqual(foldReveals([]), new Uint8Array(32));
  let acc: Uint8Array = EMPTY_ACC;
  for (const { uid, commitSeq, contentHash, size, codec } of REVEALS) {
    const fields = [u16le(uid), u64le(commitSeq), contentHash, u32le(size), Uint8Array.of(codec)];
    acc = sha(utf8("vramhub/reveal/v1"), acc, ...fields);
  }
  assert.deepEqual(foldReveals(REVEALS), acc);
  assert.notDeepEqual(foldReveals(REVEALS.toReversed()), acc);
});

Deno.test("foldReveal: every field of a reveal moves the accumulator", () => {
  const [reveal] = REVEALS;
  const all = [
    reveal!,
    { ...reveal!, uid: 259 },
    { ...reveal!, commitSeq: 8 },
    { ...reveal!, contentHash: fill(9) },
    { ...reveal!, size: 4_001 },
    { ...reveal!, codec: 1 },
  ].map((changed) => toHex(foldReveal(EMPTY_ACC, changed)));
  assert.equal(new Set(all).size, all.length);
});

const hash = bcs.fixedArray(32, bcs.u8());
const Context = bcs.struct("WindowContext", {
  chainId: hash,
  ledgerId: hash,
  workload: bcs.u8(),
  version: bcs.u8(),
  window: bcs.u64(),
  hparamsDigest: hash,
  modelHash: hash,
  baseHash: hash,
  datasetRoot: hash,
  // A BCS enum is its variant's number and then the variant: what Move sees as a kind byte.
  randomness: bcs.enum("Randomness", {
    drand: bcs.struct("Drand", { chainHash: hash, assignRound: bcs.u64(), judgeRound: bcs.u64() }),
    ledger: bcs.struct("Ledger", { assignSeed: hash, judgeSeed: hash }),
  }),
});

Deno.test("encodeContext: is the BCS of the whole context, for both kinds of randomness", () => {
  const arrays = (value: object): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(value).map((
        [key, part],
      ) => [key, part instanceof Uint8Array ? [...part] : part]),
    );
  for (const [context, length] of [[DRAND, 251], [DRAWN, 267]] as const) {
    const { kind, ...randomness } = context.randomness;
    const value = { ...arrays(context), randomness: { [kind]: arrays(randomness) } };
    const expected = Context.serialize(value as unknown as typeof Context.$inferInput).toBytes();
    const wire = encodeContext(context);
    assert.equal(toHex(wire), toHex(expected));
    assert.equal(wire.length, length);
    assert.deepEqual(decodeContext(wire), context);
  }
});

Deno.test("decodeContext: a third kind of randomness is refused", () => {
  const wire = encodeContext(DRAND);
  wire[202] = 2;
  assert.throws(() => decodeContext(wire), (e) => e instanceof Refusal && e.code === "bad_context");
});

Deno.test("windowDigest: is the tag, the context and the accumulator, by hand", () => {
  const acc = foldReveals(REVEALS);
  const expected = sha(utf8("vramhub/window/v1"), encodeContext(DRAND), acc);
  assert.deepEqual(windowDigest(DRAND, acc), expected);
  assert.throws(() => windowDigest(DRAND, acc.subarray(1)), RangeError);
});

Deno.test("windowDigest: everything that a judgement depends on moves it", () => {
  const acc = foldReveals(REVEALS);
  const digests = [
    DRAND,
    DRAWN,
    { ...DRAND, chainId: fill(99) },
    { ...DRAND, ledgerId: fill(99) },
    { ...DRAND, workload: 2 },
    { ...DRAND, version: 2 },
    { ...DRAND, window: 1 },
    { ...DRAND, hparamsDigest: fill(99) },
    { ...DRAND, modelHash: fill(99) },
    { ...DRAND, baseHash: fill(99) },
    { ...DRAND, datasetRoot: fill(99) },
    { ...DRAND, randomness: { ...DRAND.randomness, chainHash: fill(99) } as never },
    { ...DRAND, randomness: { ...DRAND.randomness, assignRound: 99 } as never },
    { ...DRAND, randomness: { ...DRAND.randomness, judgeRound: 99 } as never },
    { ...DRAWN, randomness: { ...DRAWN.randomness, assignSeed: fill(99) } as never },
    { ...DRAWN, randomness: { ...DRAWN.randomness, judgeSeed: fill(99) } as never },
  ].map((context) => toHex(windowDigest(context, acc)));
  digests.push(toHex(windowDigest(DRAND, EMPTY_ACC)));
  assert.equal(new Set(digests).size, digests.length);
});
