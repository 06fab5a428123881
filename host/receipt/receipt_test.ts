import assert from "node:assert/strict";
import { encodeCanonical } from "../../enclave/protocol/cbor.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import type { BeaconSource } from "../ledger/randomness.ts";
import { bytes32, FAST, TestNetwork } from "../ledger/testing.ts";
import type { Bases } from "../store/bases.ts";
import { Pages } from "../store/pages.ts";
import {
  collectReceipt,
  decodeReceipt,
  encodeReceipt,
  type Receipt,
  receiptPath,
  Receipts,
  windowEvents,
} from "./mod.ts";

/** The ledger draws: nobody needs a beacon. */
const HPARAMS = { ...FAST, randomness_kind: 1 };
const MODEL = { name: "tiny", vocab: 256, layers: 2, dims: 64, heads: 2, context: 32, batch: 4 };

async function sources(network: TestNetwork) {
  const { beacon: chain } = await network.ledger.info();
  const beacon: BeaconSource = { chain, signature: () => assert.fail("nobody asks for a round") };
  const pages = Pages.fromTokens(new Uint32Array(3_300), 33, bytes32("tokenizer"));
  return { ledger: network.ledger, pages, beacon, model: MODEL, manifest: () => undefined };
}

const found = (validators?: readonly bigint[]) =>
  TestNetwork.found({ hparams: HPARAMS, ...(validators === undefined ? {} : { validators }) });

/** A network with a closed window 0, and its receipt. */
async function closed(): Promise<{ network: TestNetwork; receipt: Receipt }> {
  const network = await found();
  await network.whole(0, [2, 0]);
  return { network, receipt: await collectReceipt(await sources(network), 0) };
}

function refusal(bytes: Uint8Array): Refusal {
  try {
    decodeReceipt(bytes);
  } catch (error) {
    assert(error instanceof Refusal, `${error}`);
    return error;
  }
  assert.fail("it was read");
}

Deno.test("collectReceipt: holds what was signed, the documents, the settlement and the payout", async () => {
  const { network, receipt } = await closed();
  using _network = network;
  assert.equal(receipt.status, "closed");
  assert.deepEqual(receipt.reveals.map(({ uid }) => uid), [2, 0], "in order of arrival");
  const { reports, outcomes } = await network.ledger.messages(0);
  assert.deepEqual(receipt.reports.map(({ message }) => message), [reports[0]!.message]);
  assert.deepEqual(receipt.outcomes.map(({ signature }) => signature), [outcomes[0]!.signature]);
  const [key] = receipt.keys;
  assert.deepEqual(key!.key, network.publicKey(0));
  assert.deepEqual(key!.document, (await network.ledger.attestation(key!.key))!.document);
  assert.deepEqual(receipt.measurements.map(({ name }) => name), ["build-1"]);
  assert.deepEqual(
    receipt.settlement!.records.map(({ uid, prior_measured }) => [uid, prior_measured]),
    [[0, 0], [2, 0]],
  );
  assert.deepEqual(receipt.payout!.miners.map(({ uid }) => uid), [0, 2]);
  const drawn = receipt.pages.map(({ index }) => index);
  assert.deepEqual(drawn, [...new Set(drawn)].sort((a, b) => a - b));
  assert.deepEqual(receipt.manifests, [], "none is at hand");
});

Deno.test("collectReceipt: an empty window and a skipped one have receipts, a running one has not", async () => {
  using network = await found();
  network.at(0, 100);
  await network.ledger.window(0);
  network.at(1);
  await network.ledger.close(0);
  const empty = await collectReceipt(await sources(network), 0);
  assert.deepEqual([empty.status, empty.payout, empty.pages.length], ["closed", null, 0]);
  await assert.rejects(collectReceipt(await sources(network), 1), /window 1 is still open/);
  await network.play(1, [0]);
  network.at(2, 9_900);
  await network.ledger.close(1);
  const skipped = await collectReceipt(await sources(network), 1);
  assert.deepEqual(
    [skipped.status, skipped.skip_reason, skipped.settlement],
    ["skipped", "no quorum of reports", null],
  );
  for (const receipt of [empty, skipped]) {
    assert.deepEqual(decodeReceipt(encodeReceipt(receipt)), receipt);
  }
});

