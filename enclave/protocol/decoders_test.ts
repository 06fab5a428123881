/** What every decoder of the protocol owes: identity, and a refusal of all that is not exactly one message. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { CHUNK_BYTES, decodeManifest, encodeManifest, type Manifest } from "./base.ts";
import { type Bytes, compare, concat, utf8 } from "./bytes.ts";
import { decodeContext, encodeContext, type Reveal, type WindowContext } from "./commit.ts";
import { type Dataset, decodeDataset, encodeDataset } from "./dataset.ts";
import { decodeHparams, DEFAULT_HPARAMS, encodeHparams } from "./hparams.ts";
import {
  decodeReveals,
  decodeSettlement,
  encodeReveals,
  encodeSettlement,
} from "./judge_messages.ts";
import { Refusal } from "./refusal.ts";
import {
  decodeOutcome,
  decodeReport,
  encodeOutcome,
  encodeReport,
  type Metric,
  type Outcome,
  type Report,
  type ReportEntry,
} from "./report.ts";
import type { SettledRow } from "./settle.ts";
import { hasMetrics, SETTLED, VERDICT } from "./verdict.ts";

const bytes = (min: number, max: number = min): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((value) => new Uint8Array(value));
/** Objects with the ordinary prototype, as the decoders make them. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });
const hash = bytes(32);
const uid = fc.nat(0xffff);
const count = fc.maxSafeNat();
const loss = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const mu = fc.integer({ min: -(10 ** 12), max: 10 ** 12 });
const sigma = fc.integer({ min: 1, max: 10 ** 12 });
const byUid = <T extends { readonly uid: number }>(row: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.uniqueArray(row, { selector: (value) => value.uid, maxLength: 6 })
    .map((rows) => rows.sort((a, b) => a.uid - b.uid));
const metrics = (measured: boolean): fc.Arbitrary<Record<keyof typeof NO_METRICS, Metric>> =>
  measured
    ? record({ ownBefore: loss, ownAfter: loss, randomAfter: loss })
    : fc.constant(NO_METRICS);
const NO_METRICS = { ownBefore: null, ownAfter: null, randomAfter: null };

const reveal: fc.Arbitrary<Reveal> = record({
  uid,
  commitSeq: count,
  contentHash: hash,
  size: fc.nat(2 ** 31 - 1),
  codec: fc.nat(255),
});
const reveals = fc.uniqueArray(reveal, { selector: (value) => value.uid, maxLength: 6 })
  .map((rows) => rows.filter((a, i) => rows.findIndex((b) => b.commitSeq === a.commitSeq) === i));
const entry: fc.Arbitrary<ReportEntry> = fc.constantFrom(...Object.values(VERDICT))
  .chain((verdict) =>
    record({ uid, verdict: fc.constant(verdict) })
      .chain((head) => metrics(verdict === VERDICT.ok).map((rest) => ({ ...head, ...rest })))
  );
const SETTLED_CODES = [...Object.values(SETTLED), ...Object.values(VERDICT).filter((v) => v !== 1)];
const settledRow: fc.Arbitrary<SettledRow> = fc.constantFrom(...SETTLED_CODES).chain((verdict) =>
  record({ uid, priorMu: mu, priorSigma: sigma }).chain((head) =>
    metrics(hasMetrics(verdict)).map((rest) => ({ ...head, verdict, ...rest }))
  )
);
const head = { chainId: hash, ledgerId: hash, validator: uid, window: count, timestampMs: count };

/** One kind of message: how it is made, written and read. */
interface Case<T> {
  readonly name: string;
  readonly values: fc.Arbitrary<T>;
  readonly encode: (value: T) => Bytes;
  readonly decode: (bytes: Uint8Array) => T;
}

const dataset: Case<Dataset> = {
  name: "dataset",
  values: record({
    pageCount: fc.integer({ min: 10, max: Number.MAX_SAFE_INTEGER }),
    pageTokens: fc.nat(2 ** 31),
    tokenizerHash: hash,
    merkleRoot: hash,
  }),
  encode: encodeDataset,
  decode: decodeDataset,
};
const hparams: Case<typeof DEFAULT_HPARAMS> = {
  name: "hparams",
  values: record({ top_g: fc.integer({ min: 1, max: 256 }) })
    .map((change) => ({ ...DEFAULT_HPARAMS, ...change })),
  encode: encodeHparams,
  decode: decodeHparams,
};
const context: Case<WindowContext> = {
  name: "context",
  values: record({
    chainId: hash,
    ledgerId: hash,
    workload: fc.nat(255),
    version: fc.nat(255),
    window: count,
    hparamsDigest: hash,
    modelHash: hash,
    baseHash: hash,
    datasetRoot: hash,
    randomness: fc.oneof(
      record({
        kind: fc.constant("drand" as const),
        chainHash: hash,
        assignRound: count,
        judgeRound: count,
      }),
      record({ kind: fc.constant("ledger" as const), assignSeed: hash, judgeSeed: hash }),
    ),
  }),
  encode: encodeContext,
  decode: decodeContext,
};
const report: Case<Report> = {
  name: "report",
  values: record({ ...head, windowDigest: hash, randomBefore: loss, entries: byUid(entry) }),
  encode: encodeReport,
  decode: decodeReport,
};
const outcome: Case<Outcome> = {
  name: "outcome",
  values: record({
    ...head,
    settledDigest: hash,
    ratings: byUid(record({ uid, mu, sigma })),
    merged: fc.option(fc.tuple(hash, loss, loss)),
  }).map(({ merged, ...rest }) => ({
    ...rest,
    manifestHash: merged?.[0] ?? null,
    currentLoss: merged?.[1] ?? null,
    mergedLoss: merged?.[2] ?? null,
  })),
  encode: encodeOutcome,
  decode: decodeOutcome,
};
const manifest: Case<Manifest> = {
  name: "manifest",
  values: record({
    modelHash: hash,
    parent: hash,
    window: count,
    chunks: fc.array(hash, { maxLength: 4 }),
    short: fc.nat(CHUNK_BYTES - 1),
    metadata: fc.uniqueArray(
      fc.tuple(fc.string({ unit: "grapheme", maxLength: 6 }), bytes(0, 20)),
      { selector: ([key]) => key, maxLength: 4 },
    ),
  }).map(({ short, metadata, ...rest }) => ({
    ...rest,
    size: rest.chunks.length === 0 ? 0 : rest.chunks.length * CHUNK_BYTES - short,
    metadata: metadata.sort(([a], [b]) => compare(utf8(a), utf8(b))),
  })),
  encode: encodeManifest,
  decode: decodeManifest,
};
const revealed: Case<Reveal[]> = {
  name: "reveals",
  values: reveals,
  encode: encodeReveals,
  decode: decodeReveals,
};
const settlement: Case<ReturnType<typeof decodeSettlement>> = {
  name: "settlement",
  values: record({ randomBefore: fc.option(loss), rows: byUid(settledRow) }),
  encode: ({ randomBefore, rows }) => encodeSettlement(randomBefore, rows),
  decode: decodeSettlement,
};

