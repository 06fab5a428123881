import assert from "node:assert/strict";
import { inspect } from "node:util";
import { Ed25519Keypair } from "@mysten/sui/keypairs/ed25519";
import { SuiError } from "./errors.ts";
import { Wallet } from "./wallet.ts";

// Vector of MystenLabs/ts-sdks, packages/sui/test/unit/cryptography/ed25519-keypair.test.ts.
const MNEMONIC =
  "film crazy soon outside stand loop subway crumble thrive popular green nuclear struggle pistol arm " +
  "wife phrase warfare march wheat nephew ask sunny firm";
const PRIVATE_KEY = "suiprivkey1qrwsjvr6gwaxmsvxk4cfun99ra8uwxg3c9pl0nhle7xxpe4s80y05ctazer";
const ADDRESS = "0xa2d14fad60c56049ecf75246a481934691214ce413e6a8ae2fe6834c173a6133";

/** The keystore's form of a key. */
function flagged(privateKey: string, flag = 0): string {
  const secret = (Ed25519Keypair.fromSecretKey(privateKey) as unknown as {
    keypair: { secretKey: Uint8Array };
  }).keypair.secretKey.slice(0, 32);
  return btoa(String.fromCharCode(flag, ...secret));
}

const refused = (error: unknown) =>
  error instanceof SuiError && error.code === "bad_wallet" && !error.retryable;

Deno.test("Wallet: a mnemonic, its private key and its keystore are one address", () => {
  assert.equal(Wallet.fromMnemonic(MNEMONIC).address, ADDRESS);
  assert.equal(Wallet.fromMnemonic(`  ${MNEMONIC.toUpperCase()}\n`).address, ADDRESS);
  assert.equal(Wallet.fromPrivateKey(PRIVATE_KEY).address, ADDRESS);
  const keystore = JSON.stringify([flagged(PRIVATE_KEY)]);
  for (const text of [MNEMONIC, PRIVATE_KEY, keystore, `${keystore}\n`]) {
    assert.equal(Wallet.fromText(text).address, ADDRESS);
  }
});

Deno.test("Wallet: a keystore of several keys asks which, and skips other schemes", () => {
  const other = Ed25519Keypair.generate();
  const keys = [flagged(PRIVATE_KEY), flagged(other.getSecretKey()), flagged(PRIVATE_KEY, 1)];
  const json = JSON.stringify(keys);
  assert.equal(Wallet.fromKeystore(json, ADDRESS).address, ADDRESS);
  assert.equal(
    Wallet.fromKeystore(json, ADDRESS.toUpperCase().replace("0X", "0x")).address,
    ADDRESS,
  );
  assert.throws(() => Wallet.fromKeystore(json), /say which address/);
  assert.throws(() => Wallet.fromKeystore(json, "0x1"), refused);
});

Deno.test("Wallet: refuses what is no key, without a word of it", () => {
  const bad = [
    MNEMONIC.replace("film ", ""),
    MNEMONIC.replace("film", "f1lm"),
    MNEMONIC.replace("film", "filn"),
    MNEMONIC.replace("film", "filter"), // a word of the list, another wallet
    MNEMONIC.replace("film crazy", "crazy film"),
    PRIVATE_KEY.slice(0, -1),
    PRIVATE_KEY.replace("qrwsj", "qrwsk"),
    "secretwords",
    "[",
    `["${flagged(PRIVATE_KEY).slice(4)}"]`,
    `["%%%%${flagged(PRIVATE_KEY)}"]`,
    `{"key": "${flagged(PRIVATE_KEY)}"}`,
    "",
  ];
  const secrets = ["film", "crazy", "qrwsj", "secretwords", flagged(PRIVATE_KEY).slice(8, 20)];
  for (const text of bad) {
    assert.throws(() => Wallet.fromText(text), (error: Error) => {
      const shown = `${error.stack}${inspect(error, { depth: 9, showHidden: true })}`;
      return refused(error) && error.cause === undefined &&
        secrets.every((secret) => !shown.includes(secret));
    }, text);
  }
});

Deno.test("Wallet: a mistyped word is told by its place, a wrong one by the checksum", () => {
  const typo = MNEMONIC.replace("loop", "lopo");
  assert.throws(() => Wallet.fromMnemonic(typo), /^SuiError: Word 6 of the mnemonic is none/);
  const other = MNEMONIC.replace("loop", "loud");
  assert.throws(() => Wallet.fromMnemonic(other), /checksum is wrong/);
});

Deno.test("Wallet: shows its address and nothing else", () => {
  const wallet = Wallet.fromMnemonic(MNEMONIC);
  const shown = [
    JSON.stringify({ wallet }),
    String(wallet),
    Deno.inspect(wallet, { depth: 99, showHidden: true }),
    inspect({ wallet }, { depth: 99, showHidden: true }),
    JSON.stringify(Object.entries(wallet)),
  ];
  for (const text of shown) {
    assert.ok(text.includes(ADDRESS));
    assert.doesNotMatch(text, /keypair|secret|film|suiprivkey/i);
  }
});

Deno.test("Wallet: comes from the environment or a file", async () => {
  assert.equal(Wallet.fromEnvironment(() => undefined), null);
  assert.equal(Wallet.fromEnvironment(() => " "), null);
  const get = (name: string) => name === "VRAMHUB_WALLET_MNEMONIC" ? MNEMONIC : undefined;
  assert.equal(Wallet.fromEnvironment(get)!.address, ADDRESS);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, JSON.stringify([flagged(PRIVATE_KEY)]));
    assert.equal((await Wallet.fromFile(path)).address, ADDRESS);
    await Deno.truncate(path, (1 << 20) + 1);
    await assert.rejects(Wallet.fromFile(path), refused);
  } finally {
    await Deno.remove(path);
  }
});
