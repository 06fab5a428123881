import assert from "node:assert/strict";
import { Transaction } from "@mysten/sui/transactions";
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import { DEFAULT_HPARAMS } from "../../../enclave/protocol/hparams.ts";
import { SuiError } from "./errors.ts";
import { AdminCap } from "./layout/hparams.ts";
import { address, encode } from "./layout/layout.ts";
import { Account, PeerRegistryInner, ValidatorRegistryInner } from "./layout/peers.ts";
import { SuiLedger } from "./sui_ledger.ts";
import {
  abortMessage,
  deployed,
  DIGEST,
  executedMessage,
  idOf,
  objectMessage,
  objectsFrom,
  PROFILE,
  putField,
  putInner,
  type Step,
} from "./testing.ts";
import { calls, connect, ME, NOW } from "./testing_session.ts";
import { PEERS } from "./testing_mirror.ts";

const P = PROFILE.packageId;
const b32 = new Uint8Array(32).fill(7);
function capsPage(...ids: string[]): Step {
  return {
    method: "ListOwnedObjects",
    answer: {
      objects: ids.map((id) =>
        objectMessage(id, {
          owner: ME,
          type: `${P}::hparams::AdminCap`,
          content: encode(AdminCap, { id }),
        })
      ),
    },
  };
}

const code = (wanted: string) => (error: unknown) =>
  error instanceof SuiError && error.code === wanted;
const refuses = (module: string, constant: string) => (error: unknown) =>
  error instanceof LedgerError && error.module === module && error.constant === constant;

Deno.test("SuiLedger: gives back what the transaction's events say", async () => {
  const { ledger, script } = await connect(
    deployed(),
    ...calls(["gradient_registry::GradientCommitted", {
      window: 12,
      uid: 3,
      seq: 77,
      commitment: b32,
    }]),
    ...calls(["reward_distributor::RewardClaimed", { owner: ME, amount: 5n }]),
    ...calls(["score_ledger::SettleAdvanced", { window: 12, cursor: 9 }]),
    ...calls(["score_ledger::WindowSettled", { window: 12, digest: b32, random_before: 1 }]),
    ...calls(),
    ...calls(),
  );
  using sui = ledger;
  assert.equal(await sui.commit(ME, 3, 12, b32), 77);
  assert.equal(await sui.claim(ME), 5n);
  assert.equal(await sui.settle(12, 64), false);
  assert.equal(await sui.settle(12, 64), true);
  assert.equal(await sui.settle(12, 64), true); // settled before: nothing is emitted
  await assert.rejects(sui.commit(ME, 3, 13, b32), code("bad_layout"));
  assert.equal(script.called.filter((name) => name === "ExecuteTransaction").length, 6);
});

Deno.test("SuiLedger: calls only as its wallet, and not at all without one", async () => {
  const { ledger, script } = await connect(deployed());
  using sui = ledger;
  await assert.rejects(sui.claim(idOf(1)), code("wrong_sender"));
  script.add(
    { method: "GetServiceInfo", answer: { chainId: PROFILE.chainId } },
    ...[1, 2].map(() => objectsFrom(deployed())),
  );
  using reader = await SuiLedger.connect(PROFILE, { transport: script.transport, now: () => NOW });
  await assert.rejects(reader.close(1), code("no_wallet"));
});

Deno.test("SuiLedger: an admin's call takes the capability by its type, and says who is not the admin", async () => {
  const { ledger, script } = await connect(deployed(), capsPage(idOf(0xcab)), ...calls());
  using sui = ledger;
  await sui.setHparams(ME, DEFAULT_HPARAMS);
  const [caps] = script.requests.filter((_, i) => script.called[i] === "ListOwnedObjects");
  assert.deepEqual([caps.owner, caps.objectType], [ME, `${P}::hparams::AdminCap`]);
  const { inputs } = Transaction.from(script.requests.at(-1).transaction.bcs.value).getData();
  assert.equal(inputs[0]!.Object?.ImmOrOwnedObject?.objectId, idOf(0xcab));
  script.add(capsPage(), capsPage());
  await assert.rejects(sui.setHparams(ME, DEFAULT_HPARAMS), refuses("hparams", "ENotAdmin"));
  const pcr = new Uint8Array(48).fill(1);
  await assert.rejects(
    sui.approveMeasurement(ME, "build-1", [pcr, pcr, pcr]),
    refuses("enclave_registry", "ENotAdmin"),
  );
});

Deno.test("SuiLedger: withdraws of the roles that have stake due, in one transaction", async () => {
  const objects = deployed();
  const accounts = idOf(0x701);
  const unbonding = idOf(0x702);
  putInner(objects, "peerRegistry", PeerRegistryInner, {
    ...PEERS,
    accounts: { id: accounts, size: 1 },
  });
  putInner(objects, "validatorRegistry", ValidatorRegistryInner, {
    slots: [],
    pending: [],
    unbonding: { id: unbonding, size: 1 },
    generations: [],
    evictions: 0,
    treasury: 0n,
  });
  putField(objects, accounts, "address", address, ME, Account, {
    uid: null,
    unbonding: [{ amount: 5n, due_ms: NOW }, { amount: 9n, due_ms: NOW + 1 }],
  });
  const { ledger, script } = await connect(
    objects,
    ...calls(["peer_registry::StakeWithdrawn", { owner: ME, amount: 5n }]),
  );
  using sui = ledger;
  assert.equal(await sui.withdraw(ME), 5n);
  const { commands } = Transaction.from(script.requests.at(-1).transaction.bcs.value).getData();
  assert.deepEqual(commands.map(({ $kind, MoveCall: call }) => call?.module ?? $kind), [
    "peer_registry",
    "TransferObjects",
  ]);
  putField(objects, accounts, "address", address, ME, Account, { uid: null, unbonding: [] });
  await assert.rejects(sui.withdraw(ME), refuses("peer_registry", "ENothingToWithdraw"));
});

Deno.test("SuiLedger: asks Seal's policy by simulation, without a wallet's signature", async () => {
  const { ledger, script } = await connect(deployed(), {
    method: "SimulateTransaction",
    answer: {
      transaction: executedMessage(DIGEST, [], abortMessage("seal_policy", "ENotValidator", 4)),
      commandOutputs: [],
    },
  }, {
    method: "SimulateTransaction",
    answer: { transaction: executedMessage(DIGEST), commandOutputs: [] },
  });
  using sui = ledger;
  await assert.rejects(sui.sealApprove(idOf(5), b32), refuses("seal_policy", "ENotValidator"));
  await sui.sealApprove(idOf(5), b32);
  assert.deepEqual(script.called.slice(-2), ["SimulateTransaction", "SimulateTransaction"]);
});