function refused(run: () => unknown, what: string, code?: string): void {
  assert.throws(
    run,
    (e) => e instanceof Refusal && (code === undefined || e.code === code),
    `${what} is not refused`,
  );
}

function holds<T>({ name, values, encode, decode }: Case<T>): void {
  Deno.test(`decode ${name}: gives back what was encoded, byte for byte`, () => {
    fc.assert(
      fc.property(values, (value) => {
        const wire = encode(value);
        const back = decode(wire);
        assert.deepEqual(back, value);
        assert.deepEqual(encode(back), wire);
      }),
      { numRuns: 60, seed: 6 },
    );
  });

  Deno.test(`decode ${name}: reads a view into a larger buffer`, () => {
    const [value] = fc.sample(values, { numRuns: 1, seed: 7 });
    const wire = encode(value!);
    const view = concat(Uint8Array.of(9, 9, 9), wire, Uint8Array.of(9)).subarray(3, -1);
    assert.deepEqual(decode(view), value);
  });

  Deno.test(`decode ${name}: refuses truncation at every length, and trailing bytes`, () => {
    for (const value of fc.sample(values, { numRuns: 8, seed: 8 })) {
      const wire = encode(value);
      for (let length = 0; length < wire.length; length++) {
        refused(() => decode(wire.subarray(0, length)), `${name} cut to ${length}`, "truncated");
      }
      for (const extra of [1, 2, 64]) {
        refused(
          () => decode(concat(wire, new Uint8Array(extra))),
          `${extra} more`,
          "trailing_bytes",
        );
      }
    }
  });

  Deno.test(`decode ${name}: answers noise with a Refusal, or with what encodes to that noise`, () => {
    const check = (noise: Uint8Array) => {
      let value: T;
      try {
        value = decode(noise);
      } catch (error) {
        assert(error instanceof Refusal, `${error}`);
        return;
      }
      assert.deepEqual(encode(value), new Uint8Array(noise)); // one encoding for one value
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), check), { numRuns: 100, seed: 9 });
    const [value] = fc.sample(values, { numRuns: 1, seed: 10 });
    const wire = encode(value!);
    for (let at = 0; at < wire.length; at++) {
      for (const byte of [0, 0x7f, 0x80, 0xff]) {
        const changed = wire.slice();
        changed[at] = byte;
        check(changed);
      }
    }
  });
}

holds(dataset);
holds(hparams);
holds(context);
holds(report);
holds(outcome);
holds(manifest);
holds(revealed);
holds(settlement);

/** Where the first list's length lies: everything before it has a fixed width. */
const LISTS: [name: string, at: number, decode: (bytes: Uint8Array) => unknown][] = [
  ["report", 124, decodeReport],
  ["outcome", 116, decodeOutcome],
  ["manifest", 80, decodeManifest],
  ["reveals", 0, decodeReveals],
  ["settlement", 8, decodeSettlement],
];

Deno.test("decoders: a giant declared length is refused before anything is allocated", () => {
  for (const [name, at, decode] of LISTS) {
    const prefix = new Uint8Array(at);
    if (name === "report") prefix.set([1, 1]);
    if (name === "outcome") prefix.set([2, 1]);
    if (name === "report") prefix[123] = 0x80; // random_before: 2^63, unmeasured
    if (name === "settlement") prefix[7] = 0x80;
    const withLength = (...length: number[]) => () =>
      decode(concat(prefix, Uint8Array.from(length)));
    refused(withLength(0xff, 0xff, 0xff, 0xff, 0x0f), `${name} of 2^32 - 1 rows`, "too_long");
    refused(withLength(0xff, 0xff, 0xff, 0xff, 0x7f), `${name} of 2^35 - 1 rows`, "too_long");
    refused(withLength(0x80, 0x80, 0x80, 0x80, 0x80, 1), `${name}'s endless length`, "too_long");
    refused(withLength(0x80, 0x80, 0x00), `${name}'s long zero`, "non_canonical");
    refused(withLength(0x81, 0x00), `${name}'s long one`, "non_canonical");
    refused(withLength(0x80, 0x02), `${name} of 256 absent rows`, "truncated");
    if (name !== "manifest") refused(withLength(0x81, 0x02), `${name} of 257 rows`, "too_long");
    refused(withLength(0x81, 0x80, 0x01), `${name} of 16,385 rows`, "too_long");
  }
});
