/**
 * What compression has left out so far, kept across restarts: one file beside the miner's journal, replaced as a whole
 * in every window. A file that does not fit is dropped: the next window starts from zeros, as the first one did.
 *
 * Bytes: `VRAMres1`, SHA-256 of the rest, SHA-256 of the model's checkpoint header, u64le window, float32 values.
 *
 * @module
 */
import { type Bytes, equal, u64le, utf8 } from "../enclave/protocol/bytes.ts";
import { sha256 } from "../enclave/protocol/hash.ts";
import type { Log } from "../host/ledger/log.ts";

const TARGET = "vramhub_miner";
const MAGIC = utf8("VRAMres1");
const HEAD = 8 + 32 + 32 + 8;
/** Windows after which what was left out says nothing about the weights any more. */
const MAX_AGE = 32;

/** The residual of one miner. */
export class ResidualFile {
  readonly #path: string;
  readonly #layout: Bytes;
  readonly #total: number;
  readonly #log: Log;

  /** At `path`, of the model whose checkpoints begin with `header` and have `total` values. */
  constructor(path: string, header: Bytes, total: number, log: Log) {
    this.#path = path;
    this.#layout = sha256(header);
    this.#total = total;
    this.#log = log;
  }

  /** What was kept for `window`, or undefined where there is none that fits: then one line says why. */
  async load(window: number): Promise<Float32Array<ArrayBuffer> | undefined> {
    try {
      return await this.#read(window);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      const why = error instanceof Error ? error.message : String(error);
      this.#log("warn", TARGET, "Residual dropped", { file: this.#path, reason: why });
      return undefined;
    }
  }

  /** Keep `residual` as it is after `window`. A disk that fails costs the residual, not the window. */
  async save(window: number, residual: Float32Array<ArrayBuffer>): Promise<void> {
    const values = new Uint8Array(residual.buffer, residual.byteOffset, residual.byteLength);
    const about = [this.#layout, u64le(window)] as const;
    const draft = `${this.#path}.draft`;
    try {
      using file = await Deno.open(draft, {
        write: true,
        create: true,
        truncate: true,
        mode: 0o600,
      });
      for (const part of [MAGIC, sha256(...about, values), ...about, values]) {
        for (let at = 0; at < part.length;) at += await file.write(part.subarray(at));
      }
      await file.sync();
      await Deno.rename(draft, this.#path);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log("warn", TARGET, "Residual not kept", { file: this.#path, reason: why });
    }
  }

  async #read(window: number): Promise<Float32Array<ArrayBuffer>> {
    const { size } = await Deno.stat(this.#path);
    const wanted = HEAD + 4 * this.#total;
    if (size !== wanted) throw new RangeError(`it has ${size} bytes and not ${wanted}`);
    const bytes = await Deno.readFile(this.#path);
    const [magic, hash, rest] = [bytes.subarray(0, 8), bytes.subarray(8, 40), bytes.subarray(40)];
    if (!equal(magic, MAGIC)) throw new RangeError("it is no residual");
    if (!equal(hash, sha256(rest))) throw new RangeError("it is damaged");
    if (!equal(rest.subarray(0, 32), this.#layout)) throw new RangeError("it is another model's");
    const kept = Number(new DataView(bytes.buffer).getBigUint64(72, true));
    if (kept > window || window - kept > MAX_AGE) {
      throw new RangeError(`it is of window ${kept}, and this is window ${window}`);
    }
    return new Float32Array(bytes.buffer.slice(HEAD));
  }
}
