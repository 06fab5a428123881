/** The shared vectors are what the code gives, and what hand-made bytes, Node's crypto and RFC 6962 give. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { vectorFile, VECTORS, vectorText } from "./generate.ts";
import { biased, hex, type Json, le, load, sha256 } from "./by_hand.ts";
import {
  checkHparams,
  decodeHparams,
  decodeOutcome,
  decodeReport,
  DEFAULT_HPARAMS,
  Refusal,
  verifyMerkle,
} from "../../enclave/protocol/mod.ts";

for (const name of Object.keys(VECTORS)) {
  Deno.test(`vectors: ${name}.json is what generate.ts writes`, () => {
    assert.equal(Deno.readTextFileSync(vectorFile(name)), vectorText(name), "run generate.ts");
  });
}

Deno.test("windows.json: holds by plain arithmetic", () => {
  const { bps, calendars } = load("windows");
  for (const { epochs, at, deadlines } of calendars) {
    const start = (window: bigint): bigint => {
      const epoch = epochs.findLast((e: Json) => BigInt(e.first_window) <= window);
      return BigInt(epoch.start_ms) +
        (window - BigInt(epoch.first_window)) * BigInt(epoch.window_ms);
    };
    for (const { now_ms, window } of at) {
      const n = BigInt(window);
      assert(start(n) <= BigInt(now_ms) && BigInt(now_ms) < start(n + 1n), `${now_ms}`);
    }
    for (const d of deadlines) {
      const n = BigInt(d.window);
      const [begin, end, over] = [start(n), start(n + 1n), start(n + 2n)];
      const part = (length: bigint, share: number) => length * BigInt(share) / 10_000n;
      assert.deepEqual(
        [d.start, d.commit, d.reveal, d.end, d.report, d.outcome].map(BigInt),
        [
          begin,
          begin + part(end - begin, bps.commit_bps),
          begin + part(end - begin, bps.reveal_bps),
          end,
          end + part(over - end, bps.report_bps),
          end + part(over - end, bps.outcome_bps),
        ],
      );
    }
  }
  assert.equal(calendars[0].at[3].window, "2957300"); // 1774380000000 / 600000
});

/** Draws below `bound` from the stream of `seed`, by hand. */
function* draws(seed: Uint8Array): Generator<bigint, never, bigint> {
  let bound = yield 0n;
  for (let counter = 0;; counter++) {
    const value = hex(sha256(seed, le(counter, 4))).readBigUInt64LE();
    if (value < (1n << 64n) - (1n << 64n) % bound) bound = yield value % bound;
  }
}

function drawing(seed: Uint8Array): (bound: bigint) => bigint {
  const stream = draws(seed);
  stream.next(0n);
  return (bound) => stream.next(bound).value;
}

function distinct(seed: Uint8Array, count: number, bound: bigint): string[] {
  const draw = drawing(seed);
  const seen: string[] = [];
  while (seen.length < count) {
    const next = draw(bound).toString();
    if (!seen.includes(next)) seen.push(next);
  }
  return seen;
}

Deno.test("assignment.json: roots, seeds and draws hold by hand", () => {
  const { dataset, assigned, shared, streams, rejected } = load("assignment");
  const bcs = Buffer.concat([
    le(dataset.page_count, 8),
    le(dataset.page_tokens, 4),
    hex(dataset.tokenizer_hash),
    hex(dataset.merkle_root),
  ]);
  assert.equal(dataset.bcs, bcs.toString("hex"));
  assert.equal(dataset.root, sha256("vramhub/dataset/v1", bcs));
  assert.equal(dataset.training_pages, "300"); // 333 − floor(33.3)
  for (const { uid, window, beacon, seed, pages } of assigned) {
    const parts = [hex(dataset.root), le(uid, 8), le(window, 8), hex(beacon)];
    assert.equal(seed, sha256("vramhub/data/v1", ...parts));
    assert.deepEqual(pages, distinct(hex(seed), 4, 300n));
  }
  const { ledger, window, beacon, random, held_out } = shared;
  const stream = (kind: string) =>
    Buffer.concat([Buffer.from(`vramhub/${kind}/v1`), hex(ledger), le(window, 8), hex(beacon)]);
  assert.deepEqual(random, distinct(stream("random"), 8, 300n));
  const held = distinct(stream("random"), 16, 33n).map((page) => `${BigInt(page) + 300n}`);
  assert.deepEqual(held_out, held);
  for (const { kind, draws } of streams) {
    const draw = drawing(stream(kind));
    for (const { bound, value } of draws) assert.equal(BigInt(value), draw(BigInt(bound)));
  }
  const bound = BigInt(rejected.bound);
  const [first, second] = [0, 1].map((counter) =>
    hex(sha256(hex(rejected.seed), le(counter, 4))).readBigUInt64LE()
  );
  assert(first! >= (1n << 64n) / bound * bound);
  assert.equal(BigInt(rejected.value), second! % bound);
});

