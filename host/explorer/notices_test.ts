import assert from "node:assert/strict";
import { TestNetwork } from "../ledger/testing.ts";
import { type Notice, notices } from "./notices.ts";

async function told(network: TestNetwork, fault: string | null = null): Promise<Notice[]> {
  const { ledger } = network;
  const number = await ledger.currentWindow();
  const current = await ledger.window(number);
  const previous = number === 0 ? null : await ledger.window(number - 1);
  return notices({ current, previous, nowMs: ledger.now(), fault });
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

Deno.test("notices: a ledger that cannot be read is named with the reason", async () => {
  using network = await TestNetwork.found();
  assert.deepEqual(await told(network, "no such file"), [
    { part: "ledger", text: "The ledger does not answer: no such file" },
  ]);
});
