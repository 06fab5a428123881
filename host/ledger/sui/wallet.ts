/**
 * The key that signs and pays. Its secret leaves the object only inside a signature: it is in no error, no log,
 * no JSON and no inspection.
 *
 * Sources: BIP-39 (seed), SLIP-0010 (path `m/44'/784'/0'/0'/0'`), SIP-15 (`suiprivkey…`), Sui's keystore (a JSON
 * array of base64 `flag ‖ secret`).
 *
 * @module
 */
import { Ed25519Keypair } from "@mysten/sui/keypairs/ed25519";
import { validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import type { Address } from "../ledger.ts";
import { SuiError } from "./errors.ts";

/** SLIP-0010 path of Sui's first Ed25519 account. */
export const DERIVATION_PATH = "m/44'/784'/0'/0'/0'";
/** Name of the environment's variable that holds a mnemonic. */
export const MNEMONIC_VARIABLE = "VRAMHUB_WALLET_MNEMONIC";
/** Flag of Ed25519 in front of a key. */
const ED25519_FLAG = 0;
/** A keystore file of more bytes is none. */
const MAX_FILE = 1 << 20;
const FORMS = "a BIP-39 mnemonic, suiprivkey…, or Sui's keystore file";

/** An Ed25519 key of Sui. */
export class Wallet {
  readonly #keypair: Ed25519Keypair;
  /** `0x` and 64 hexadecimal digits. */
  readonly address: Address;

  private constructor(keypair: Ed25519Keypair) {
    this.#keypair = keypair;
    this.address = keypair.toSuiAddress();
  }

  /** From 12 to 24 words of BIP-39's English list, separated by spaces, whose checksum must hold. */
  static fromMnemonic(mnemonic: string): Wallet {
    const words = mnemonic.normalize("NFKD").trim().toLowerCase().split(/\s+/);
    if (![12, 15, 18, 21, 24].includes(words.length)) {
      throw new SuiError("bad_wallet", "A mnemonic is 12, 15, 18, 21 or 24 English words");
    }
    const strange = words.findIndex((word) => !wordlist.includes(word));
    if (strange >= 0) {
      const message = `Word ${strange + 1} of the mnemonic is none of BIP-39's English list`;
      throw new SuiError("bad_wallet", message);
    }
    if (!validateMnemonic(words.join(" "), wordlist)) {
      const message = "The mnemonic's checksum is wrong: a word is another, or in another place";
      throw new SuiError("bad_wallet", message);
    }
    return Wallet.#try(() => Ed25519Keypair.deriveKeypair(words.join(" "), DERIVATION_PATH));
  }

  /** From `suiprivkey…` (SIP-15), Ed25519 only. */
  static fromPrivateKey(text: string): Wallet {
    return Wallet.#try(() => Ed25519Keypair.fromSecretKey(text.trim()));
  }

  /**
   * From the text of a Sui keystore: a JSON array of base64 keys, of which the one of `address` is taken, or the
   * only Ed25519 one.
   */
  static fromKeystore(json: string, address?: Address): Wallet {
    let keys: unknown;
    try {
      keys = JSON.parse(json);
    } catch {
      // The parser's message would quote the file.
      throw new SuiError("bad_wallet", "The keystore is not JSON");
    }
    if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string")) {
      throw new SuiError("bad_wallet", "The keystore is not a JSON array of base64 keys");
    }
    const wallets = keys.flatMap((key: string) => Wallet.#fromFlagged(key));
    const found = address === undefined
      ? wallets
      : wallets.filter((wallet) => wallet.address === address.toLowerCase());
    if (found.length === 1) return found[0]!;
    const addresses = wallets.map((wallet) => wallet.address).join(", ") || "none";
    throw new SuiError(
      "bad_wallet",
      address === undefined
        ? `The keystore holds ${wallets.length} Ed25519 keys, say which address: ${addresses}`
        : `The keystore does not hold ${address}; it holds: ${addresses}`,
    );
  }

  /** From any of the forms: a mnemonic, `suiprivkey…`, or a keystore's text. */
  static fromText(text: string, address?: Address): Wallet {
    const trimmed = text.trim();
    if (trimmed.startsWith("suiprivkey")) return Wallet.fromPrivateKey(trimmed);
    if (trimmed.startsWith("[")) return Wallet.fromKeystore(trimmed, address);
    if (/^[A-Za-z]+(\s+[A-Za-z]+)+$/.test(trimmed)) return Wallet.fromMnemonic(trimmed);
    throw new SuiError("bad_wallet", `The wallet is not ${FORMS}`);
  }

  /** From a file in any of the forms. */
  static async fromFile(path: string, address?: Address): Promise<Wallet> {
    const { size } = await Deno.stat(path);
    if (size > MAX_FILE) throw new SuiError("bad_wallet", `${path} is too long for ${FORMS}`);
    return Wallet.fromText(await Deno.readTextFile(path), address);
  }

  /** From the environment's {@link MNEMONIC_VARIABLE}, or null where it is not set. */
  static fromEnvironment(get: (name: string) => string | undefined): Wallet | null {
    const text = get(MNEMONIC_VARIABLE)?.trim();
    return text === undefined || text === "" ? null : Wallet.fromText(text);
  }

  /** Sign a transaction's bytes; returns Sui's serialized signature (base64 of flag, signature, key). */
  async sign(transaction: Bytes): Promise<string> {
    return (await this.#keypair.signTransaction(transaction)).signature;
  }

  /** Sign a personal message; returns Sui's serialized signature. No transaction can have these bytes. */
  async signMessage(message: Uint8Array): Promise<string> {
    return (await this.#keypair.signPersonalMessage(message)).signature;
  }

  /** The address alone. */
  toJSON(): { readonly address: Address } {
    return { address: this.address };
  }

  /** The address alone. */
  toString(): string {
    return `Wallet ${this.address}`;
  }

  /** The address alone. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** The address alone. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  static #fromFlagged(key: string): Wallet[] {
    let raw: Uint8Array;
    try {
      raw = Uint8Array.from(atob(key), (char) => char.charCodeAt(0));
    } catch {
      throw new SuiError("bad_wallet", "A key of the keystore is not base64");
    }
    if (raw.length !== 33) {
      throw new SuiError("bad_wallet", "A key of the keystore is not 33 bytes");
    }
    if (raw[0] !== ED25519_FLAG) return []; // secp256k1 and secp256r1 keys stay out
    return [Wallet.#try(() => Ed25519Keypair.fromSecretKey(raw.slice(1)))];
  }

  /** The libraries' errors may quote what they were given: none of their text goes on. */
  static #try(make: () => Ed25519Keypair): Wallet {
    let keypair: Ed25519Keypair;
    try {
      keypair = make();
    } catch {
      throw new SuiError("bad_wallet", `The wallet is not ${FORMS}, with an Ed25519 key`);
    }
    return new Wallet(keypair);
  }
}
