/**
 * Signed verdicts on jobs as files: kept by their validator across restarts, and read by `job resolve --verdict FILE`.
 *
 * @module
 */
import { type Bytes, fromHex, toHex, utf8 } from "../enclave/protocol/bytes.ts";

/** A verdict, and the key that signed it. */
export interface KeptVerdict {
  /** Ed25519, 32 bytes. */
  readonly key: Bytes;
  /** The message's bytes. */
  readonly message: Bytes;
  /** Ed25519, 64 bytes. */
  readonly signature: Bytes;
}

/** The verdicts of one validator, in a folder of their own. */
export class VerdictFiles {
  readonly #dir: string;

  /** Those in `dir`, which is made with the first. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /** JSON of key, message and signature, hex. */
  encode({ key, message, signature }: KeptVerdict): Bytes {
    const hex = { message: toHex(message), signature: toHex(signature), key: toHex(key) };
    return utf8(JSON.stringify(hex) + "\n");
  }

  /** Keep the verdict on `job`: whole or not at all. */
  async save(job: number, verdict: KeptVerdict): Promise<void> {
    await Deno.mkdir(this.#dir, { recursive: true });
    const draft = `${this.#path(job)}.draft`;
    await Deno.writeFile(draft, this.encode(verdict), { mode: 0o600 });
    await Deno.rename(draft, this.#path(job));
  }

  /** The verdict on `job`, or null where none is kept, or what is kept is none. */
  async load(job: number): Promise<KeptVerdict | null> {
    try {
      const { key, message, signature } = JSON.parse(await Deno.readTextFile(this.#path(job)));
      return {
        key: fromHex(String(key), 32),
        message: fromHex(String(message)),
        signature: fromHex(String(signature), 64),
      };
    } catch (error) {
      // The judge gives the same answer again.
      if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return null;
      if (error instanceof TypeError || error instanceof RangeError) return null;
      throw error;
    }
  }

  #path(job: number): string {
    return `${this.#dir}/${job}.json`;
  }
}
