import assert from "node:assert/strict";
import { ed25519 } from "@noble/curves/ed25519.js";
import { fromHex, toHex } from "../enclave/protocol/bytes.ts";
import { checkEd25519Key } from "./ed25519.ts";
import { AttestationError } from "./error.ts";

const refused = (code: string) => (e: unknown) =>
  e instanceof AttestationError && e.code === code && e.field === "public_key";

Deno.test("checkEd25519Key: accepts the keys of RFC 8032 section 7.1", () => {
  for (
    const key of [
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    ]
  ) checkEd25519Key(fromHex(key));
});

Deno.test("checkEd25519Key: refuses the eight torsion points and their other encodings", () => {
  for (
    const key of [
      "0100000000000000000000000000000000000000000000000000000000000000", // order 1
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
      "0000000000000000000000000000000000000000000000000000000000000000", // order 4
      "0000000000000000000000000000000000000000000000000000000000000080", // order 4
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", // order 8
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", // order 8
      "0100000000000000000000000000000000000000000000000000000000000080", // x = 0 with a sign
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", // x = 0 with a sign
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", // y = p
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p + 1
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", // y = p + 1
    ]
  ) assert.throws(() => checkEd25519Key(fromHex(key)), refused("small_order_key"), key);
});

Deno.test("checkEd25519Key: refuses every encoding that is not canonical", () => {
  let points = 0;
  for (let y = 0; y < 19; y++) { // as y + p, which is below 2^255
    for (const sign of [0, 0x80]) {
      const key = fromHex("ed" + "ff".repeat(30) + "7f");
      key[0]! += y;
      key[31]! |= sign;
      assert.throws(() => checkEd25519Key(key), AttestationError, toHex(key));
      try {
        ed25519.Point.fromBytes(key, true);
        points++;
      } catch {
        // Not even by the lenient rule.
      }
    }
  }
  assert.equal(points, 24); // of small order, or of mixed
});

Deno.test("checkEd25519Key: refuses wrong lengths, no points and points of mixed order", () => {
  for (const n of [0, 19, 31, 33]) {
    assert.throws(() => checkEd25519Key(new Uint8Array(n)), refused("bad_public_key"));
  }
  const noPoint = "0200000000000000000000000000000000000000000000000000000000000000";
  assert.throws(() => checkEd25519Key(fromHex(noPoint)), refused("bad_public_key"));
  const eight = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
  const mixed = ed25519.Point.BASE.add(ed25519.Point.fromHex(eight));
  assert.throws(() => checkEd25519Key(fromHex(mixed.toHex())), refused("bad_public_key"));
  checkEd25519Key(fromHex(toHex(ed25519.Point.BASE.toBytes())));
});
