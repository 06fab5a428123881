/** The contract of `Nsm`, over both of its implementations. */
import assert from "node:assert/strict";
import { createTestChain } from "../../attestation/test_pki.ts";
import { verify } from "../../attestation/mod.ts";
import { TestNsmDevice } from "../../tests/support/nsm_device.ts";
import { keyPairFrom } from "../protocol/identity.ts";
import { DeviceNsm } from "./device.ts";
import type { Nsm } from "./nsm.ts";
import { SimulatedNsm, type SimulatedNsmOptions } from "./simulated.ts";

const NOW = 1_700_000_000_123;
const filled = (value: number, length = 48) => new Uint8Array(length).fill(value);
const { cabundle, leaf } = await createTestChain(NOW);
const options: SimulatedNsmOptions = {
  pkcs8: new Uint8Array(await crypto.subtle.exportKey("pkcs8", leaf.keys.privateKey)),
  certificate: leaf.certificate,
  cabundle: cabundle.map(({ certificate }) => certificate),
  pcrs: [filled(1), filled(2), filled(3)],
  clock: () => NOW,
};

const MODULES: Readonly<Record<string, () => Promise<Nsm>>> = {
  SimulatedNsm: () => SimulatedNsm.create(options),
  DeviceNsm: () => Promise.resolve(new DeviceNsm(new TestNsmDevice(options))),
};

for (const [name, create] of Object.entries(MODULES)) {
  Deno.test(`${name}: its documents verify, and carry what was asked`, async () => {
    const nsm = await create();
    const { publicKey } = keyPairFrom(filled(5, 32));
    const [userData, nonce] = [filled(6, 512), filled(7, 512)];
    const { document } = await nsm.attest({ publicKey, userData, nonce });
    const attested = await verify(document, {
      root: { kind: "simulated", der: options.cabundle[0]! },
      time: { kind: "live", now: NOW },
      measurements: [{ name: "ours", pcrs: new Map(options.pcrs.map((pcr, i) => [i, pcr])) }],
      nonce,
      publicKey,
      userData,
    });
    assert.equal(attested.measurement, "ours");
  });

  Deno.test(`${name}: its clock is that of its documents`, async () => {
    assert.equal((await create()).now(), NOW);
  });

  Deno.test(`${name}: gives 1 to 256 random bytes, another draw each time`, async () => {
    const nsm = await create();
    for (const n of [1, 32, 256]) assert.equal(nsm.random(n).length, n);
    assert.notDeepEqual(nsm.random(32), nsm.random(32));
    for (const n of [0, 257, 1.5, -1, NaN]) assert.throws(() => nsm.random(n), RangeError);
  });

  Deno.test(`${name}: refuses what no document can carry`, async () => {
    const nsm = await create();
    const request = { publicKey: filled(5, 32), userData: filled(6, 3) };
    for (
      const change of [
        { publicKey: new Uint8Array(0) },
        { publicKey: new Uint8Array(1_025) },
        { userData: new Uint8Array(513) },
        { nonce: new Uint8Array(513) },
      ]
    ) await assert.rejects(nsm.attest({ ...request, ...change }), RangeError);
  });
}
