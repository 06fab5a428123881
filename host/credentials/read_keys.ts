/**
 * The second half of a miner's dual credentials: the key pair that may only read its bucket. The pair that writes stays
 * with the miner; this one is sealed, published on the ledger, and opened by validators.
 *
 * @module
 */
import { BcsWriter } from "../../enclave/protocol/bcs.ts";
import { type Bytes, utf8 } from "../../enclave/protocol/bytes.ts";
import type { CredentialsRow } from "../ledger/governance.ts";

/** Why read keys were not sealed or not opened. */
export type CredentialsFault =
  /** What was sealed is not of the form that all parties take. */
  | "bad_keys"
  /** What lies on the ledger was not sealed for this slot and epoch, or not by this kind of envelope. */
  | "bad_envelope"
  /** Too few of its key servers are among those that this party trusts. */
  | "untrusted"
  /** The policy, or key servers that ask it, say that this party may not have it. */
  | "refused"
  /** Not enough key servers gave a usable answer. */
  | "unavailable";

/** The error of sealing and opening. It never holds a part of a key. */
export class CredentialsError extends Error {
  /** Stable reason. */
  readonly code: CredentialsFault;
  /** Whether the same call may succeed later, with nothing else done: `unavailable` alone. */
  readonly retryable: boolean;

  /** An error for reason `code`. Causes are left out: libraries quote what they were given. */
  constructor(code: CredentialsFault, message: string) {
    super(message);
    this.name = "CredentialsError";
    this.code = code;
    this.retryable = code === "unavailable";
  }
}

/** The form of a key pair, as {@link ReadKeys} is made from it. */
export interface ReadKeyParts {
  /** 1 to 128 characters without blanks. */
  readonly accessKeyId: string;
  /** 1 to 256 characters without blanks. */
  readonly secretAccessKey: string;
  /** URL of the service, where the ledger's row does not say it: at most 256 characters. */
  readonly endpoint?: string | undefined;
  /** Region of the service, at most 64 characters. */
  readonly region?: string | undefined;
  /** Where the bucket's name goes. */
  readonly style?: "path" | "virtual" | undefined;
}

/** Names in the sealed text, each with what its value must be. */
const FIELDS = {
  access_key_id: /^[!-~]{1,128}$/,
  secret_access_key: /^[!-~]{1,256}$/,
  endpoint: /^https?:\/\/[!-~]{1,248}$/,
  region: /^[A-Za-z0-9-]{1,64}$/,
  style: /^(path|virtual)$/,
} as const;
const NEEDED = ["access_key_id", "secret_access_key"];
const FORMAT_VERSION = 1;
/** The longest text that is sealed. */
export const MAX_KEYS_BYTES = 1_024;
/** Shorter parts are too common to be taken out of a text. */
const MIN_REDACTED = 4;

type Values = Partial<Record<keyof typeof FIELDS, string>>;

/**
 * A key pair that may read a bucket, and where that is. The pair leaves the object only through its two getters and
 * {@link ReadKeys.encode}: it is in no inspection and no JSON.
 */
export class ReadKeys {
  readonly #values: Values;

  private constructor(values: Values) {
    this.#values = values;
  }

  /** Keys of these parts. @throws {CredentialsError} `bad_keys`, which names the field and not its value. */
  static of(parts: ReadKeyParts): ReadKeys {
    const { accessKeyId, secretAccessKey, endpoint, region, style } = parts;
    return ReadKeys.#checked({
      access_key_id: accessKeyId,
      secret_access_key: secretAccessKey,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(region === undefined ? {} : { region }),
      ...(style === undefined ? {} : { style }),
    });
  }

  /**
   * Out of the text that was sealed: JSON of `version` 1, `access_key_id`, `secret_access_key` and, where they are
   * needed, `endpoint`, `region`, `style`.
   *
   * @throws {CredentialsError} `bad_keys`.
   */
  static decode(text: Uint8Array): ReadKeys {
    if (text.length > MAX_KEYS_BYTES) throw bad(`they are above ${MAX_KEYS_BYTES} bytes`);
    let parsed: unknown;
    try {
      parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
    } catch {
      throw bad("they are not JSON"); // the parser's message would quote them
    }
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
      throw bad("they are not a JSON object");
    }
    const { version, ...values } = parsed as Record<string, unknown>;
    if (version !== FORMAT_VERSION) throw bad(`their version is not ${FORMAT_VERSION}`);
    return ReadKeys.#checked(values);
  }

  static #checked(values: Readonly<Record<string, unknown>>): ReadKeys {
    for (const name of NEEDED) {
      if (!Object.hasOwn(values, name)) throw bad(`${name} is missing`);
    }
    for (const [name, value] of Object.entries(values)) {
      if (!Object.hasOwn(FIELDS, name)) throw bad("they have a field of another version");
      if (typeof value !== "string" || !FIELDS[name as keyof typeof FIELDS].test(value)) {
        throw bad(`${name} is not of the form that all parties take`);
      }
    }
    return new ReadKeys(values);
  }

  /** The name of the pair. */
  get accessKeyId(): string {
    return this.#values.access_key_id!;
  }

  /** Its secret. */
  get secretAccessKey(): string {
    return this.#values.secret_access_key!;
  }

  /** URL of the service, or undefined where the ledger's row says it. */
  get endpoint(): string | undefined {
    return this.#values.endpoint;
  }

  /** Region of the service. */
  get region(): string | undefined {
    return this.#values.region;
  }

  /** Where the bucket's name goes. */
  get style(): "path" | "virtual" | undefined {
    return this.#values.style as "path" | "virtual" | undefined;
  }

  /** The text that is sealed: this is the secret. */
  encode(): Bytes {
    return utf8(JSON.stringify({ version: FORMAT_VERSION, ...this.#values }));
  }

  /** `text` without the pair: services repeat what they were sent. */
  redact(text: string): string {
    return [this.secretAccessKey, this.accessKeyId]
      .filter(({ length }) => length >= MIN_REDACTED)
      .reduce((clean, part) => clean.replaceAll(part, "(secret)"), text);
  }

  /** Says what it is, and nothing of it. */
  toJSON(): string {
    return this.toString();
  }

  /** Says what it is, and nothing of it. */
  toString(): string {
    return "ReadKeys (secret)";
  }

  /** Says what it is, and nothing of it. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** Says what it is, and nothing of it. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** What goes to the ledger of sealed keys. */
export type SealedKeys = Pick<CredentialsRow, "sealed" | "keyServers" | "threshold">;

/** How read keys are sealed: two kinds, one of which protects nothing outside a test network. */
export interface ReadKeyEnvelope {
  /** `seal`, or for test networks `development`. */
  readonly kind: "seal" | "development";
  /** Seal `keys` of slot `uid` for one epoch. @throws {CredentialsError} */
  seal(keys: ReadKeys, uid: number, epoch: number): Promise<SealedKeys>;
  /** Open the keys that slot `uid` has on the ledger. @throws {CredentialsError} */
  open(row: CredentialsRow, uid: number): Promise<ReadKeys>;
}

/** `seal_policy::identity`: uid u16, epoch u64, little endian; 10 bytes. Seal puts the package's id in front. */
export function identityOf(uid: number, epoch: number): Bytes {
  return new BcsWriter().u16(uid).u64(BigInt(epoch)).finish();
}

function bad(why: string): CredentialsError {
  return new CredentialsError("bad_keys", `Cannot use these read keys: ${why}`);
}
