import assert from "node:assert/strict";
import { address, minerOf, TestNetwork } from "../ledger/testing.ts";
import { DevelopmentEnvelope } from "./development_envelope.ts";
import { publishReadKeys, rotateReadKeys } from "./publish.ts";
import { ReadKeys } from "./read_keys.ts";

const KEYS = ReadKeys.of({ accessKeyId: "planted-id", secretAccessKey: "planted-secret" });
const OTHERS = ReadKeys.of({ accessKeyId: "planted-id", secretAccessKey: "planted-other" });
const PLACE = { bucket: "gradients", account: "https://s3.example" };

Deno.test("publishReadKeys: once, and again where keys, place or the ledger's row have changed", async () => {
  using network = await TestNetwork.found({ attested: false });
  const { ledger } = network;
  const dir = await Deno.makeTempDir();
  try {
    const envelope = await DevelopmentEnvelope.open(`${dir}/keys`);
    const note = `${dir}/credentials.json`;
    const mine = { ledger, owner: minerOf(0), uid: 0, envelope, keys: KEYS, place: PLACE };
    const epoch = async () => (await ledger.credentials(0))?.epoch;
    assert.equal(await publishReadKeys(mine, note), true);
    assert.equal(await publishReadKeys(mine, note), false);
    assert.equal(await epoch(), 1);
    assert.equal(await publishReadKeys({ ...mine, keys: OTHERS }, note), true);
    const moved = { ...mine, keys: OTHERS, place: { ...PLACE, bucket: "others" } };
    assert.equal(await publishReadKeys(moved, note), true);
    assert.equal(await publishReadKeys(moved, note), false);
    const row = await rotateReadKeys(moved);
    assert.equal(row.epoch, 4);
    assert.equal((await envelope.open(row, 0)).secretAccessKey, "planted-other");
    assert.equal(await publishReadKeys(moved, note), true, "the note is of another epoch");
    for (const lost of ["", "{}", "x".repeat(2_000)]) {
      await Deno.writeTextFile(note, lost);
      assert.equal(await publishReadKeys(moved, note), true);
    }
    assert(!/planted/.test(await Deno.readTextFile(note)));
    assert.equal((await Deno.stat(note)).mode! & 0o077, 0);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("rotateReadKeys: an heir of the slot goes on behind its former owner's epochs", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const envelope = await DevelopmentEnvelope.open(dir);
    using network = await TestNetwork.found({ attested: false });
    const { ledger } = network;
    const mine = { ledger, owner: minerOf(0), uid: 0, envelope, keys: KEYS, place: PLACE };
    for (let i = 0; i < 3; i++) await rotateReadKeys(mine);
    await ledger.unregister(minerOf(0), "miner", 0);
    network.at(1);
    const heir = address(0x4e);
    ledger.faucet(heir, 1_000n);
    assert.equal(await ledger.registerMiner(heir, 1_000n), 0);
    network.at(2);
    assert.equal(await ledger.credentials(0), null);
    assert.equal((await rotateReadKeys({ ...mine, owner: heir })).epoch, 4);
    await assert.rejects(rotateReadKeys(mine), { constant: "ENotOwner" });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