/** RFC 6962 §2.1: MTH(D[n]). */
function head(pages: Uint8Array[]): string {
  if (pages.length === 1) return sha256(le(0, 1), pages[0]!);
  const k = 2 ** Math.ceil(Math.log2(pages.length) - 1);
  return sha256(le(1, 1), hex(head(pages.slice(0, k))), hex(head(pages.slice(k))));
}

/** RFC 6962 §2.1.1: PATH(m, D[n]). */
function path(m: number, pages: Uint8Array[]): string[] {
  if (pages.length === 1) return [];
  const k = 2 ** Math.ceil(Math.log2(pages.length) - 1);
  return m < k
    ? [...path(m, pages.slice(0, k)), head(pages.slice(k))]
    : [...path(m - k, pages.slice(k)), head(pages.slice(0, k))];
}

Deno.test("merkle.json: is RFC 6962's tree and its audit paths", () => {
  for (const { count, root, proofs } of load("merkle").trees) {
    const pages = Array.from({ length: count }, (_, i) => Buffer.alloc(16, le(i, 4)));
    assert.equal(root, head(pages), `${count} pages`);
    for (const { index, leaf, proof } of proofs) {
      assert.equal(leaf, sha256(le(0, 1), pages[index]!));
      assert.deepEqual(proof, path(index, pages));
      const hashes = proof.map((text: string) => new Uint8Array(hex(text)));
      assert(verifyMerkle(hex(root), count, index, new Uint8Array(hex(leaf)), hashes));
    }
  }
});

Deno.test("commit.json: commitments, fold and digests hold by hand", () => {
  const { ledger, window, commitments, reveals, contexts } = load("commit");
  for (const { uid, content_hash, salt, commitment } of commitments) {
    const parts = [hex(ledger), le(uid, 2), le(window, 8), hex(content_hash), hex(salt)];
    assert.equal(commitment, sha256("vramhub/commit/v1", ...parts));
  }
  let acc = "00".repeat(32);
  for (const r of reveals) {
    const id = [le(r.uid, 2), le(r.commit_seq, 8), hex(r.content_hash)];
    acc = sha256("vramhub/reveal/v1", hex(acc), ...id, le(r.size, 4), le(r.codec, 1));
    assert.equal(r.acc, acc);
  }
  const kinds = contexts.map(({ randomness }: Json) => randomness.kind);
  assert.deepEqual(kinds, ["drand", "ledger"]);
  for (const c of contexts) {
    const r = c.randomness;
    const bcs = Buffer.concat([
      hex(c.chain_id),
      hex(c.ledger_id),
      le(c.workload, 1),
      le(c.version, 1),
      le(c.window, 8),
      ...[c.hparams_digest, c.model_hash, c.base_hash, c.dataset_root].map(hex),
      ...(r.kind === "drand"
        ? [le(0, 1), hex(r.chain_hash), le(r.assign_round, 8), le(r.judge_round, 8)]
        : [le(1, 1), hex(r.assign_seed), hex(r.judge_seed)]),
    ]);
    assert.equal(c.bcs, bcs.toString("hex"));
    assert.equal(c.digest, sha256("vramhub/window/v1", bcs, hex(acc)));
    assert.equal(c.digest_without_reveals, sha256("vramhub/window/v1", bcs, Buffer.alloc(32)));
  }
});

function messageHead(intent: number, m: Json): Buffer[] {
  return [
    le(intent, 1),
    le(1, 1),
    hex(m.chain_id),
    hex(m.ledger_id),
    le(m.validator, 2),
    le(m.window, 8),
    le(m.timestamp_ms, 8),
  ];
}

