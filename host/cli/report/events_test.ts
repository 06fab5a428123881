import assert from "node:assert/strict";
import { bytes32, FAST, TestNetwork } from "../../ledger/testing.ts";
import { collectReceipt, type Receipt } from "../../receipt/mod.ts";
import { Pages } from "../../store/pages.ts";
import { verifyReceipt } from "./verify.ts";

const MODEL = { name: "tiny", vocab: 256, layers: 2, dims: 64, heads: 2, context: 32, batch: 4 };
const DRAWN = "round_state::SeedDrawn";

/** A closed window whose seeds the ledger drew. */
async function drawnWindow(): Promise<Receipt> {
  using network = await TestNetwork.found({ hparams: { ...FAST, randomness_kind: 1 } });
  await network.whole(0, [0, 1]);
  const { beacon: chain } = await network.ledger.info();
  return await collectReceipt({
    ledger: network.ledger,
    pages: Pages.fromTokens(new Uint32Array(3_300), 33, bytes32("tokenizer")),
    beacon: { chain, signature: () => assert.fail("nobody asks for a round") },
    model: MODEL,
    manifest: () => undefined,
  }, 0);
}

type Row = Receipt["events"][number];

/** What the check of the events says of `receipt` with other events of drawn seeds. */
async function checked(receipt: Receipt, bend: (drawn: Row[]) => Row[] = (drawn) => drawn) {
  const drawn = receipt.events.filter(({ kind }) => kind === DRAWN);
  const bent = bend(structuredClone(drawn));
  const at = receipt.events.indexOf(drawn[0]!);
  const others = receipt.events.filter(({ kind }) => kind !== DRAWN);
  const events = [...others.slice(0, at), ...bent, ...others.slice(at)];
  const checks = await verifyReceipt({ ...receipt, events }, {});
  return checks.find(({ name }) => name === "events")!;
}

Deno.test("checkEvents: seeds that the ledger drew are the window's, each once and in time", async () => {
  const receipt = await drawnWindow();
  const { detail, ok } = await checked(receipt);
  assert.ok(ok, detail);
  const withBody = (row: Row, change: Record<string, unknown>): Row => ({
    ...row,
    body: JSON.stringify({ ...JSON.parse(row.body), ...change }),
  });
  const bends: [name: string, bend: (drawn: Row[]) => Row[], found: RegExp][] = [
    ["left out", ([, judge]) => [judge!], /1 drawn seeds, there should be 2/],
    ["twice", ([assign]) => [assign!, { ...assign!, seq: assign!.seq + 1 }], /drew no seed/],
    [
      "another seed",
      ([assign, judge]) => [withBody(assign!, { seed: "00".repeat(32) }), judge!],
      /drew no seed of this window/,
    ],
    [
      "a field more",
      ([assign, judge]) => [assign!, withBody(judge!, { more: 1 })],
      /drew no seed of this window/,
    ],
  ];
  for (const [name, bend, found] of bends) {
    const { detail, ok } = await checked(receipt, bend);
    assert.ok(!ok, name);
    assert.match(detail, found, name);
  }
});
