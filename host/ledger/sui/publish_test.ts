import assert from "node:assert/strict";
import { GrpcTypes } from "@mysten/sui/grpc";
import { Transaction, TransactionDataBuilder } from "@mysten/sui/transactions";
import { SHARED_OBJECTS } from "./profile.ts";
import { SuiError } from "./errors.ts";
import { chainBytes, deployed, publishPackage, publishTransaction } from "./publish.ts";
import {
  coinsPage,
  DIGEST,
  epochStep,
  executedMessage,
  idOf,
  PROFILE,
  rpcError,
  ScriptedTransport,
  type Step,
} from "./testing.ts";
import { Wallet } from "./wallet.ts";

const WALLET = Wallet.fromMnemonic(
  "result crisp session latin must fruit genuine question prevent start coconut brave speak student dismiss",
);
const CODE = {
  modules: [new Uint8Array([0xa1, 0x1c, 0xeb, 0x0b]), new Uint8Array([0xa1, 0x1c])],
  dependencies: [idOf(1), idOf(2)],
};
const PACKAGE = idOf(0xfeed);
const { ChangedObject_IdOperation, ChangedObject_OutputObjectState, Owner_OwnerKind } = GrpcTypes;

/** What publishing changes: the package, a shared object of each module, and the publisher's capabilities. */
const CHANGED = [
  {
    objectId: PACKAGE,
    outputState: ChangedObject_OutputObjectState.PACKAGE_WRITE,
    idOperation: ChangedObject_IdOperation.CREATED,
    outputOwner: { kind: Owner_OwnerKind.IMMUTABLE },
    objectType: "package",
  },
  ...Object.values(SHARED_OBJECTS).map((type, i) => ({
    objectId: idOf(0x500 + i),
    outputState: ChangedObject_OutputObjectState.OBJECT_WRITE,
    idOperation: ChangedObject_IdOperation.CREATED,
    outputOwner: { kind: Owner_OwnerKind.SHARED, version: 9n },
    objectType: `${PACKAGE}::${type}`,
  })),
  {
    objectId: idOf(0x600),
    outputState: ChangedObject_OutputObjectState.OBJECT_WRITE,
    idOperation: ChangedObject_IdOperation.CREATED,
    outputOwner: { kind: Owner_OwnerKind.ADDRESS, address: WALLET.address },
    objectType: `${PACKAGE}::hparams::AdminCap`,
  },
];

type Sent = { transaction: { bcs: { value: Uint8Array } } };
const service: Step = {
  method: "GetServiceInfo",
  answer: { chainId: PROFILE.chainId, checkpointHeight: 77n },
};
const found: Step = {
  method: "GetTransaction",
  answer: ({ digest }: { digest: string }) => {
    const message = executedMessage(digest) as { effects: object };
    return {
      transaction: { ...message, effects: { ...message.effects, changedObjects: CHANGED } },
    };
  },
};
const steps = (): Step[] => [
  service,
  service,
  coinsPage(WALLET.address, [[idOf(0xc0), 5n, 10_000_000_000n]]),
  epochStep(5n),
  {
    method: "SimulateTransaction",
    answer: () => ({ transaction: executedMessage(DIGEST), commandOutputs: [] }),
  },
  {
    method: "ExecuteTransaction",
    answer: ({ transaction }: Sent) => ({
      transaction: executedMessage(
        TransactionDataBuilder.getDigestFromBytes(transaction.bcs.value),
      ),
    }),
  },
  found,
  found,
];

Deno.test("publishTransaction: publishes the modules, and gives the upgrade's capability to the publisher", () => {
  const { commands } = publishTransaction(CODE, WALLET.address).getData();
  assert.deepEqual(commands.map(({ $kind }) => $kind), ["Publish", "TransferObjects"]);
  const { Publish } = commands[0]!;
  assert.deepEqual(Publish!.modules, ["oRzrCw==", "oRw="]);
  assert.deepEqual(Publish!.dependencies, CODE.dependencies);
});

Deno.test("publishPackage: one signed transaction, whose objects the chain itself names", async () => {
  const script = new ScriptedTransport(...steps());
  const published = await publishPackage(CODE, { name: "scripted", url: PROFILE.url }, {
    wallet: WALLET,
    transport: script.transport,
  });
  script.done();
  const { objects, ...rest } = published;
  assert.deepEqual(rest, {
    chainId: PROFILE.chainId,
    packageId: PACKAGE,
    publisher: WALLET.address,
    publishedAt: 77,
    transaction: rest.transaction,
  });
  assert.deepEqual(Object.keys(objects), Object.keys(SHARED_OBJECTS));
  assert.equal(objects.hparams, idOf(0x500));
  const at = script.called.indexOf("ExecuteTransaction");
  const bytes = (script.requests[at] as Sent).transaction.bcs.value;
  const sent = Transaction.from(bytes).getData();
  assert.deepEqual(sent.commands.map(({ $kind }) => $kind), ["Publish", "TransferObjects"]);
  assert.equal(sent.sender, WALLET.address);
});

Deno.test("publishPackage: another chain than the profile's, and no node, are said before anything is signed", async () => {
  const wrong = new ScriptedTransport(service, service);
  const profile = { name: "mine", url: PROFILE.url, chainId: "another" };
  const options = { wallet: WALLET, transport: wrong.transport };
  await assert.rejects(
    publishPackage(CODE, profile, options),
    (error) => error instanceof SuiError && error.code === "wrong_network",
  );
  const gone = new ScriptedTransport({
    method: "GetServiceInfo",
    answer: rpcError("UNAVAILABLE", "connection refused"),
  });
  await assert.rejects(
    publishPackage(CODE, profile, { wallet: WALLET, transport: gone.transport }),
    (error) => error instanceof SuiError && error.code === "unavailable" && error.retryable,
  );
});

Deno.test("deployed: refuses a transaction that published nothing, or not all", () => {
  const types = Object.fromEntries(
    CHANGED.map(({ objectId, objectType }) => [objectId, objectType]),
  );
  const changed = CHANGED.map(({ objectId }, i) => ({
    objectId,
    outputState: i === 0 ? "PackageWrite" : "ObjectWrite",
    outputOwner: { $kind: i === 0 ? "Immutable" : i <= 11 ? "Shared" : "AddressOwner" },
  }));
  assert.equal(deployed(changed, types).packageId, PACKAGE);
  const without = (index: number) => changed.filter((_, i) => i !== index);
  for (const list of [[], without(0), without(3)]) {
    assert.throws(
      () => deployed(list, types),
      (error) => error instanceof SuiError && error.code === "bad_layout",
    );
  }
});

Deno.test("chainBytes: 32 bytes of a chain's identifier", () => {
  assert.equal(chainBytes(PROFILE.chainId).length, 32);
  assert.throws(() => chainBytes("4c78adac"), SuiError);
});
