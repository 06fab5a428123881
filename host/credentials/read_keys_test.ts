import assert from "node:assert/strict";
import fc from "fast-check";
import { equal, fromHex, utf8 } from "../../enclave/protocol/bytes.ts";
import type { CredentialsRow } from "../ledger/governance.ts";
import {
  DEVELOPMENT_KEY_FILE,
  DEVELOPMENT_KEY_SERVER,
  DevelopmentEnvelope,
} from "./development_envelope.ts";
import { identityOf, ReadKeys, type SealedKeys } from "./read_keys.ts";

const SECRET = "planted-secret-7351";
const KEYS = {
  accessKeyId: "planted-id-1189",
  secretAccessKey: SECRET,
  endpoint: "https://s3.example",
  region: "eu-1",
  style: "virtual" as const,
};
const KIND = { name: "CredentialsError", code: "bad_keys", retryable: false };

Deno.test("identityOf: is seal_policy::identity", () => {
  assert.deepEqual(identityOf(0x0102, 0x0304), fromHex("02010403000000000000"));
  assert.throws(() => identityOf(65_536, 1), RangeError);
});

Deno.test("ReadKeys: come back from their text as they were", () => {
  const back = ReadKeys.decode(ReadKeys.of(KEYS).encode());
  for (const [name, value] of Object.entries(KEYS)) assert.equal(back[name as "region"], value);
  const least = ReadKeys.decode(ReadKeys.of({ accessKeyId: "a", secretAccessKey: "b" }).encode());
  assert.equal(least.endpoint, undefined);
  assert.equal(
    new TextDecoder().decode(least.encode()),
    '{"version":1,"access_key_id":"a","secret_access_key":"b"}',
  );
});

Deno.test("ReadKeys: every other text is refused, and none of it is quoted", () => {
  const good = {
    version: 1,
    access_key_id: "planted-id-1189",
    secret_access_key: SECRET,
  };
  const texts = [
    SECRET,
    `{"${SECRET}`,
    JSON.stringify([SECRET]),
    "null",
    JSON.stringify({ ...good, version: 2 }),
    JSON.stringify({ ...good, version: "1" }),
    JSON.stringify({ ...good, access_key_id: undefined }),
    JSON.stringify({ ...good, secret_access_key: 7 }),
    JSON.stringify({ ...good, secret_access_key: `${SECRET} ` }),
    JSON.stringify({ ...good, secret_access_key: SECRET.repeat(20) }),
    JSON.stringify({ ...good, access_key_id: `${SECRET}\n` }),
    JSON.stringify({ ...good, endpoint: `ftp://${SECRET}` }),
    JSON.stringify({ ...good, region: `${SECRET}/../` }),
    JSON.stringify({ ...good, style: SECRET }),
    JSON.stringify({ ...good, [SECRET]: SECRET }),
    JSON.stringify({ ...good, toString: SECRET }),
    JSON.stringify(good) + " ".repeat(1_024),
  ];
  for (const text of texts) {
    assert.throws(() => ReadKeys.decode(utf8(text)), (error: Error) => {
      assert.partialDeepStrictEqual({ ...error, name: error.name }, KIND, text.slice(0, 80));
      assert(!Deno.inspect(error, { depth: 9 }).includes(SECRET), text.slice(0, 80));
      return true;
    });
  }
  assert.throws(() => ReadKeys.decode(Uint8Array.of(0xff)), KIND);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    assert.throws(() => ReadKeys.decode(bytes), KIND);
  }));
});

Deno.test("ReadKeys: are in no inspection, JSON or text, and are taken out of what others repeat", () => {
  const keys = ReadKeys.of(KEYS);
  const shown = [
    Deno.inspect({ keys }, { depth: 9, showHidden: true }),
    JSON.stringify({ keys }),
    `${keys}`,
    Deno.inspect(Object.getOwnPropertyDescriptors(keys)),
    keys.redact(`the key planted-id-1189 is unknown, ${SECRET}`),
  ];
  for (const text of shown) assert(!/planted/.test(text), text);
});

const row = (sealed: SealedKeys, epoch: number): CredentialsRow => ({
  ...sealed,
  epoch,
  generation: 1,
  bucket: "b",
  account: "a",
});

async function withFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("DevelopmentEnvelope: opens for who shares the folder, for its slot and epoch alone", () =>
  withFolder(async (dir) => {
    const [one, two] = await Promise.all([
      DevelopmentEnvelope.open(`${dir}/keys`),
      DevelopmentEnvelope.open(`${dir}/keys`),
    ]);
    const sealed = await one.seal(ReadKeys.of(KEYS), 3, 5);
    assert.equal(one.kind, "development");
    assert.deepEqual(sealed.keyServers, [DEVELOPMENT_KEY_SERVER]);
    assert(new TextDecoder().decode(sealed.sealed).startsWith("vramhub/development-aes-256-gcm"));
    const opened = await two.open(row(sealed, 5), 3);
    assert.equal(opened.secretAccessKey, SECRET);
    const again = await one.seal(ReadKeys.of(KEYS), 3, 5);
    assert(!equal(again.sealed, sealed.sealed), "the nonce is fresh");
    const stranger = await DevelopmentEnvelope.open(`${dir}/others`);
    const fault = { code: "bad_envelope", retryable: false };
    await assert.rejects(stranger.open(row(sealed, 5), 3), fault);
    await assert.rejects(two.open(row(sealed, 6), 3), fault);
    await assert.rejects(two.open(row(sealed, 5), 4), fault);
    for (let at = 0; at < sealed.sealed.length; at++) {
      const bent = sealed.sealed.slice();
      bent[at]! ^= 1;
      await assert.rejects(two.open(row({ ...sealed, sealed: bent }, 5), 3), fault);
      const cut = { ...sealed, sealed: sealed.sealed.slice(0, at) };
      await assert.rejects(two.open(row(cut, 5), 3), fault);
    }
  }));

Deno.test("DevelopmentEnvelope: refuses a key that others can read, or that is none", () =>
  withFolder(async (dir) => {
    await DevelopmentEnvelope.open(dir);
    await Deno.chmod(`${dir}/${DEVELOPMENT_KEY_FILE}`, 0o644);
    await assert.rejects(DevelopmentEnvelope.open(dir), TypeError);
    await Deno.writeFile(`${dir}/${DEVELOPMENT_KEY_FILE}`, new Uint8Array(31));
    await Deno.chmod(`${dir}/${DEVELOPMENT_KEY_FILE}`, 0o600);
    await assert.rejects(DevelopmentEnvelope.open(dir), TypeError);
  }));
