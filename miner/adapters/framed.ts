/**
 * A trainer in another process that speaks in binary frames: which weights it holds, and that its answers are about
 * those and about the pages that it was sent. A restart or a mix-up between two requests is refused.
 *
 * @module
 */
import { type Bytes, concat, toHex } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { readBounded } from "../../host/store/bounded.ts";
import type { Batch } from "./adapter.ts";
import { bytesOf, decodeFrame, encodeFrame, type Frame, MAX_META } from "./frame.ts";
import { ask, type SidecarConnection, SidecarError } from "./sidecar_http.ts";

/** Bytes that a checkpoint has besides its values, at most. */
const MAX_HEADER = 8 << 20;

/** The longest checkpoint of `total` parameters, in bytes. */
export function checkpointBytes(total: number): number {
  return 4 * total + MAX_HEADER;
}

/**
 * The loss that a trainer named `who` answered.
 *
 * @throws {SidecarError} `non_finite`
 */
export function lossOf(who: string, loss: unknown): number {
  if (typeof loss === "number" && Number.isFinite(loss)) return loss;
  throw new SidecarError("non_finite", `The ${who}'s loss is not a finite number`);
}

/** The other process, and the weights that it holds. Every method throws {@linkcode SidecarError}. */
export class FramedTrainer {
  readonly #connection: SidecarConnection;
  readonly #total: number;
  #base = "";
  #instance: unknown;

  /** A trainer of `total` parameters. */
  constructor(connection: SidecarConnection, total: number) {
    this.#connection = connection;
    this.#total = total;
  }

  /** Load the checkpoint `bytes`, which `body` holds. */
  async load(bytes: Bytes, body: Bytes): Promise<void> {
    const { meta } = await this.ask("/load_checkpoint", body, 0);
    if (meta.base !== toHex(sha256(bytes))) {
      throw this.#error("bad_reply", "loaded other weights than it was sent");
    }
    this.#adopt(meta);
  }

  /** The checkpoint of its weights. */
  async save(): Promise<Bytes> {
    const most = checkpointBytes(this.#total);
    const { meta, data } = await this.ask("/save_checkpoint", encodeFrame({}), most);
    if (meta.base !== toHex(sha256(data))) {
      const { who } = this.#connection;
      const why = `The ${who}'s checkpoint has another hash than it says`;
      throw new SidecarError("bad_reply", why);
    }
    this.#adopt(meta);
    return data.slice();
  }

  /** θ ← θ − β · gradient, which has been checked. */
  async apply(gradient: Float32Array, beta: number): Promise<void> {
    const data = bytesOf(gradient);
    const meta = { beta, base: this.#base, sha256: toHex(sha256(data)) };
    this.#adopt((await this.ask("/apply_gradient", encodeFrame(meta, data), 0)).meta);
  }

  /** Ask about `batch` on the weights that are loaded; the answer must be about both. */
  async askAbout(path: string, batch: Batch, more: object, most: number): Promise<Frame> {
    const { uid, window, pages } = batch;
    const data = concat(...pages.map(bytesOf));
    const digest = toHex(sha256(data));
    const shape = { rows: pages.length, tokens: pages[0]?.length ?? 0 };
    const meta = { uid, window, ...shape, sha256: digest, base: this.#base, ...more };
    const frame = await this.ask(path, encodeFrame(meta, data), most);
    if (frame.meta.batch !== digest) {
      throw this.#error("wrong_batch", "answered for other pages than it was sent");
    }
    if (frame.meta.base !== this.#base || frame.meta.instance !== this.#instance) {
      throw this.#error("wrong_base", "answered for other weights than were loaded");
    }
    return frame;
  }

  /** Ask for a frame with at most `most` bytes of data. */
  ask(path: string, body: Bytes, most: number): Promise<Frame> {
    return ask(this.#connection, { path, body, binary: true }, async (chunks, said) => {
      return decodeFrame(await readBounded(chunks, 4 + MAX_META + most, said));
    });
  }

  #adopt({ base, instance }: Frame["meta"]): void {
    this.#base = String(base);
    this.#instance = instance;
  }

  #error(code: string, what: string): SidecarError {
    return new SidecarError(code, `The ${this.#connection.who} ${what}`);
  }
}
