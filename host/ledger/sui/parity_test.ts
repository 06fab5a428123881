// What the dev ledger holds is written down as the contracts would store it, and read back over gRPC messages:
// both ledgers must show the same. Nothing of the contracts runs here.
import assert from "node:assert/strict";
import { deriveDynamicFieldID } from "@mysten/sui/utils";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { QUICKNET } from "../../../enclave/protocol/drand.ts";
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import { address, ADMIN, bytes32, minerOf, T0, TestNetwork, validatorOf } from "../testing.ts";
import { SuiError } from "./errors.ts";
import { Clock, CLOCK_ID } from "./layout/framework.ts";
import { count, encode, u16, vector } from "./layout/layout.ts";
import { Reveal } from "./layout/rounds.ts";
import { SuiLedger } from "./sui_ledger.ts";
import {
  idOf,
  objectMessage,
  objectsFrom,
  PROFILE,
  putField,
  ScriptedTransport,
  type Step,
} from "./testing.ts";
import { mirror, TABLES } from "./testing_mirror.ts";

/** A ledger over `objects`, whose time is the network's. */
async function connect(network: TestNetwork, objects: Map<string, object>, ...steps: Step[]) {
  const now = () => network.clock.now();
  const answer = (request: never) => {
    const content = encode(Clock, { id: CLOCK_ID, timestamp_ms: now() });
    const all = new Map(objects).set(CLOCK_ID, objectMessage(CLOCK_ID, { content }));
    return (objectsFrom(all).answer as (request: never) => object)(request);
  };
  const script = new ScriptedTransport(
    { method: "GetServiceInfo", answer: { chainId: PROFILE.chainId } },
    ...Array.from({ length: 60 }, (): Step => ({ method: "BatchGetObjects", answer })),
    ...steps,
  );
  const profile = { ...PROFILE, beaconPublicKey: toHex(QUICKNET.publicKey) };
  return await SuiLedger.connect(profile, { transport: script.transport, now });
}

/** A page of the seats' table. */
function seatsPage(objects: Map<string, object>, uids: readonly number[], more = false): Step {
  return {
    method: "ListDynamicFields",
    answer: {
      dynamicFields: uids.map((uid) => seatField(objects, uid)),
      ...(more ? { nextPageToken: Uint8Array.of(1) } : {}),
    },
  };
}

function seatField(objects: Map<string, object>, uid: number): object {
  const fieldId = deriveDynamicFieldID(TABLES.seats!, "u16", encode(u16, uid));
  // a field's content: 32 bytes of id, the name, the value
  const { contents: { value } } = objects.get(fieldId) as { contents: { value: Uint8Array } };
  return {
    kind: 1,
    parent: TABLES.seats,
    fieldId,
    name: { name: "u16", value: value.slice(32, 34) },
    value: { name: "seat", value: value.slice(34) },
    valueType: `${PROFILE.packageId}::peer_registry::Seat`,
  };
}

Deno.test("SuiLedger: shows windows, messages and the network as the dev ledger does", async () => {
  using network = await TestNetwork.found({ miners: 3, validators: [10_000n, 4_000n] });
  for (const window of [0, 1]) {
    await network.play(window, [2, 0, 1]);
    for (const i of [0, 1]) await network.report(i, window);
    await network.ledger.settle(window, 64);
    const merged = { manifestHash: bytes32(`merged ${window}`), currentLoss: 9, mergedLoss: 1 };
    for (const i of [0, 1]) await network.outcome(i, window, merged);
  }
  await network.commit(1, 2);
  const dev = network.ledger;
  const objects = await mirror(network);
  using sui = await connect(network, objects, {
    method: "ListEvents",
    answer: (() => [{ end: { reason: 5 } }]) as Step["answer"],
  });
  for (const window of [0, 1, 2]) {
    assert.deepEqual(await sui.window(window), await dev.window(window));
    assert.deepEqual(await sui.messages(window), await dev.messages(window));
  }
  assert.deepEqual(await sui.validators(), await dev.validators());
  assert.deepEqual([await sui.currentWindow(), sui.now()], [2, dev.now()]);
  assert.deepEqual(await sui.epochs(), await dev.epochs());
  assert.equal(await sui.issued(), await dev.issued());
  const info = { ...await dev.info(), kind: "sui", admin: PROFILE.publisher, simulatedRoot: null };
  assert.deepEqual(await sui.info(), info);
  const missing = (error: unknown) =>
    error instanceof LedgerError && error.constant === "EUnknownWindow";
  await assert.rejects(sui.window(3), missing);
  await assert.rejects(dev.window(3), missing);
});

