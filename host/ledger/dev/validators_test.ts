import assert from "node:assert/strict";
import { address, ADMIN, minerOf, refuses, T0, TestNetwork, validatorOf } from "../testing.ts";
import { COIN, generate, WHALE } from "../testing_coins.ts";
import { bondTier } from "./validators.ts";

const NEW = address(0x51);
const THRESHOLD = 1_000_000n * COIN;

Deno.test("bondTier: rises with every eighth seat, from a million VRAM on", () => {
  assert.equal(bondTier(31, THRESHOLD - 1n), 0n);
  const bonds = [0, 7, 8, 15, 16, 23, 24, 31, 32].map((n) => bondTier(n, THRESHOLD) / COIN);
  assert.deepEqual(bonds, [
    2_100n,
    2_100n,
    4_200n,
    4_200n,
    10_500n,
    10_500n,
    21_000n,
    21_000n,
    21_000n,
  ]);
});

Deno.test("registerValidator: burns a bond once there is VRAM, and the first ones pay none", async () => {
  using network = await TestNetwork.found({ attested: false });
  const { ledger } = network;
  for (const who of [NEW, WHALE]) ledger.faucet(who, 5_000n);
  await ledger.registerValidator(NEW, 1_000n);
  assert.equal((await ledger.supply()).burned, 0n);
  await generate(network);
  ledger.faucet(ADMIN, 5_000n);
  await refuses("validator_registry::EInsufficientBond", ledger.registerValidator(ADMIN, 1_000n));
  assert.equal((await ledger.balance(ADMIN)).sui, 5_000n);
  assert.equal(await ledger.registerValidator(WHALE, 1_000n), 2);
  assert.equal((await ledger.balance(WHALE)).vram, 1_470_000n * COIN - 2_100n * COIN);
  assert.equal((await ledger.supply()).burned, 2_100n * COIN);
  const registered = (await network.events())
    .filter(({ kind }) => kind === "validator_registry::ValidatorRegistered")
    .map(({ body }) => [body.owner, body.bond, body.from]);
  assert.deepEqual(registered, [
    [validatorOf(0), "0", 0],
    [NEW, "0", 1],
    [WHALE, "2100000000000", 1],
  ]);
});

Deno.test("registerValidator: a bond is checked after the fee, the fee after the slot", async () => {
  const hparams = { max_validators: 1, immunity_windows: 0 };
  using network = await TestNetwork.found({ attested: false, hparams });
  const { ledger } = network;
  await generate(network);
  ledger.faucet(NEW, 20_049n);
  await refuses("validator_registry::ENoSlot", ledger.registerValidator(NEW, 10_000n));
  const poor = ledger.registerValidator(NEW, 20_000n);
  await refuses("validator_registry::EInsufficientBalance", poor);
  await refuses("validator_registry::EInsufficientBond", ledger.registerValidator(NEW, 19_999n));
});

/** Let `owner` come and go `times` times as `role`; all of it unbonds. */
async function comeAndGo(
  network: TestNetwork,
  role: "miner" | "validator",
  owner: string,
  times: number,
): Promise<void> {
  const { ledger } = network;
  ledger.faucet(owner, 1_000n * BigInt(times));
  for (let i = 0; i < times; i++) {
    const uid = role === "miner"
      ? await ledger.registerMiner(owner, 1_000n)
      : await ledger.registerValidator(owner, 1_000n);
    network.at(await ledger.currentWindow() + 1);
    await ledger.unregister(owner, role, uid);
    network.at(await ledger.currentWindow() + 1);
    await ledger.roll(ADMIN);
  }
}

for (const [role, most] of [["miner", 32], ["validator", 16]] as const) {
  Deno.test(`withdraw: of more than ${most} stakes of a ${role} that unbond a further one joins the last`, async () => {
    const unbonding_ms = 10_000_000;
    using network = await TestNetwork.found({ attested: false, hparams: { unbonding_ms } });
    const { clock, ledger } = network;
    await comeAndGo(network, role, NEW, most + 2);
    const module = role === "miner" ? "peer_registry" : "validator_registry";
    const dueOf = (i: number) => T0 + (2 * i + 2) * 10_000 + unbonding_ms;
    clock.set(dueOf(0) - 1);
    await refuses(`${module}::ENothingToWithdraw`, ledger.withdraw(NEW, role));
    clock.set(dueOf(most - 1));
    assert.equal(await ledger.withdraw(NEW, role), 1_000n * BigInt(most - 1));
    clock.set(dueOf(most + 1) - 1);
    await refuses(`${module}::ENothingToWithdraw`, ledger.withdraw(NEW, role));
    clock.set(dueOf(most + 1));
    assert.equal(await ledger.withdraw(NEW), 3_000n);
    assert.equal((await ledger.balance(NEW)).sui, 1_000n * BigInt(most + 2));
  });
}

Deno.test("withdraw: of one role, or of both at once", async () => {
  using network = await TestNetwork.found({ attested: false, hparams: { unbonding_ms: 0 } });
  const { ledger } = network;
  await comeAndGo(network, "miner", NEW, 1);
  await comeAndGo(network, "validator", NEW, 1);
  assert.equal(await ledger.withdraw(NEW, "validator"), 1_000n);
  await refuses("validator_registry::ENothingToWithdraw", ledger.withdraw(NEW, "validator"));
  await comeAndGo(network, "validator", NEW, 1);
  assert.equal(await ledger.withdraw(NEW), 2_000n);
  await refuses("peer_registry::ENothingToWithdraw", ledger.withdraw(NEW));
  await refuses("validator_registry::ENothingToWithdraw", ledger.withdraw(minerOf(0), "validator"));
});

Deno.test("slash: reaches a seat that the owner has not taken yet", async () => {
  using network = await TestNetwork.found({ hparams: { slash_bps: 5_000 } });
  const { ledger } = network;
  await network.play(0, [0]);
  const [a, b] = [await network.report(0, 0), await network.signReport(0, 0, { timestampMs: 1 })];
  await ledger.unregister(validatorOf(0), "validator", 0);
  network.at(2);
  ledger.faucet(validatorOf(0), 3_000n);
  await ledger.registerValidator(validatorOf(0), 3_000n);
  await ledger.slash(network.publicKey(0), a.message, a.signature, b.message, b.signature);
  assert.equal(await ledger.treasury("validator"), 6_500n);
  network.at(3);
  assert.equal((await ledger.validators())[0]!.stake, 1_500n);
  const kinds = (await network.events()).map(({ kind }) => kind);
  const slashed = kinds.indexOf("validator_registry::ValidatorSlashed");
  assert.equal(kinds[slashed + 1], "enclave_registry::EnclaveRevoked");
});
