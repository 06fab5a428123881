import assert from "node:assert/strict";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import fc from "fast-check";
import { concat, fromHex, toHex } from "./bytes.ts";
import {
  type BeaconChain,
  chainHashOf,
  firstRoundAfter,
  firstRoundAtOrAfter,
  QUICKNET,
  roundAt,
  timeOfRound,
  verifyBeacon,
} from "./drand.ts";

const vector = JSON.parse(
  Deno.readTextFileSync(new URL("../../tests/vectors/drand.json", import.meta.url)),
);
const [{ round, signature, randomness }] = vector.rounds;
const SIGNATURE = fromHex(signature);
const BAD = { name: "Refusal", code: "bad_beacon" };

Deno.test("QUICKNET: is the network of the vector", () => {
  assert.equal(toHex(QUICKNET.chainHash), vector.chain_hash);
  assert.equal(toHex(QUICKNET.publicKey), vector.public_key);
  assert.equal(QUICKNET.genesisMs, vector.genesis_time * 1000);
  assert.equal(QUICKNET.periodMs, vector.period_s * 1000);
});

Deno.test("verifyBeacon: a real round gives its published randomness", () => {
  assert.equal(toHex(verifyBeacon(QUICKNET, BigInt(round), SIGNATURE)), randomness);
});

Deno.test("verifyBeacon: refuses another round, and rounds that there are not", () => {
  for (const other of [-1n, 0n, BigInt(round) - 1n, BigInt(round) + 1n, 1n << 64n]) {
    assert.throws(() => verifyBeacon(QUICKNET, other, SIGNATURE), BAD);
  }
});

Deno.test("verifyBeacon: refuses every other length", () => {
  for (let length = 0; length < 48; length++) {
    assert.throws(() => verifyBeacon(QUICKNET, 1000n, SIGNATURE.subarray(0, length)), BAD);
  }
  assert.throws(() => verifyBeacon(QUICKNET, 1000n, concat(SIGNATURE, new Uint8Array(1))), BAD);
  assert.throws(() => verifyBeacon(QUICKNET, 1000n, new Uint8Array(96)), BAD);
});

Deno.test("verifyBeacon: refuses a signature with any byte changed", () => {
  for (let i = 0; i < 48; i++) {
    const changed = SIGNATURE.slice();
    changed[i]! ^= 1;
    assert.throws(() => verifyBeacon(QUICKNET, 1000n, changed), BAD);
  }
  const negated = SIGNATURE.slice();
  negated[0]! ^= 0x20; // the sign of y
  assert.throws(() => verifyBeacon(QUICKNET, 1000n, negated), BAD);
});

Deno.test("verifyBeacon: refuses the identity, as signature and as key", () => {
  const identity = new Uint8Array(48);
  identity[0] = 0xc0; // compressed, infinity
  assert.throws(() => verifyBeacon(QUICKNET, 1000n, identity), BAD);
  const key = new Uint8Array(96);
  key[0] = 0xc0;
  assert.throws(() => verifyBeacon({ ...QUICKNET, publicKey: key }, 1000n, identity), BAD);
  assert.throws(() => verifyBeacon({ ...QUICKNET, publicKey: key }, 1000n, SIGNATURE), BAD);
});

Deno.test("verifyBeacon: refuses a point of the curve that is outside the group", () => {
  // x = 4 is the smallest x whose point (x, sqrt(x³ + 4)) exists; the curve's cofactor is not 1.
  const outside = new Uint8Array(48);
  outside[0] = 0x80; // compressed
  outside[47] = 4;
  const { Fp } = bls12_381.fields;
  Fp.sqrt(68n); // exists: it would throw
  assert.throws(() => verifyBeacon(QUICKNET, 1000n, outside), {
    ...BAD,
    message: "Cannot accept a beacon: it is no point of the group",
  });
});

Deno.test("verifyBeacon: refuses another network's key, and one that is no key", () => {
  const other = bls12_381.shortSignatures.getPublicKey(new Uint8Array(32).fill(7)).toBytes();
  for (const publicKey of [other, new Uint8Array(96), new Uint8Array(95)]) {
    const chain: BeaconChain = { ...QUICKNET, publicKey: new Uint8Array(publicKey) };
    assert.throws(() => verifyBeacon(chain, 1000n, SIGNATURE), BAD);
  }
});

Deno.test("roundAt, firstRoundAtOrAfter, firstRoundAfter: on and beside a round's moment", () => {
  const { genesisMs, periodMs } = QUICKNET;
  const at = (ms: number) => [
    roundAt(QUICKNET, ms),
    firstRoundAtOrAfter(QUICKNET, ms),
    firstRoundAfter(QUICKNET, ms),
  ];
  assert.deepEqual(at(0), [0n, 1n, 1n]);
  assert.deepEqual(at(genesisMs - 1), [0n, 1n, 1n]);
  assert.deepEqual(at(genesisMs), [1n, 1n, 2n]);
  assert.deepEqual(at(genesisMs + 1), [1n, 2n, 2n]);
  assert.deepEqual(at(genesisMs + periodMs - 1), [1n, 2n, 2n]);
  assert.deepEqual(at(genesisMs + periodMs), [2n, 2n, 3n]);
  for (const time of [NaN, Infinity, 0.5]) assert.throws(() => at(time), RangeError);
});

Deno.test("timeOfRound: is the inverse of roundAt", () => {
  const chain = fc.record({
    chainHash: fc.constant(QUICKNET.chainHash),
    publicKey: fc.constant(QUICKNET.publicKey),
    genesisMs: fc.nat(2 ** 41),
    periodMs: fc.integer({ min: 1, max: 60_000 }),
  });
  fc.assert(fc.property(chain, fc.bigInt(1n, 1n << 36n), (chain, round) => {
    const time = timeOfRound(chain, round);
    assert.equal(roundAt(chain, time), round);
    assert.equal(roundAt(chain, time - 1), round - 1n);
    assert.equal(firstRoundAtOrAfter(chain, time), round);
    assert.equal(firstRoundAfter(chain, time), round + 1n);
  }));
  assert.throws(() => timeOfRound(QUICKNET, 0n), RangeError);
  assert.throws(() => timeOfRound(QUICKNET, 1n << 64n), RangeError);
});

Deno.test("chainHashOf: depends on key, genesis and period", () => {
  const key = QUICKNET.publicKey;
  const hashes = [chainHashOf(key, 0, 1), chainHashOf(key, 1, 0), chainHashOf(key, 1, 1)];
  hashes.push(chainHashOf(key.slice().fill(1), 1, 1));
  assert.equal(new Set(hashes.map(toHex)).size, 4);
});
