import assert from "node:assert/strict";
import { address, ADMIN, minerOf, refuses, TestNetwork, validatorOf } from "../testing.ts";

const NEW = address(0x51);
const OTHER = address(0x52);
const THIRD = address(0x53);

async function seats(network: TestNetwork): Promise<[number, number, string][]> {
  return (await network.ledger.miners()).map((row) => [row.uid, row.generation, row.owner]);
}

Deno.test("registerMiner: takes the first free slot from the next window on", async () => {
  using network = await TestNetwork.found({ miners: 1 });
  const { ledger } = network;
  ledger.faucet(NEW, 5_000n);
  assert.equal(await ledger.registerMiner(NEW, 2_000n), 1);
  assert.equal((await ledger.balance(NEW)).sui, 3_000n);
  assert.deepEqual(await seats(network), [[0, 1, minerOf(0)]]);
  await refuses("peer_registry::ENotOwner", network.commit(1, 0, NEW));
  network.at(1);
  assert.equal(await network.commit(1, 1, NEW), 0);
  const row = (await ledger.miners())[1]!;
  assert.deepEqual(
    [row.owner, row.stake, row.activeFrom, row.mu, row.sigma, row.lastAccepted],
    [NEW, 2_000n, 1, 25_000_000, 8_333_334, -1],
  );
});

Deno.test("registerMiner: refuses too little stake, a second slot, and coins that are not there", async () => {
  using network = await TestNetwork.found({ miners: 1 });
  const { ledger } = network;
  await refuses("peer_registry::EInsufficientStake", ledger.registerMiner(NEW, 999n));
  await refuses("peer_registry::EInsufficientBalance", ledger.registerMiner(NEW, 1_000n));
  ledger.faucet(NEW, 5_000n);
  await ledger.registerMiner(NEW, 1_000n);
  await refuses("peer_registry::EAlreadyRegistered", ledger.registerMiner(NEW, 1_000n));
  await refuses("peer_registry::EAlreadyRegistered", ledger.registerMiner(minerOf(0), 1_000n));
  assert.equal(await ledger.registerValidator(NEW, 1_000n), 1, "the other role is free to take");
});

Deno.test("registerMiner: a full table of newcomers admits nobody", async () => {
  using network = await TestNetwork.found({ miners: 2, hparams: { max_miners: 2 } });
  network.ledger.faucet(NEW, 5_000n);
  await refuses("peer_registry::ENoSlot", network.ledger.registerMiner(NEW, 1_000n));
});

Deno.test("registerMiner: evicts the lowest ordinal past its immunity, for a fee that doubles", async () => {
  using network = await TestNetwork.found({ miners: 3, hparams: { max_miners: 3 } });
  const { ledger } = network;
  const rate = (uid: number) => ({ mu: [30, 28, 35][uid]! * 1_000_000 });
  await network.whole(0, [0, 1, 2], {}, { rate });
  network.at(2);
  for (const owner of [NEW, OTHER, THIRD]) ledger.faucet(owner, 2_000n);
  assert.equal(await ledger.registerMiner(NEW, 1_000n), 1);
  assert.equal(await ledger.registerMiner(OTHER, 1_000n), 0);
  await refuses("peer_registry::EInsufficientBalance", ledger.registerMiner(THIRD, 1_801n));
  assert.equal(await ledger.registerMiner(THIRD, 1_800n), 2);
  assert.deepEqual(
    await Promise.all([NEW, OTHER, THIRD].map(async (who) => (await ledger.balance(who)).sui)),
    [950n, 900n, 0n],
  );
  await refuses("peer_registry::ENoSlot", ledger.registerMiner(ADMIN, 1_000n));
  assert.deepEqual((await seats(network)).map(([, generation]) => generation), [1, 1, 1]);
  network.at(3);
  assert.deepEqual(await seats(network), [[0, 2, OTHER], [1, 2, NEW], [2, 2, THIRD]]);
  network.at(8);
  assert.equal(await ledger.withdraw(minerOf(1)), 5_000n, "the evicted miner's stake unbonds");
  ledger.faucet(ADMIN, 2_000n);
  await ledger.registerMiner(ADMIN, 1_000n);
  assert.equal((await ledger.balance(ADMIN)).sui, 950n, "the fee starts again in each window");
});

