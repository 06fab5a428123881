import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { concat, fromHex, toHex, u64le, utf8 } from "./bytes.ts";
import { addressBytes, keyPairFrom, userDataOf, verifySignature } from "./identity.ts";
import { Refusal } from "./refusal.ts";

const fill = (byte: number) => new Uint8Array(32).fill(byte);

// RFC 8032 §7.1, tests 1 to 3: secret key, public key, message, signature.
const RFC8032 = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
].map((row) => row.map((part) => fromHex(part)));

Deno.test("keyPairFrom and verifySignature: follow RFC 8032's vectors", () => {
  for (const [secret, publicKey, message, signature] of RFC8032) {
    const pair = keyPairFrom(secret!);
    assert.deepEqual(pair.publicKey, publicKey);
    assert.deepEqual(pair.sign(message!), signature);
    assert(verifySignature(signature!, message!, publicKey!));
  }
});

Deno.test("keyPairFrom: its signatures hold before the runtime's own Ed25519", () => {
  const pair = keyPairFrom(fill(9));
  // RFC 8410 §4: a SubjectPublicKeyInfo with id-Ed25519.
  const spki = concat(fromHex("302a300506032b6570032100"), pair.publicKey).toBase64();
  const key = createPublicKey(`-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`);
  assert(verify(null, utf8("hello"), key, pair.sign(utf8("hello"))));
});

Deno.test("keyPairFrom: keeps its own copy of the seed, and refuses one of another length", () => {
  const seed = fill(9);
  const pair = keyPairFrom(seed);
  const before = pair.sign(utf8("a"));
  seed.fill(0);
  assert.deepEqual(pair.sign(utf8("a")), before);
  for (const length of [0, 31, 33, 64]) {
    assert.throws(() => keyPairFrom(new Uint8Array(length)), Error, `${length}`);
  }
});

Deno.test("verifySignature: one flipped bit anywhere, or another length, is false and never throws", () => {
  const [, publicKey, message, signature] = RFC8032[2]!;
  for (const part of [0, 1, 2]) {
    const parts = [signature!, message!, publicKey!];
    for (let at = 0; at < parts[part]!.length; at += 3) {
      const changed = parts.map((bytes) => bytes.slice());
      changed[part]![at]! ^= 1;
      assert(!verifySignature(changed[0]!, changed[1]!, changed[2]!), `part ${part}, byte ${at}`);
    }
  }
  for (const length of [0, 63, 65]) {
    assert(!verifySignature(new Uint8Array(length), message!, publicKey!));
  }
  for (const length of [0, 31, 33]) {
    assert(!verifySignature(signature!, message!, new Uint8Array(length)));
  }
});

Deno.test("verifySignature: malleable signatures and keys of small order are refused", () => {
  const [, publicKey, message, signature] = RFC8032[2]!;
  // RFC 8032 §5.1.7: S must lie below L, or S + L would be a second signature of the same message.
  const L = (1n << 252n) + 27742317777372353535851937790883648493n;
  const low = (from: number) => new DataView(signature!.buffer).getBigUint64(from, true);
  let s = 0n;
  for (let i = 3; i >= 0; i--) s = s << 64n | low(32 + 8 * i);
  const raised = s + L;
  const limbs = [0n, 64n, 128n, 192n].map((shift) => u64le(raised >> shift & 0xffffffffffffffffn));
  assert(!verifySignature(concat(signature!.subarray(0, 32), ...limbs), message!, publicKey!));
  // The neutral element as key and as R, with S = 0, would sign every message.
  const neutral = concat(Uint8Array.of(1), new Uint8Array(31));
  assert(!verifySignature(concat(neutral, new Uint8Array(32)), message!, neutral));
});

Deno.test("userDataOf: is the tag and the four parts, 116 bytes, by hand", () => {
  const identity = { chainId: fill(1), ledgerId: fill(2), validator: 0x0103, address: fill(4) };
  const expected = concat(
    utf8("vramhub/enclave/v1"),
    fill(1),
    fill(2),
    Uint8Array.of(3, 1),
    fill(4),
  );
  assert.deepEqual(userDataOf(identity), expected);
  assert.equal(expected.length, 116);
  assert.throws(() => userDataOf({ ...identity, address: new Uint8Array(20) }), RangeError);
  assert.throws(() => userDataOf({ ...identity, validator: 65_536 }), RangeError);
});

Deno.test("addressBytes: reads a Sui address and refuses all else", () => {
  const address = `0x${toHex(fill(0xab))}`;
  assert.deepEqual(addressBytes(address), fill(0xab));
  for (
    const wrong of ["", "0x", address.slice(0, -1), address.slice(0, -2), `${address}00`, "0xz"]
  ) {
    assert.throws(
      () => addressBytes(wrong),
      (e) => e instanceof Refusal && e.code === "bad_address" && e.field === "address",
    );
  }
});