Deno.test("decodeReceipt: is the inverse of encodeReceipt, and refuses every cut and addition", async () => {
  const { network, receipt } = await closed();
  using _network = network;
  const bytes = encodeReceipt(receipt);
  assert.deepEqual(decodeReceipt(bytes), receipt);
  for (let length = 0; length < bytes.length; length += 997) refusal(bytes.subarray(0, length));
  assert.equal(refusal(new Uint8Array([...bytes, 0])).code, "trailing_bytes");
});

Deno.test("decodeReceipt: refuses other versions, unknown and missing fields and what is out of bounds", async () => {
  const { network, receipt } = await closed();
  using _network = network;
  const { acc: _acc, ...lacking } = receipt;
  const miners = receipt.payout!.miners.map((row) => ({ ...row, reward: "007" }));
  const cases: [bent: unknown, code: string, field: string][] = [
    [{ ...receipt, version: 2 }, "unknown_version", "version"],
    [{ ...receipt, more: 1 }, "unknown_field", "more"],
    [lacking, "missing_field", "acc"],
    [{ ...receipt, status: "open" }, "wrong_kind", "status"],
    [{ ...receipt, digest: new Uint8Array(31) }, "wrong_length", "digest"],
    [{ ...receipt, epochs: [] }, "wrong_length", "epochs"],
    [
      { ...receipt, payout: { ...receipt.payout!, miners } },
      "wrong_kind",
      "payout.miners[0].reward",
    ],
    [
      { ...receipt, manifests: Array.from({ length: 4 }, () => new Uint8Array(1)) },
      "wrong_length",
      "manifests",
    ],
  ];
  for (const [bent, code, field] of cases) {
    const error = refusal(encodeCanonical(bent));
    assert.deepEqual([error.code, error.field], [code, field]);
  }
});

Deno.test("decodeReceipt: refuses another encoding of the same receipt", async () => {
  const { network, receipt } = await closed();
  using _network = network;
  const bytes = encodeReceipt(receipt);
  // The first key of the map, moved behind the last one: 0xb7 is a map of 23 pairs, 0x63 a text of 3 bytes.
  assert.deepEqual([...bytes.subarray(0, 5)], [0xb7, 0x63, 0x61, 0x63, 0x63]);
  const pair = 4 + 2 + 32; // "acc", and a byte string of 32
  const moved = new Uint8Array(bytes.length);
  moved.set(bytes.subarray(0, 1));
  moved.set(bytes.subarray(1 + pair), 1);
  moved.set(bytes.subarray(1, 1 + pair), bytes.length - pair);
  assert.equal(refusal(moved).code, "not_canonical");
});

Deno.test("windowEvents: finds a window's events as a walk over the whole log does", async () => {
  using network = await found();
  for (let window = 0; window < 9; window++) await network.whole(window, [window % 3]);
  const all = await network.events();
  for (let window = 0; window < 9; window++) {
    const wanted = all.filter(({ kind, body }) =>
      body.window === (/Base(Anchored|Kept)$/.test(kind) ? window + 2 : window)
    );
    assert.deepEqual(await windowEvents(network.ledger, window), wanted, `window ${window}`);
  }
});

Deno.test("Receipts.keep: writes at the end, and again where a late outcome came", async () => {
  const dir = await Deno.makeTempDir();
  try {
    using network = await found([10_000n, 4_000n]);
    const { ledger } = network;
    const said: string[] = [];
    const bases = { manifest: () => undefined } as unknown as Bases;
    const receipts = new Receipts(dir, {
      ...await sources(network),
      bases,
      log: (level, _target, message) => said.push(`${level} ${message}`),
    });
    const kept = async () => decodeReceipt(await Deno.readFile(receiptPath(dir, 0)));
    await network.play(0, [0, 1]);
    for (const validator of [0, 1]) await network.report(validator, 0);
    await ledger.settle(0, 64);
    await network.outcome(0, 0);
    await receipts.keep(await ledger.window(0));
    assert.equal((await kept()).outcomes.length, 1);
    await network.outcome(1, 0);
    network.at(2);
    await ledger.close(1);
    await receipts.keep(await ledger.window(1));
    assert.deepEqual((await kept()).outcomes.map(({ validator }) => validator), [0, 1]);
    assert.deepEqual(said, Array(3).fill("info Receipt written"));
    const names = [...Deno.readDirSync(`${dir}/receipts`)].map(({ name }) => name).sort();
    assert.deepEqual(names, ["window-0.cbor", "window-1.cbor"], "and no drafts");
    await receipts.keep(await ledger.window(2));
    assert.equal(said.at(-1), "error Receipt not written", "a running window has none");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