Deno.test("SuiLedger: shows what the next call would find, before anybody has called", async () => {
  using network = await TestNetwork.found({ miners: 3, validators: [10_000n, 4_000n] });
  const dev = network.ledger;
  const [NEW, OTHER] = [address(5), address(6)];
  for (const owner of [NEW, OTHER]) dev.faucet(owner, 50_000n);
  network.at(0, 1_000);
  for (const uid of [0, 1]) await network.commit(uid, 0);
  await dev.unregister(minerOf(2), "miner", 2);
  await dev.registerMiner(NEW, 2_000n);
  await dev.unregister(validatorOf(1), "validator", 1);
  await dev.registerValidator(OTHER, 7_000n);
  const changed = { ...(await dev.window(0)).hparams, unrevealed_fee: 200 };
  await dev.setHparams(ADMIN, changed);
  network.at(0, 8_500);
  await network.reveal(0, 0);
  const objects = await mirror(network, {
    hparams: changed,
    validators: [
      { uid: 1, effective: 1, owner: null, stake: 0n },
      { uid: 2, effective: 1, owner: OTHER, stake: 7_000n },
    ],
    miners: new Map([[2, null], [3, { owner: NEW, stake: 2_000n }]]),
    noted: [1],
  });
  network.at(1, 100); // nobody has rolled the mirrored state
  using sui = await connect(network, objects, seatsPage(objects, [0, 1, 2, 3]));
  assert.deepEqual(await sui.validators(), await dev.validators());
  assert.deepEqual(await sui.miners(), await dev.miners());
  for (const window of [0, 1]) {
    assert.deepEqual(await sui.window(window), await dev.window(window), `${window}`);
  }
  assert.deepEqual((await sui.window(1)).hparams, changed);
  // no report came: skipped at the report deadline, as the next call would find
  network.at(1, 6_000);
  using later = await connect(network, objects);
  const { skipReason, status } = await later.window(0);
  assert.deepEqual([status, skipReason], ["skipped", "no quorum of reports"]);
});

Deno.test("SuiLedger: a list whose pages do not add up to the table's size is refused", async () => {
  using network = await TestNetwork.found({ miners: 3 });
  const objects = await mirror(network);
  const code = (wanted: string) => (error: unknown) =>
    error instanceof SuiError && error.code === wanted && error.retryable;
  using short = await connect(network, objects, ...[1, 2, 3].map(() => seatsPage(objects, [0, 1])));
  await assert.rejects(short.miners(), code("truncated"));
  using circle = await connect(
    network,
    objects,
    seatsPage(objects, [0, 1], true),
    seatsPage(objects, [2], true),
  );
  await assert.rejects(circle.miners(), code("truncated"));
  using paged = await connect(
    network,
    objects,
    seatsPage(objects, [0, 1], true),
    seatsPage(objects, [2]),
  );
  assert.deepEqual(await paged.miners(), await network.ledger.miners());
});

Deno.test("SuiLedger: a window that never stands still is not shown", async () => {
  using network = await TestNetwork.found({ miners: 3 });
  await network.play(0, [0, 1]);
  const objects = await mirror(network);
  // the chunk lacks its reveals: the accumulator tells
  putField(objects, idOf(0x7000), "u64", count, 0, vector(Reveal), []);
  using sui = await connect(network, objects);
  await assert.rejects(
    sui.window(0),
    (error) => error instanceof SuiError && error.code === "torn_read" && error.retryable,
  );
});

Deno.test("SuiLedger: a commit is no fee yet while its window runs", async () => {
  using network = await TestNetwork.found({ miners: 2 });
  network.at(0, 1_000);
  await network.commit(1, 0);
  const objects = await mirror(network, { noted: [1] });
  using sui = await connect(
    network,
    objects,
    seatsPage(objects, [0, 1]),
    seatsPage(objects, [0, 1]),
  );
  assert.deepEqual((await sui.miners()).map(({ stake }) => stake), [5_000n, 5_000n]);
  network.at(1);
  assert.deepEqual((await sui.miners()).map(({ stake }) => stake), [5_000n, 4_700n]);
});

Deno.test("SuiLedger: a window that was settled while it was read is read again", async () => {
  using network = await TestNetwork.found({ miners: 2 });
  await network.play(0, [0, 1]);
  const before = await mirror(network);
  await network.report(0, 0);
  await network.ledger.settle(0, 64);
  const after = await mirror(network);
  for (const object of after.values()) (object as { version: bigint }).version = 9n;
  let reads = 0;
  // connecting asks thrice, the head once, the tables once, the window's rows once; then the state changes
  using sui = await connect(
    network,
    new Proxy(before, {
      get: (_, name) => {
        const map = name === Symbol.iterator && ++reads > 6 ? after : before;
        const value = Reflect.get(map, name);
        return typeof value === "function" ? value.bind(map) : value;
      },
    }),
  );
  const view = await sui.window(0);
  assert.deepEqual([view.status, view.settled?.rows.length], ["settled", 2]);
});

Deno.test("SuiLedger: the chain's clock counts, and its distance is told", async () => {
  using network = await TestNetwork.found();
  const objects = await mirror(network);
  const clock = encode(Clock, { id: CLOCK_ID, timestamp_ms: T0 + 5_000 });
  objects.set(CLOCK_ID, objectMessage(CLOCK_ID, { content: clock }));
  const script = new ScriptedTransport(
    { method: "GetServiceInfo", answer: { chainId: PROFILE.chainId } },
    objectsFrom(objects),
    objectsFrom(objects),
  );
  using ledger = await SuiLedger.connect(PROFILE, {
    transport: script.transport,
    now: () => T0 - 55_000,
  });
  assert.deepEqual([ledger.now(), ledger.clockSkewMs], [T0 + 5_000, 60_000]);
});
