import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { concat, equal, fromHex, toHex, utf8 } from "./bytes.ts";
import { sha256, tagged, useSha256 } from "./hash.ts";

Deno.test("sha256: gives the digests of FIPS 180-4's examples", () => {
  const examples: [string, string][] = [
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ],
  ];
  for (const [text, digest] of examples) assert.equal(toHex(sha256(utf8(text))), digest);
});

Deno.test("sha256: hashes the parts as one string; tagged puts the tag before them", () => {
  const parts = [utf8("a"), new Uint8Array(0), utf8("bc")];
  assert(equal(sha256(...parts), sha256(utf8("abc"))));
  assert(equal(tagged("t/v1", ...parts), sha256(concat(utf8("t/v1"), utf8("abc")))));
});

Deno.test("useSha256: another implementation takes over, with the same digests", () => {
  const before = sha256(utf8("abc"));
  let calls = 0;
  useSha256((...parts) => {
    calls++;
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return fromHex(hash.digest("hex"));
  });
  assert(equal(sha256(utf8("a"), utf8("bc")), before));
  assert.equal(calls, 1);
});
