import assert from "node:assert/strict";
import { TransactionDataBuilder } from "@mysten/sui/transactions";
import * as miners from "./calls/miners.ts";
import { SuiError } from "./errors.ts";
import { gasCoins, MAX_GAS_COINS, sign } from "./gas.ts";
import { StateReader } from "./state_reader.ts";
import {
  coinsPage,
  DEPLOYMENT,
  DIGEST,
  epochStep,
  executedMessage,
  idOf,
  ScriptedTransport,
} from "./testing.ts";
import { ME, WALLET } from "./testing_session.ts";

async function signed(stake: bigint, balances: readonly bigint[]) {
  const script = new ScriptedTransport(
    coinsPage(ME, balances.map((balance, i) => [idOf(0x100 + i), 5n, balance])),
    epochStep(5n),
    {
      method: "SimulateTransaction", // costs 4,000,000
      answer: { transaction: executedMessage(DIGEST), commandOutputs: [] },
    },
  );
  const { client } = script;
  const result = await sign(miners.topUpStake(DEPLOYMENT, 3, stake), {
    client,
    reader: new StateReader(client, DEPLOYMENT),
    wallet: WALLET,
    timeoutMs: 1_000,
  });
  const [simulation] = script.requests.filter((_, i) => script.called[i] === "SimulateTransaction");
  const gasOf = (bytes: Uint8Array) => TransactionDataBuilder.fromBytes(bytes).gasData;
  return { simulated: gasOf(simulation.transaction.bcs.value), final: gasOf(result.bytes) };
}

Deno.test("sign: what the call spends is not there for gas", async () => {
  // 5 SUI at stake, 9,000,000 MIST are left: the simulation may use them, the call takes what it costs
  const { final, simulated } = await signed(5_000_000_000n, [5_000_000_000n, 9_000_000n]);
  assert.deepEqual([simulated.budget, final.budget], ["9000000", "8000000"]);
  assert.equal(final.payment?.length, 2);
  await assert.rejects(
    signed(5_000_000_000n, [5_000_000_000n, 1_999_999n]),
    (error) =>
      error instanceof SuiError && error.code === "insufficient_gas" &&
      /takes 5000000000 and at least 2000000 of gas/.test(error.message),
  );
});

Deno.test("sign: a rich wallet risks no more than the most that a call may cost", async () => {
  const { simulated } = await signed(1n, [10n ** 15n]);
  assert.equal(simulated.budget, "5000000000");
});

Deno.test("gasCoins: the largest, as many as Sui takes", () => {
  const coins = Array.from({ length: MAX_GAS_COINS + 5 }, (_, i) => ({
    objectId: idOf(i),
    version: "1",
    digest: DIGEST,
    balance: BigInt(1_000 - i),
  }));
  const { coins: used, total } = gasCoins(coins);
  assert.deepEqual([used.length, used[0]?.balance, used.at(-1)?.balance], [256, 1_000n, 745n]);
  assert.equal(total, used.reduce((sum, { balance }) => sum + balance, 0n));
});
