/**
 * A file that a passphrase opens: scrypt (RFC 7914) from the passphrase to a key, AES-256-GCM (NIST SP 800-38D) over
 * the content, and the header in front as additional data, so that no byte of the file can be changed.
 *
 * ```txt
 * "vramhub-backup/v1\n" ‖ log2 N u8 ‖ salt 32 ‖ nonce 12 ‖ length of the content u64le ‖ content ‖ tag 16
 * ```
 *
 * @module
 */
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { type Bytes, concat, equal, u64le, utf8 } from "../../enclave/protocol/bytes.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";

const MAGIC = utf8("vramhub-backup/v1\n");
const SALT = 32;
const NONCE = 12;
const TAG = 16;
const HEADER = MAGIC.length + 1 + SALT + NONCE + 8;

/** Most bytes of what is sealed. */
export const MAX_CONTENT: number = 256 << 20;
/** Most bytes of a sealed file. */
export const MAX_SEALED: number = HEADER + MAX_CONTENT + TAG;
/** Fewest characters of a passphrase. */
export const MIN_PASSPHRASE = 12;

/** log2 of scrypt's N: 2^17 with r 8 takes 128 MiB and about a second. Read within bounds, so that no file asks for more. */
const COST = { written: 17, least: 14, most: 20 } as const;

/** Settings of {@linkcode seal}. */
export interface SealOptions {
  /** log2 of scrypt's N; 17 without it. For tests. */
  readonly cost?: number;
}

/**
 * `content` under `passphrase`; another salt and nonce each time.
 *
 * @throws {RangeError} where the passphrase is shorter than 12 characters or there is too much content.
 */
export async function seal(
  content: Bytes,
  passphrase: string,
  { cost = COST.written }: SealOptions = {},
): Promise<Bytes> {
  if ([...passphrase].length < MIN_PASSPHRASE) {
    throw new RangeError(
      `Cannot seal under a passphrase of less than ${MIN_PASSPHRASE} characters`,
    );
  }
  if (content.length > MAX_CONTENT) {
    throw new RangeError(`Cannot seal ${content.length} bytes as ${MAX_CONTENT} are the most`);
  }
  const salt = crypto.getRandomValues(new Uint8Array(SALT));
  const iv = crypto.getRandomValues(new Uint8Array(NONCE));
  const header = concat(MAGIC, Uint8Array.of(cost), salt, iv, u64le(content.length));
  const key = await keyOf(passphrase, salt, cost);
  const algorithm = { name: "AES-GCM", iv, additionalData: header };
  return concat(header, new Uint8Array(await crypto.subtle.encrypt(algorithm, key, content)));
}

/**
 * What was sealed.
 *
 * @throws {Refusal} `not_a_backup`, `out_of_range`, `truncated`, `trailing_bytes`, or `not_opened` where the passphrase
 * is wrong or a byte was changed: which of them cannot be told.
 */
export async function open(sealed: Bytes, passphrase: string): Promise<Bytes> {
  if (sealed.length < HEADER || !equal(sealed.subarray(0, MAGIC.length), MAGIC)) {
    throw new Refusal(
      "not_a_backup",
      "Cannot read the file: it is no backup of vramhub, version 1",
    );
  }
  const header = sealed.slice(0, HEADER);
  const cost = header[MAGIC.length]!;
  const salt = header.slice(MAGIC.length + 1, MAGIC.length + 1 + SALT);
  const iv = header.slice(HEADER - 8 - NONCE, HEADER - 8);
  const length = new DataView(header.buffer).getBigUint64(HEADER - 8, true);
  if (cost < COST.least || cost > COST.most || length > BigInt(MAX_CONTENT)) {
    throw new Refusal("out_of_range", "Cannot read the backup: its header was changed");
  }
  const whole = HEADER + Number(length) + TAG;
  if (sealed.length !== whole) {
    throw sealed.length < whole
      ? new Refusal(
        "truncated",
        `Cannot read the backup: ${sealed.length} of ${whole} bytes are there`,
      )
      : new Refusal("trailing_bytes", "Cannot read the backup: something stands behind its end");
  }
  const algorithm = { name: "AES-GCM", iv, additionalData: header };
  const key = await keyOf(passphrase, salt, cost);
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed.subarray(HEADER)));
  } catch {
    throw new Refusal(
      "not_opened",
      "Cannot open the backup: the passphrase is another one, or the file was changed",
    );
  }
}

async function keyOf(passphrase: string, salt: Bytes, cost: number): Promise<CryptoKey> {
  const secret = utf8(passphrase.normalize("NFKC"));
  const bytes = await scryptAsync(secret, salt, { N: 2 ** cost, r: 8, p: 1, dkLen: 32 });
  return await crypto.subtle.importKey("raw", Uint8Array.from(bytes), "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
}
