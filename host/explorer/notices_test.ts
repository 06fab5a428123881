import assert from "node:assert/strict";
import { minerOf, TestNetwork } from "../ledger/testing.ts";
import { type Notice, notices } from "./notices.ts";

async function told(network: TestNetwork, fault: string | null = null): Promise<Notice[]> {
  const { ledger } = network;
  const number = await ledger.currentWindow();
  const current = await ledger.window(number);
  const previous = number === 0 ? null : await ledger.window(number - 1);
  return notices({ current, previous, running: number, nowMs: ledger.now(), fault });
}

const parts = async (network: TestNetwork) => (await told(network)).map(({ part }) => part);

Deno.test("notices: says nothing of a network that moves", async () => {
  using network = await TestNetwork.found();
  network.at(0, 500);
  assert.deepEqual(await told(network), []);
  await network.play(0, [0]);
  assert.deepEqual(await told(network), []);
  await network.report(0, 0);
  await network.ledger.settle(0, 64);
  network.at(1, 4_600);
  assert.deepEqual(await told(network), []);
});

Deno.test("notices: miners that send nothing are named once their time is over", async () => {
  using network = await TestNetwork.found();
  network.at(0, 9_499);
  assert.deepEqual(await told(network), []);
  network.at(0, 9_500);
  assert.deepEqual(await parts(network), ["miners"]);
  network.at(1, 10);
  assert.match((await told(network))[0]!.text, /^Nobody revealed a gradient in window 0:/);
});

Deno.test("notices: a miner that revealed before and does so no more is named", async () => {
  using network = await TestNetwork.found();
  await network.play(0, [0, 1, 2]);
  network.at(1, 100);
  await network.report(0, 0);
  await network.commit(1, 1);
  network.at(1, 8_000);
  const gradient = { contentHash: network.content(1, 1), size: 10, codec: 1 };
  await network.ledger.reveal(minerOf(1), 1, 1, gradient, network.salt, "ref");
  assert.deepEqual((await told(network)).filter(({ part }) => part === "miners"), []);
  network.at(1, 9_500);
  const [first, ...more] = await told(network);
  assert.equal(
    first!.text,
    "No gradient in window 1 from miner 0, 2, which revealed one in window 0",
  );
  assert.deepEqual(more.filter(({ part }) => part === "miners"), []);
});

Deno.test("notices: judges that do not report or sign are named before their time is over", async () => {
  using network = await TestNetwork.found({ validators: [10_000n, 1_000n] });
  await network.play(0, [0]);
  network.at(1, 4_499);
  assert.deepEqual(await told(network), []);
  network.at(1, 4_500);
  assert.match((await told(network))[0]!.text, /^No judge has reported window 0/);
  await network.report(0, 0);
  network.at(1, 6_750);
  await network.ledger.settle(0, 64);
  const late = await told(network);
  assert.match(late[0]!.text, /^No report of window 0 from validator 1$/);
  assert.match(late[1]!.text, /^No judge has signed an outcome/);
});

Deno.test("notices: a network in which nobody calls any more is named", async () => {
  using network = await TestNetwork.found({ readsRoll: false });
  await network.play(0, [0]);
  network.at(4, 10);
  const { ledger } = network;
  const current = await ledger.window(0);
  const [first] = notices({
    current,
    previous: null,
    running: 4,
    nowMs: ledger.now(),
    fault: null,
  });
  assert.match(first!.text, /^Nobody has called in window 4, nor since window 0:/);
});

Deno.test("notices: a ledger that cannot be read is named with the reason", async () => {
  using network = await TestNetwork.found();
  assert.deepEqual(await told(network, "no such file"), [
    { part: "ledger", text: "The ledger does not answer: no such file" },
  ]);
});
