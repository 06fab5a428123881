import assert from "node:assert/strict";
import fc from "fast-check";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../../enclave/protocol/cbor.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { type Backup, decodeBackup, encodeBackup, isPlainPath } from "./archive.ts";
import { kindOf } from "./collect.ts";
import { open, seal } from "./sealed.ts";

const PASSPHRASE = "a long enough one";
/** The least that is read: a test derives many keys. */
const CHEAP = { cost: 14 };

const code = (wanted: string) => (error: unknown) =>
  error instanceof Refusal && (error.code === wanted || assert.equal(error.code, wanted));

Deno.test("seal: open gives back what was sealed, under its passphrase alone", async () => {
  const content = utf8("what nobody else reads");
  const sealed = await seal(content, PASSPHRASE, CHEAP);
  assert.deepEqual(await open(sealed, PASSPHRASE), content);
  assert.notDeepEqual(await seal(content, PASSPHRASE, CHEAP), sealed);
  for (const wrong of ["", PASSPHRASE + " ", PASSPHRASE.toUpperCase()]) {
    await assert.rejects(open(sealed, wrong), code("not_opened"));
  }
  await assert.rejects(seal(content, "short", CHEAP), RangeError);
});

Deno.test("seal: one passphrase is one however its accents are composed", async () => {
  const sealed = await seal(utf8("x"), "caf\u00e9 caf\u00e9 caf\u00e9", CHEAP);
  assert.deepEqual(await open(sealed, "cafe\u0301 cafe\u0301 cafe\u0301"), utf8("x"));
});

Deno.test("open: refuses a changed byte of every part, every cut, and what stands behind", async () => {
  const sealed = await seal(utf8("keys"), PASSPHRASE, CHEAP);
  // Each costs a derivation of the key: of salt, nonce, length, content and tag the first and the last byte.
  const parts = [19, 50, 51, 62, 63, 70, 71, 74, 75, 90];
  assert.equal(sealed.length, 91);
  for (const i of [...Array(19).keys(), ...parts]) {
    const bent = sealed.slice();
    bent[i]! ^= 1;
    await assert.rejects(open(bent, PASSPHRASE), Refusal, `byte ${i}`);
  }
  for (let length = 0; length < sealed.length; length++) {
    const wanted = length < 71 ? "not_a_backup" : "truncated";
    await assert.rejects(open(sealed.slice(0, length), PASSPHRASE), code(wanted));
  }
  const longer = new Uint8Array([...sealed, 0]);
  await assert.rejects(open(longer, PASSPHRASE), code("trailing_bytes"));
});

Deno.test("open: a header that asks for much work or space is refused before any", async () => {
  const sealed = await seal(utf8("keys"), PASSPHRASE, CHEAP);
  for (const [at, value] of [[18, 13], [18, 21], [18, 255], [70, 1]] as const) {
    const bent = sealed.slice();
    bent[at] = value;
    await assert.rejects(open(bent, PASSPHRASE), code("out_of_range"), `byte ${at}`);
  }
});

const file = fc.record({
  place: fc.constantFrom("user" as const, "data" as const),
  path: fc.stringMatching(/^[a-z]{1,8}(\/[a-z.]{1,3}[a-z]){0,2}$/),
  bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.from(bytes)),
}, { noNullPrototype: true });

Deno.test("encodeBackup: decodes to the same files", () => {
  fc.assert(fc.property(
    fc.nat(),
    fc.uniqueArray(file, { maxLength: 5, selector: ({ path, place }) => place + path }),
    (madeMs, files) => {
      const backup: Backup = { madeMs, files };
      assert.deepEqual(decodeBackup(encodeBackup(backup)), backup);
    },
  ));
});

Deno.test("decodeBackup: refuses another hash, a path that leaves its folder, and one path twice", () => {
  const bytes = utf8("x");
  const good = { place: "data", path: "keys/a", sha256: sha256(bytes), bytes };
  const encode = (...files: unknown[]) => encodeCanonical({ version: 1, made_ms: 0, files });
  assert.equal(decodeBackup(encode(good)).files.length, 1);
  const bad: [string, unknown[]][] = [
    ["wrong_hash", [{ ...good, sha256: sha256(utf8("y")) }]],
    ["duplicate_path", [good, good]],
    ["wrong_kind", [{ ...good, place: "elsewhere" }]],
    ["unknown_field", [{ ...good, mode: 0o777 }]],
    ...["../a", "/etc/a", "a//b", "a/./b", "a/..", "a\\b", "a b", "C:a", "..."].map((
      path,
    ): [string, unknown[]] => ["bad_path", [{ ...good, path }]]),
  ];
  for (const [wanted, files] of bad) {
    assert.throws(() => decodeBackup(encode(...files)), code(wanted), JSON.stringify(files[0]));
  }
});

Deno.test("isPlainPath: takes the names that parties write", () => {
  for (const path of [".vramhub-uid", "keys/root.key", "miners/joined-0/journal/steps.jsonl"]) {
    assert.ok(isPlainPath(path), path);
  }
});

Deno.test("kindOf: knows what parties write, and nothing that can be had again", () => {
  const kinds: [string, string | undefined][] = [
    ["keys/beacon.key", "key"],
    ["wallets/alice.address", "key"],
    ["validator-0.journal", "journal"],
    ["journal/steps.jsonl", "journal"],
    ["miners/0123456789abcdef/journal/ab.bin", "journal"],
    ["miner/credentials.json", "journal"],
    ["job-verdicts-0/12.json", "journal"],
    ["miner/residual", undefined],
    [".vramhub-uid", "slot"],
    ["network.json", "settings"],
    ["ledger.id", "settings"],
    ["ledger.sqlite", undefined],
    ["validator-0.journal.lock", undefined],
    ["notes.txt", undefined],
    ["judge.sock", undefined],
  ];
  for (const [path, kind] of kinds) assert.equal(kindOf({ place: "data", path }), kind, path);
  assert.equal(kindOf({ place: "user", path: ".env" }), "settings");
  assert.equal(kindOf({ place: "user", path: "keys/x" }), undefined);
});
