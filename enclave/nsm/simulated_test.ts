import assert from "node:assert/strict";
import type { Bytes } from "../protocol/bytes.ts";
import { decodeStrict } from "../protocol/cbor.ts";
import { sigStructure } from "../protocol/cose.ts";
import { SimulatedNsm, type SimulatedNsmOptions } from "./simulated.ts";

const LIMITS = { maxBytes: 24_576, maxDepth: 3, maxItems: 200 };
const ES384 = { name: "ECDSA", hash: "SHA-384" };

async function leaf() {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, true, [
    "sign",
    "verify",
  ]);
  const options: SimulatedNsmOptions = {
    pkcs8: new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey)),
    certificate: new Uint8Array([1]), // the module carries certificates and does not read them
    cabundle: [new Uint8Array([2]), new Uint8Array([3])],
    pcrs: [filled(1), filled(2), filled(3)],
    clock: () => 1_700_000_000_123,
  };
  return { publicKey: pair.publicKey, options };
}

function filled(value: number): Bytes {
  return new Uint8Array(48).fill(value);
}

const REQUEST = { publicKey: new Uint8Array(32).fill(5), userData: new Uint8Array(3) };

Deno.test("SimulatedNsm.attest: is a COSE_Sign1 that the leaf's key verifies", async () => {
  const { publicKey, options } = await leaf();
  const nsm = await SimulatedNsm.create(options);
  const { document } = await nsm.attest({ ...REQUEST, nonce: new Uint8Array(8) });
  const [header, unprotected, payload, signature] = decodeStrict(document, LIMITS) as Bytes[];
  assert.deepEqual(decodeStrict(header!, LIMITS), new Map([[1, -35]]));
  assert.deepEqual(unprotected, new Map());
  assert.ok(
    await crypto.subtle.verify(ES384, publicKey, signature!, sigStructure(header!, payload!)),
  );
  const fields = decodeStrict(payload!, LIMITS) as Map<string, unknown>;
  assert.equal(fields.get("digest"), "SHA384");
  assert.equal(fields.get("timestamp"), 1_700_000_000_123n);
  assert.deepEqual(fields.get("cabundle"), options.cabundle);
  assert.deepEqual(fields.get("public_key"), REQUEST.publicKey);
  assert.deepEqual(fields.get("nonce"), new Uint8Array(8));
  const pcrs = fields.get("pcrs") as Map<number, Bytes>;
  assert.deepEqual([...pcrs.keys()], Array.from({ length: 16 }, (_, i) => i));
  assert.deepEqual([pcrs.get(0), pcrs.get(2), pcrs.get(8)], [filled(1), filled(3), filled(0)]);
});

Deno.test("SimulatedNsm.attest: an absent nonce is null, as in real documents", async () => {
  const nsm = await SimulatedNsm.create((await leaf()).options);
  const parts = decodeStrict((await nsm.attest(REQUEST)).document, LIMITS) as Bytes[];
  assert.equal((decodeStrict(parts[2]!, LIMITS) as Map<string, unknown>).get("nonce"), null);
});

Deno.test("SimulatedNsm: refuses parts and requests outside their bounds", async () => {
  const { options } = await leaf();
  const short = new Uint8Array(47);
  const make = (change: Partial<SimulatedNsmOptions>) =>
    SimulatedNsm.create({ ...options, ...change });
  await assert.rejects(make({ pcrs: [filled(1), short, filled(1)] }), RangeError);
  await assert.rejects(make({ certificate: new Uint8Array(1_025) }), RangeError);
  await assert.rejects(make({ cabundle: [new Uint8Array(0)] }), RangeError);
  await assert.rejects(make({ pkcs8: new Uint8Array(10) }), TypeError);
  const nsm = await make({});
  for (
    const change of [
      { publicKey: new Uint8Array(0) },
      { publicKey: new Uint8Array(1_025) },
      { userData: new Uint8Array(513) },
      { nonce: new Uint8Array(513) },
    ]
  ) await assert.rejects(nsm.attest({ ...REQUEST, ...change }), RangeError);
  await assert.rejects((await make({ clock: () => 0 })).attest(REQUEST), RangeError);
});

Deno.test("SimulatedNsm.random: gives 1 to 256 bytes, another draw each time", async () => {
  const nsm = await SimulatedNsm.create((await leaf()).options);
  assert.equal(nsm.random(256).length, 256);
  assert.notDeepEqual(nsm.random(32), nsm.random(32));
  for (const n of [0, 257, 1.5, -1, NaN]) assert.throws(() => nsm.random(n), RangeError);
});
