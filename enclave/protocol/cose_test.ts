import assert from "node:assert/strict";
import { concat, fromHex, toHex, utf8 } from "./bytes.ts";
import { encodeCoseSign1, ES384_PROTECTED, sigStructure } from "./cose.ts";

Deno.test("sigStructure: is the array of RFC 9052 section 4.4", () => {
  // 84: array of 4; 6a: text of 10; 44: 4 bytes; 40: empty external_aad; 43: 3 bytes.
  const expected = concat(fromHex("846a"), utf8("Signature1"), fromHex("44a10138224043010203"));
  assert.equal(toHex(sigStructure(ES384_PROTECTED, fromHex("010203"))), toHex(expected));
});

Deno.test("encodeCoseSign1: is an untagged array of protected, {}, payload and signature", async () => {
  const signature = new Uint8Array(96).fill(7);
  const bytes = await encodeCoseSign1(fromHex("aabb"), (toBeSigned) => {
    assert.deepEqual(toBeSigned, sigStructure(ES384_PROTECTED, fromHex("aabb")));
    return Promise.resolve(signature);
  });
  assert.equal(toHex(bytes), `8444a1013822a042aabb5860${toHex(signature)}`);
  await assert.rejects(
    encodeCoseSign1(fromHex("aa"), () => Promise.resolve(new Uint8Array(95))),
    RangeError,
  );
});
