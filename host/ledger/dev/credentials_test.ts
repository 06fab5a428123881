import assert from "node:assert/strict";
import { concat, u64le } from "../../../enclave/protocol/bytes.ts";
import { address, ADMIN, minerOf, refuses, TestNetwork, validatorOf } from "../testing.ts";

const CREDENTIALS = {
  epoch: 1,
  bucket: "gradients",
  account: "https://s3.example",
  sealed: new Uint8Array(64).fill(7),
  keyServers: [address(1), address(2), address(3)],
  threshold: 2,
};
const idOf = (uid: number, epoch: number) => concat(Uint8Array.of(uid, 0), u64le(epoch));
const found = () => TestNetwork.found({ attested: false });

Deno.test("setCredentials: by the slot's owner, epoch by epoch, within bounds", async () => {
  using network = await found();
  const { ledger } = network;
  assert.equal(await ledger.credentials(0), null);
  await refuses("peer_registry::ENotOwner", ledger.setCredentials(minerOf(1), 0, CREDENTIALS));
  for (const epoch of [0, 2, 1.5]) {
    const call = ledger.setCredentials(minerOf(0), 0, { ...CREDENTIALS, epoch });
    await refuses("peer_registry::EBadEpoch", call);
  }
  const bad = [
    { bucket: "" },
    { bucket: "b".repeat(65) },
    { account: "" },
    { account: "ü".repeat(33) },
    { sealed: new Uint8Array(0) },
    { sealed: new Uint8Array(4_097) },
    { threshold: 0 },
    { threshold: 4 },
    { threshold: 1.5 },
    { keyServers: [], threshold: 1 },
    { keyServers: Array(17).fill(address(1)) },
  ];
  for (const change of bad) {
    const call = ledger.setCredentials(minerOf(0), 0, { ...CREDENTIALS, ...change });
    await refuses("peer_registry::EBadCredentials", call);
  }
  await ledger.setCredentials(minerOf(0), 0, CREDENTIALS);
  assert.deepEqual(await ledger.credentials(0), { ...CREDENTIALS, generation: 1 });
  await refuses("peer_registry::EBadEpoch", ledger.setCredentials(minerOf(0), 0, CREDENTIALS));
  const most = {
    ...CREDENTIALS,
    epoch: 2,
    bucket: "b".repeat(64),
    sealed: new Uint8Array(4_096),
    keyServers: Array(16).fill(address(1)),
    threshold: 16,
  };
  await ledger.setCredentials(minerOf(0), 0, most);
  assert.equal((await ledger.credentials(0))!.epoch, 2);
});

Deno.test("credentials: are void once the slot changes hands, and epochs go on counting", async () => {
  using network = await found();
  const { ledger } = network;
  const heir = address(0x4e);
  await ledger.setCredentials(minerOf(0), 0, CREDENTIALS);
  await ledger.unregister(minerOf(0), "miner", 0);
  network.at(1);
  assert.equal(await ledger.credentials(0), null);
  ledger.faucet(heir, 1_000n);
  assert.equal(await ledger.registerMiner(heir, 1_000n), 0);
  network.at(2);
  assert.equal(await ledger.credentials(0), null);
  assert.equal(await ledger.nextCredentialsEpoch(0), 2);
  assert.equal(await ledger.nextCredentialsEpoch(1), 1);
  await refuses("peer_registry::EBadEpoch", ledger.setCredentials(heir, 0, CREDENTIALS));
  await ledger.setCredentials(heir, 0, { ...CREDENTIALS, epoch: 2 });
  assert.equal((await ledger.credentials(0))!.generation, 2);
});

Deno.test("sealApprove: for validators of the running window, the present epoch alone", async () => {
  using network = await TestNetwork.found({ attested: false, readsRoll: false });
  const { ledger } = network;
  const judge = validatorOf(0);
  for (const id of [new Uint8Array(9), new Uint8Array(11)]) {
    await refuses("seal_policy::EBadId", ledger.sealApprove(judge, id));
  }
  await refuses("seal_policy::ENoCredentials", ledger.sealApprove(judge, idOf(0, 1)));
  await ledger.setCredentials(minerOf(0), 0, CREDENTIALS);
  await refuses("seal_policy::ENotRolled", ledger.sealApprove(judge, idOf(0, 1)));
  await ledger.roll(ADMIN);
  await ledger.sealApprove(judge, idOf(0, 1));
  await refuses("seal_policy::ENotValidator", ledger.sealApprove(minerOf(0), idOf(0, 1)));
  await refuses("seal_policy::ENoCredentials", ledger.sealApprove(judge, idOf(1, 1)));
  await ledger.setCredentials(minerOf(0), 0, { ...CREDENTIALS, epoch: 2 });
  await refuses("seal_policy::ENoCredentials", ledger.sealApprove(judge, idOf(0, 1)));
  await ledger.sealApprove(judge, idOf(0, 2));
  network.at(1);
  await refuses("seal_policy::ENotRolled", ledger.sealApprove(judge, idOf(0, 2)));
});
