/**
 * DEVELOPMENT ONLY: read keys under one AES-256-GCM key that all parties of a test network share through its folder.
 * Whoever can read the folder can read every bucket. It says what it is in its type, in what it seals, and in the key
 * server that it names on the ledger.
 *
 * Sealed: the tag `vramhub/development-aes-256-gcm/v1`, a nonce of 12 bytes, then AES-256-GCM (NIST SP 800-38D) of the
 * keys' text with tag and identity as additional data.
 *
 * @module
 */
import { type Bytes, concat, equal, toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import type { CredentialsRow } from "../ledger/governance.ts";
import type { ObjectId } from "../ledger/token.ts";
import {
  CredentialsError,
  identityOf,
  type ReadKeyEnvelope,
  ReadKeys,
  type SealedKeys,
} from "./read_keys.ts";

/** The file in a folder of keys that holds the shared key; mode 0600. */
export const DEVELOPMENT_KEY_FILE = "development-credentials.key";
/** Stands on the ledger where Seal's key servers would: `development` in ASCII. No object has this id. */
export const DEVELOPMENT_KEY_SERVER: ObjectId = `0x${toHex(utf8("development")).padStart(64, "0")}`;
const TAG = utf8("vramhub/development-aes-256-gcm/v1");
const NONCE_BYTES = 12;
const KEY_BYTES = 32;

/** AES-256-GCM under a key that lies in a folder: for test networks. */
export class DevelopmentEnvelope implements ReadKeyEnvelope {
  /** See {@link ReadKeyEnvelope}. */
  readonly kind = "development";
  readonly #key: CryptoKey;

  private constructor(key: CryptoKey) {
    this.#key = key;
  }

  /**
   * With the key of the folder `dir`, which is made where there is none.
   *
   * @throws {TypeError} where others can read the key, or it is not 32 bytes.
   */
  static async open(dir: string): Promise<DevelopmentEnvelope> {
    await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
    const path = `${dir}/${DEVELOPMENT_KEY_FILE}`;
    await writeOnce(path, crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
    const { mode, size } = await Deno.lstat(path);
    if (mode !== null && (mode & 0o077) !== 0) {
      throw new TypeError(`Cannot use '${DEVELOPMENT_KEY_FILE}': make its mode 0600`);
    }
    if (size !== KEY_BYTES) {
      throw new TypeError(`Cannot use '${DEVELOPMENT_KEY_FILE}': it is not ${KEY_BYTES} bytes`);
    }
    const key = await crypto.subtle.importKey(
      "raw",
      await Deno.readFile(path),
      "AES-GCM",
      false,
      ["encrypt", "decrypt"],
    );
    return new DevelopmentEnvelope(key);
  }

  /** See {@link ReadKeyEnvelope}. */
  async seal(keys: ReadKeys, uid: number, epoch: number): Promise<SealedKeys> {
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const cipher = await crypto.subtle.encrypt(algorithm(iv, uid, epoch), this.#key, keys.encode());
    return {
      sealed: concat(TAG, iv, new Uint8Array(cipher)),
      keyServers: [DEVELOPMENT_KEY_SERVER],
      threshold: 1,
    };
  }

  /** See {@link ReadKeyEnvelope}. */
  async open({ epoch, sealed }: CredentialsRow, uid: number): Promise<ReadKeys> {
    if (!equal(sealed.subarray(0, TAG.length), TAG)) {
      throw new CredentialsError(
        "bad_envelope",
        `Cannot open the read keys of miner ${uid}: they are not sealed for a development network`,
      );
    }
    const iv = sealed.slice(TAG.length, TAG.length + NONCE_BYTES);
    const cipher = sealed.slice(TAG.length + NONCE_BYTES);
    let text: ArrayBuffer;
    try {
      text = await crypto.subtle.decrypt(algorithm(iv, uid, epoch), this.#key, cipher);
    } catch {
      throw new CredentialsError(
        "bad_envelope",
        `Cannot open the read keys of miner ${uid}: they were sealed under another key, slot or epoch`,
      );
    }
    return ReadKeys.decode(new Uint8Array(text));
  }
}

function algorithm(iv: Bytes, uid: number, epoch: number): AesGcmParams {
  return { name: "AES-GCM", iv, additionalData: concat(TAG, identityOf(uid, epoch)) };
}

/** Whole or not at all, and never over another: of several processes one makes the key. */
async function writeOnce(path: string, bytes: Bytes): Promise<void> {
  const draft = `${path}.${crypto.randomUUID()}`;
  await Deno.writeFile(draft, bytes, { createNew: true, mode: 0o600 });
  try {
    await Deno.link(draft, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  } finally {
    await Deno.remove(draft);
  }
}