/** The signature is the one that RFC 8032 determines, made and checked by Node. */
function checkSignature(key: Json, bytes: Uint8Array, signature: string): void {
  const pkcs8 = Buffer.concat([hex("302e020100300506032b657004220420"), hex(key.secret)]);
  const secret = createPrivateKey(
    `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString("base64")}\n-----END PRIVATE KEY-----\n`,
  );
  const publicKey = createPublicKey(secret);
  const spki = publicKey.export({ type: "spki", format: "der" }) as Uint8Array;
  assert.equal(Buffer.from(spki).subarray(-32).toString("hex"), key.public_key);
  assert.equal(sign(null, bytes, secret).toString("hex"), signature);
  assert(verify(null, bytes, publicKey, hex(signature)));
}

function checkRefused(refused: Json[], decode: (bytes: Uint8Array) => unknown): void {
  for (const { name, code, bytes } of refused) {
    assert.throws(() => decode(hex(bytes)), (e) => e instanceof Refusal && e.code === code, name);
  }
}

Deno.test("report.json: bytes, signatures and user_data hold by hand, the bad ones are refused", () => {
  const { key, identity, messages, refused } = load("report");
  const { chain_id, ledger_id, validator, address, user_data } = identity;
  const user = [Buffer.from("vramhub/enclave/v1"), hex(chain_id), hex(ledger_id)];
  const whole = Buffer.concat([...user, le(validator, 2), hex(address)]);
  assert.equal(user_data, whole.toString("hex"));
  for (const m of messages) {
    const bytes = Buffer.concat([
      ...messageHead(1, m),
      hex(m.window_digest),
      biased(m.random_before),
      le(m.entries.length, 1),
      ...m.entries.flatMap((e: Json) => [
        le(e.uid, 2),
        le(e.verdict, 1),
        ...[e.own_before, e.own_after, e.random_after].map(biased),
      ]),
    ]);
    assert.equal(m.bytes, bytes.toString("hex"), m.name);
    decodeReport(bytes);
    checkSignature(key, bytes, m.signature);
  }
  checkRefused(refused, decodeReport);
});

Deno.test("outcome.json: bytes and signatures hold by hand, the bad ones are refused", () => {
  const { key, messages, refused } = load("outcome");
  for (const m of messages) {
    const bytes = Buffer.concat([
      ...messageHead(2, m),
      hex(m.settled_digest),
      le(m.ratings.length, 1),
      ...m.ratings.flatMap((r: Json) => [le(r.uid, 2), biased(r.mu), le(r.sigma, 8)]),
      ...(m.manifest_hash === null ? [le(0, 1)] : [le(1, 1), hex(m.manifest_hash)]),
      biased(m.current_loss),
      biased(m.merged_loss),
    ]);
    assert.equal(m.bytes, bytes.toString("hex"), m.name);
    decodeOutcome(bytes);
    checkSignature(key, bytes, m.signature);
  }
  checkRefused(refused, decodeOutcome);
});

Deno.test("hparams.json: BCS and digests hold by hand; accepted and refused as it says", () => {
  const { fields, encoded, accepted, refused } = load("hparams");
  for (const { values, bcs, digest } of encoded) {
    assert.deepEqual(Object.keys(values), fields.map(({ name }: Json) => name));
    const bytes = Buffer.concat(
      fields.map(({ name, width }: Json) => le(values[name], Number(width.slice(1)) / 8)),
    );
    assert.equal(bcs, bytes.toString("hex"));
    assert.equal(digest, sha256("vramhub/hparams/v1", bytes));
    decodeHparams(bytes);
  }
  const changed = (change: Record<string, string>) => ({
    ...DEFAULT_HPARAMS,
    ...Object.fromEntries(Object.entries(change).map(([name, value]) => [name, Number(value)])),
  });
  for (const { change, beacon_period_ms } of accepted) {
    checkHparams(changed(change), Number(beacon_period_ms));
  }
  for (const { change, beacon_period_ms, field } of refused) {
    assert.throws(
      () => checkHparams(changed(change), Number(beacon_period_ms)),
      (e) => e instanceof Refusal && e.code === "bad_hparam" && e.field === field,
      field,
    );
  }
});

Deno.test("errors.json: a code is never reused within a module, nor among verdicts", () => {
  const { errors, verdicts, settled } = load("errors");
  for (const [module, table] of Object.entries<Record<string, number>>(errors)) {
    const codes = Object.values(table);
    assert.equal(new Set(codes).size, codes.length, module);
    assert(codes.every((code) => Number.isInteger(code) && code > 0 && code < 256));
  }
  const codes = Object.values({ ...verdicts, ...settled });
  assert.equal(new Set(codes).size, 16);
});
