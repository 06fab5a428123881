import assert from "node:assert/strict";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { address, ADMIN, refuses, TestNetwork } from "../testing.ts";
import { COIN, DAY, generate, proofOf, TREASURER } from "../testing_coins.ts";

const MOST = 105_000n * COIN;
const SHARES = [5n, MOST, 7n].map((amount, i) => ({ to: address(i + 1), amount }));
const isUnknown = (error: unknown) => error instanceof Refusal && error.code === "unknown_object";

Deno.test("claimAirdrop: once an address, its own leaf, before the deadline", async () => {
  using network = await TestNetwork.found({ attested: false });
  const { clock, ledger } = network;
  const proofs = await Promise.all(SHARES.map((_, i) => proofOf(network, SHARES, i)));
  const claim = (i: number, index = i, amount = SHARES[i]!.amount) =>
    ledger.claimAirdrop(SHARES[i]!.to, index, amount, proofs[i]!);
  await assert.rejects(claim(0), isUnknown);
  await generate(network, SHARES);
  await refuses("vram_token::EZeroAmount", claim(0, 0, 0n));
  await refuses("vram_token::EAboveAddressCap", claim(0, 0, MOST + 1n));
  await refuses("vram_token::EBadProof", claim(0, 0, 6n));
  await refuses("vram_token::EBadProof", claim(0, 1));
  await refuses("vram_token::EBadProof", claim(0, 3));
  const [to, amount] = [SHARES[0]!.to, SHARES[0]!.amount];
  for (const proof of [[], [...proofs[0]!, proofs[0]![0]!], proofs[0]!.map((x) => x.slice(1))]) {
    await refuses("vram_token::EBadProof", ledger.claimAirdrop(to, 0, amount, proof));
  }
  const stolen = ledger.claimAirdrop(ADMIN, 0, amount, proofs[0]!);
  await refuses("vram_token::EBadProof", stolen);
  assert.equal(await claim(0), 5n);
  assert.equal(await claim(1), MOST);
  await refuses("vram_token::EAlreadyClaimed", claim(1));
  assert.equal((await ledger.balance(SHARES[1]!.to)).vram, MOST);
  assert.equal((await ledger.airdrop())!.unclaimed, 1_050_000n * COIN - MOST - 5n);
  clock.set((await ledger.airdrop())!.deadlineMs);
  await refuses("vram_token::EAirdropClosed", claim(2));
});

Deno.test("claimAirdrop: leaves that promise more than there is take what is left, and no more", async () => {
  using network = await TestNetwork.found({ attested: false });
  const { ledger } = network;
  const shares = Array.from({ length: 11 }, (_, i) => ({ to: address(i + 1), amount: MOST }));
  await generate(network, shares);
  for (const [i, { to, amount }] of shares.entries()) {
    const claim = ledger.claimAirdrop(to, i, amount, await proofOf(network, shares, i));
    if (i < 10) assert.equal(await claim, MOST);
    else await refuses("vram_token::EAirdropExhausted", claim);
  }
  network.clock.set(network.clock.now() + 30 * DAY);
  await refuses("vram_token::ENothingToClaim", ledger.sweepAirdrop(ADMIN));
});

Deno.test("sweepAirdrop: the rest goes to the treasury's vesting's beneficiary, from the deadline on", async () => {
  using network = await TestNetwork.found({ attested: false });
  const { clock, ledger } = network;
  await assert.rejects(ledger.sweepAirdrop(ADMIN), isUnknown);
  await generate(network, SHARES);
  const [treasury, investors] = await ledger.vestings();
  clock.set(clock.now() + 30 * DAY - 1);
  await refuses("vram_token::EAirdropOpen", ledger.sweepAirdrop(ADMIN));
  clock.set(clock.now() + 1);
  await refuses("vram_token::EWrongVesting", ledger.sweepAirdrop(ADMIN, investors!.id));
  await assert.rejects(ledger.sweepAirdrop(ADMIN, address(1)), isUnknown);
  await ledger.sweepAirdrop(address(9), treasury!.id);
  assert.equal((await ledger.balance(TREASURER)).vram, 1_050_000n * COIN);
  assert.equal((await ledger.airdrop())!.unclaimed, 0n);
  await refuses("vram_token::ENothingToClaim", ledger.sweepAirdrop(ADMIN));
});
