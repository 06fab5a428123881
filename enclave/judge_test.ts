import assert from "node:assert/strict";
import { parseDocument } from "../attestation/mod.ts";
import {
  bodyOf,
  createBareJudge,
  createTestJudge,
  identityOf,
  NOW,
  TestNet,
  v1,
} from "../tests/support/window.ts";
import { encodeManifest } from "./protocol/base.ts";
import { userDataOf, verifySignature } from "./protocol/identity.ts";
import { decodeReport } from "./protocol/report.ts";

const net = new TestNet();
const update = await net.train(3, 1);
const window = net.window(3, [v1(1, update)]);

Deno.test("Judge: signs its report with its own key, in its own validator's name", async () => {
  const judges = [await createTestJudge(window, 0), await createTestJudge(window, 5)] as const;
  const [a, b] = await Promise.all(judges.map((judge) => judge.process(bodyOf(window.report()))));
  for (const [signed, judge] of [[a!, judges[0]], [b!, judges[1]]] as const) {
    assert.ok(verifySignature(signed.signature, signed.message, judge.publicKey));
    await judge.close();
  }
  assert.ok(!verifySignature(a!.signature, a!.message, judges[1].publicKey));
  const { validator, timestampMs, ...same } = decodeReport(a!.message);
  assert.deepEqual([validator, timestampMs], [0, NOW]);
  assert.deepEqual({ ...same, validator: 5, timestampMs }, decodeReport(b!.message));
});

Deno.test("Judge.process: one window is signed once; the same body gives the same bytes", async () => {
  const judge = await createTestJudge(window);
  const body = bodyOf(window.report());
  const signed = await judge.process(body);
  assert.deepEqual(await judge.process(body.slice()), signed);
  const other = bodyOf({ ...window.report(), unavailable: [1] });
  await assert.rejects(judge.process(other), { code: "already_signed" });
  // Another order of pages is another body, though it would give the same report.
  const shuffled = bodyOf({ ...window.report(), pages: window.report().pages.reverse() });
  await assert.rejects(judge.process(shuffled), { code: "already_signed" });
  await judge.close();
});

Deno.test("Judge.process: what is refused is not remembered as signed", async () => {
  const judge = await createTestJudge(window);
  const payload = window.report();
  await assert.rejects(judge.process(bodyOf({ ...payload, pages: [] })), { code: "missing_page" });
  assert.equal(judge.busy, false);
  await judge.process(bodyOf(payload));
  await judge.close();
});

Deno.test("Judge.process: refuses a second request while it judges, without harm to the first", async () => {
  const judge = await createTestJudge(window);
  const first = judge.process(bodyOf(window.report()));
  await assert.rejects(judge.process(bodyOf(window.report())), { code: "busy" });
  assert.equal(decodeReport((await first).message).window, 3);
  await judge.close();
});

Deno.test("Judge.process: leaves the base as it was, bit for bit", async () => {
  // Windows 4, 5 and 4 again, of which the last one finds the weights that two others were judged on.
  const at = async (n: number) => net.window(n, [v1(1, await net.train(n, 1)), v1(2, update)]);
  const [four, five] = [await at(4), await at(5)];
  const fresh = await createTestJudge(four);
  const used = await createTestJudge(five);
  await used.process(bodyOf(five.report()));
  for (const [i, { contentHash }] of four.reveals.entries()) {
    used.blobs.put(contentHash, four.gradients[i]!);
  }
  const [a, b] = [
    await fresh.process(bodyOf(four.report())),
    await used.process(bodyOf(four.report())),
  ];
  assert.deepEqual(a.message, b.message);
  await fresh.close();
  await used.close();
});

Deno.test("Judge.process: a window that lies 64 behind the newest is over", async () => {
  const judge = await createTestJudge(net.window(3, []));
  const report = (n: number) => judge.process(bodyOf(net.window(n, []).report()));
  const signed = await report(3);
  await report(66);
  assert.deepEqual(await report(3), signed);
  await report(67);
  await assert.rejects(report(3), { code: "too_old" });
  await report(4);
  await judge.close();
});

Deno.test("Judge.process: takes no longer than a window lasts", async () => {
  const judge = await createTestJudge(window);
  const { now } = performance;
  let calls = 0;
  performance.now = () => net.hparams.window_ms * 2 * calls++;
  try {
    await assert.rejects(judge.process(bodyOf(window.report())), { code: "deadline" });
  } finally {
    performance.now = now;
  }
  assert.equal(judge.busy, false);
  await judge.process(bodyOf(window.report()));
  await judge.close();
});

Deno.test("Judge.configure: the same again is fine, another is refused until a restart", async () => {
  const judge = await createBareJudge();
  await assert.rejects(judge.attest(), { code: "not_configured" });
  await assert.rejects(judge.process(bodyOf(window.report())), { code: "not_configured" });
  const identity = identityOf(1);
  judge.configure(identity);
  judge.configure({ ...identity });
  const bytes = new Uint8Array(32);
  for (
    const change of [{ chainId: bytes }, { ledgerId: bytes }, { validator: 2 }, { address: bytes }]
  ) {
    assert.throws(() => judge.configure({ ...identity, ...change }), {
      code: "already_configured",
    });
  }
});

Deno.test("Judge.attest: the document carries key, configuration, nonce and the module's time", async () => {
  const judge = await createTestJudge(undefined, 4);
  const nonce = new Uint8Array([1, 2, 3]);
  const document = parseDocument(await judge.attest(nonce));
  assert.deepEqual(document.publicKey, judge.publicKey);
  assert.deepEqual(document.userData, userDataOf(identityOf(4)));
  assert.deepEqual(document.nonce, nonce);
  assert.equal(document.timestamp, NOW);
  assert.equal(parseDocument(await judge.attest()).nonce, null);
  assert.notDeepEqual((await createBareJudge()).publicKey, judge.publicKey);
});

Deno.test("Judge.process: refuses another model's file as a base", async () => {
  const base = { ...net.base, size: net.base.size - 8 };
  const judge = await createTestJudge(window);
  const payload = window.outcome(1, [], base);
  assert.deepEqual(payload.base, encodeManifest(base));
  await assert.rejects(judge.process(bodyOf(payload)), { code: "bad_manifest" });
  await judge.close();
});