Deno.test("registerMiner: frees a slot that is idle before it evicts, and for nothing", async () => {
  const hparams = { max_miners: 2, inactive_windows: 3 };
  using network = await TestNetwork.found({ miners: 2, hparams });
  const { ledger } = network;
  await network.whole(0, [0, 1], {}, { rate: () => ({ mu: 20_000_000 }) });
  await network.whole(2, [0], {}, { rate: () => ({ mu: 16_000_000 }) });
  network.at(4);
  ledger.faucet(NEW, 1_000n);
  assert.equal(await ledger.registerMiner(NEW, 1_000n), 1, "0 is weaker, 1 is idle");
  assert.equal((await ledger.balance(NEW)).sui, 0n);
});

Deno.test("registerValidator: evicts the lowest stake past its immunity, for more stake and a fee", async () => {
  const hparams = { max_validators: 2 };
  using network = await TestNetwork.found({ validators: [10_000n, 5_000n], hparams });
  const { ledger } = network;
  ledger.faucet(NEW, 20_000n);
  await refuses("validator_registry::EInsufficientStake", ledger.registerValidator(NEW, 999n));
  const second = ledger.registerValidator(validatorOf(1), 5_000n);
  await refuses("validator_registry::EAlreadyRegistered", second);
  await refuses("validator_registry::ENoSlot", ledger.registerValidator(NEW, 6_000n));
  network.at(2);
  await refuses("validator_registry::ENoSlot", ledger.registerValidator(NEW, 5_000n));
  assert.equal(await ledger.registerValidator(NEW, 5_001n), 1);
  assert.equal((await ledger.balance(NEW)).sui, 20_000n - 5_001n - 50n);
  assert.equal((await ledger.validators())[1]!.owner, validatorOf(1));
  network.at(3);
  assert.equal((await ledger.validators())[1]!.owner, NEW);
});

Deno.test("registerValidator: compares stakes above 2^53 exactly", async () => {
  const huge = 1n << 60n;
  const hparams = { max_validators: 2, immunity_windows: 0 };
  using network = await TestNetwork.found({ validators: [huge + 1n, huge], hparams });
  network.ledger.faucet(NEW, 1n << 62n);
  assert.equal(await network.ledger.registerValidator(NEW, huge + 2n), 1);
});

Deno.test("unregister: leaves at the next window, and the stake unbonds from there", async () => {
  using network = await TestNetwork.found({ miners: 2 });
  const { ledger } = network;
  await refuses("peer_registry::ENotOwner", ledger.unregister(NEW, "miner", 0));
  await refuses("peer_registry::ENotOwner", ledger.unregister(NEW, "miner", 77));
  await refuses("validator_registry::ENotOwner", ledger.unregister(minerOf(0), "validator", 0));
  await ledger.unregister(validatorOf(0), "validator", 0);
  const again = ledger.unregister(validatorOf(0), "validator", 0);
  await refuses("validator_registry::ENotActive", again);
  await ledger.unregister(minerOf(0), "miner", 0);
  await refuses("peer_registry::ENotActive", ledger.unregister(minerOf(0), "miner", 0));
  await network.commit(0, 0);
  await refuses("peer_registry::ENothingToWithdraw", ledger.withdraw(minerOf(0)));
  network.at(1);
  assert.deepEqual((await seats(network)).map(([uid]) => uid), [1]);
  await refuses("peer_registry::ENotOwner", network.commit(0, 1));
  network.at(5, 9_999);
  await refuses("peer_registry::ENothingToWithdraw", ledger.withdraw(minerOf(0)));
  network.at(6);
  assert.equal(
    await ledger.withdraw(minerOf(0)),
    4_700n,
    "less the fee for what it did not reveal",
  );
  await refuses("peer_registry::ENothingToWithdraw", ledger.withdraw(minerOf(0)));
  assert.equal((await ledger.balance(minerOf(0))).sui, 4_700n);
  assert.equal(await ledger.registerMiner(minerOf(0), 1_000n), 0, "the slot is free again");
  network.at(7);
  assert.deepEqual((await seats(network))[0], [0, 2, minerOf(0)]);
});

Deno.test("unregister: a validator that leaves stays in the snapshot that it was in", async () => {
  using network = await TestNetwork.found({ validators: [10_000n, 7_000n] });
  const { ledger } = network;
  await network.play(0, [0]);
  await ledger.unregister(validatorOf(1), "validator", 1);
  network.at(2);
  assert.deepEqual((await ledger.window(1)).snapshot.map(({ uid }) => uid), [0, 1]);
  assert.deepEqual((await ledger.window(2)).snapshot.map(({ uid }) => uid), [0]);
});
