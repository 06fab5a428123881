/**
 * A bridge to a Templar process: the methods of Templar's adapter as paths of an HTTP server beside it, in the
 * sidecar's binary frames. Weights, pages and answers name each other by hash, so that a restart or a mix-up between
 * two requests is refused.
 *
 * | path | asks with | is answered by |
 * |---|---|---|
 * | `GET /health` | | JSON: `status` `ok`, `dialects` with `templar-1`, `model`, `device`, `parameters`, `layout` if it likes |
 * | `POST /load_checkpoint` | safetensors | `base` (their SHA-256), `instance` |
 * | `POST /save_checkpoint` | | the same, and the file |
 * | `POST /train_step` | `uid window rows tokens sha256 base steps lr`, pages u32 | `loss batch base instance`, θ before − θ after, binary32 |
 * | `POST /forward_loss` | `uid window rows tokens sha256 base`, pages u32 | `loss batch base instance` |
 * | `POST /compress_gradient` | `percent sha256`, the gradient, binary32 | `gradient` (its SHA-256), the places to send, u32, ascending |
 * | `POST /apply_gradient` | `beta base sha256`, the gradient, binary32 | `base instance` |
 *
 * All but `/health` are frames of `frame.ts` both ways. After `/train_step` the weights are the base again. What is
 * sent has the gradient's own values: the process chooses places, and the miner's codec rounds.
 *
 * @module
 */
import { type Bytes, concat, toHex } from "../../enclave/protocol/bytes.ts";
import type { SparseUpdate } from "../../enclave/protocol/gradient/mod.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { readBounded } from "../../host/store/bounded.ts";
import { AdapterBase, type AdapterContext, type Batch, type StepResult } from "./adapter.ts";
import { checkedGradient } from "./checkpoint.ts";
import { bytesOf, decodeFrame, encodeFrame, floatsOf, type Frame, MAX_META } from "./frame.ts";
import { ask, askJson, type SidecarConnection, SidecarError } from "./sidecar_http.ts";

/** Where a Templar bridge listens when nobody says where. */
export const TEMPLAR_URL = "http://127.0.0.1:7080";

/** How a Templar process is found, and what it must be. */
export interface TemplarOptions {
  /** The bridge's address. Default {@linkcode TEMPLAR_URL}. */
  readonly url?: string | undefined;
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
  /** Parameters of the ledger's model; without it what the process says of itself. */
  readonly total?: number;
  /** SHA-256 of the header of the ledger's canonical checkpoint, in hex; compared where the process tells its own. */
  readonly layout?: string;
  /** Milliseconds that one request may take. Default 600,000. */
  readonly timeoutMs?: number;
}

/** Milliseconds within which `/health` must answer. */
const HEALTH_MS = 5_000;
/** Bytes that a checkpoint has besides its values, at most. */
const MAX_HEADER = 8 << 20;

const fault = (code: string, message: string) => new SidecarError(code, message);

/** `work`, whose failures name what failed. */
async function named<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof SidecarError)) throw error;
    const message = error.message.replace(/\bsidecar\b/, "Templar process");
    throw new SidecarError(error.code, message, { cause: error });
  }
}

/** A Templar process as an adapter. */
export class TemplarAdapter extends AdapterBase {
  /** See `TrainingFrameworkAdapter`. */
  readonly name = "templar";
  /** Where it trains, as the process says. */
  readonly device: string;
  readonly #connection: SidecarConnection;
  readonly #total: number;
  #base = "";
  #instance: unknown;

  private constructor(
    context: AdapterContext,
    connection: SidecarConnection,
    device: string,
    total: number,
  ) {
    super(context);
    this.#connection = connection;
    this.device = device;
    this.#total = total;
  }

  /**
   * Ask the process what it is.
   *
   * @throws {SidecarError} `unreachable`, `bad_reply` where something else answers, or `wrong_model` where it trains
   * another model than the ledger's.
   */
  static async connect(
    context: AdapterContext,
    options: TemplarOptions = {},
  ): Promise<TemplarAdapter> {
    const { token, timeoutMs = 600_000 } = options;
    const url = (options.url ?? TEMPLAR_URL).replace(/\/+$/, "");
    const first = { url, token, timeoutMs: Math.min(HEALTH_MS, timeoutMs) };
    const health = await named(askJson(first, { path: "/health" }));
    const { status, dialects, model, device, parameters, layout } = health;
    const speaks = Array.isArray(dialects) && dialects.includes("templar-1");
    if (status !== "ok" || !speaks || typeof model !== "string" || typeof device !== "string") {
      throw fault("bad_reply", `What answers at ${url} is no Templar bridge: it lacks templar-1`);
    }
    const total = options.total ?? parameters;
    const isOther = parameters !== total ||
      (options.layout !== undefined && layout !== undefined && layout !== options.layout);
    if (typeof total !== "number" || !Number.isSafeInteger(total) || total < 1 || isOther) {
      throw fault("wrong_model", `The Templar process's '${model}' is not the ledger's model`);
    }
    return new TemplarAdapter(context, { url, token, timeoutMs }, device, total);
  }

  /** See `TrainingFrameworkAdapter`; what is taken is up to the process. */
  async loadCheckpoint(bytes: Bytes): Promise<void> {
    const { meta } = await this.#frame("/load_checkpoint", encodeFrame({}, bytes), 0);
    if (meta.base !== toHex(sha256(bytes))) {
      throw fault("bad_reply", "The Templar process loaded other weights than it was sent");
    }
    this.#adopt(meta);
  }

  /** See `TrainingFrameworkAdapter`. */
  async saveCheckpoint(): Promise<Bytes> {
    const most = 4 * this.#total + MAX_HEADER;
    const { meta, data } = await this.#frame("/save_checkpoint", encodeFrame({}), most);
    if (meta.base !== toHex(sha256(data))) {
      throw fault("bad_reply", "The Templar process's checkpoint has another hash than it says");
    }
    this.#adopt(meta);
    return data.slice();
  }

  /** See `TrainingFrameworkAdapter`. The gradient is what the inner steps took off the weights. */
  async trainStep(batch: Batch): Promise<StepResult> {
    const { innerSteps: steps, lr } = this.context.settings;
    const { meta, data } = await this.#paged("/train_step", batch, { steps, lr }, 4 * this.#total);
    const gradient = checkedGradient(floatsOf(data, this.#total), this.#total);
    if (!gradient.some((value) => value !== 0)) {
      throw fault("zero", "The Templar process's gradient is zero everywhere");
    }
    return { gradient, loss: lossOf(meta) };
  }

  /** See `TrainingFrameworkAdapter`. */
  async forwardLoss(batch: Batch): Promise<number> {
    return lossOf((await this.#paged("/forward_loss", batch, {}, 0)).meta);
  }

  /** See `TrainingFrameworkAdapter`: the process chooses places, in its own blocks. */
  async compressGradient(raw: Float32Array): Promise<SparseUpdate> {
    const total = this.#total;
    const data = bytesOf(checkedGradient(raw, total));
    const digest = toHex(sha256(data));
    const { percent } = this.context.settings;
    const request = encodeFrame({ percent, sha256: digest }, data);
    const { meta, data: chosen } = await this.#frame("/compress_gradient", request, 4 * total);
    if (meta.gradient !== digest || chosen.length % 4 !== 0) {
      throw fault("bad_reply", "The Templar process compressed another gradient than it was sent");
    }
    const indices = new Uint32Array(chosen.slice().buffer);
    if (!indices.every((index, j) => index < total && (j === 0 || index > indices[j - 1]!))) {
      throw fault("bad_reply", "The Templar process's places do not ascend within the model");
    }
    return { total, indices, values: Float32Array.from(indices, (index) => raw[index]!) };
  }

  /** See `TrainingFrameworkAdapter`. */
  override async applyGradient(gradient: Float32Array, beta: number): Promise<void> {
    const data = bytesOf(checkedGradient(gradient, this.#total));
    const meta = { beta, base: this.#base, sha256: toHex(sha256(data)) };
    this.#adopt((await this.#frame("/apply_gradient", encodeFrame(meta, data), 0)).meta);
  }

  #adopt({ base, instance }: Frame["meta"]): void {
    this.#base = String(base);
    this.#instance = instance;
  }

  /** Ask about `pages` on the weights that are loaded; the answer must be about both. */
  async #paged(path: string, batch: Batch, more: object, most: number): Promise<Frame> {
    const { uid, window, pages } = batch;
    const data = concat(...pages.map(bytesOf));
    const digest = toHex(sha256(data));
    const shape = { rows: pages.length, tokens: pages[0]?.length ?? 0 };
    const meta = { uid, window, ...shape, sha256: digest, base: this.#base, ...more };
    const frame = await this.#frame(path, encodeFrame(meta, data), most);
    if (frame.meta.batch !== digest) {
      throw fault("wrong_batch", "The Templar process answered for other pages than it was sent");
    }
    if (frame.meta.base !== this.#base || frame.meta.instance !== this.#instance) {
      throw fault("wrong_base", "The Templar process answered for other weights than were loaded");
    }
    return frame;
  }

  #frame(path: string, body: Bytes, most: number): Promise<Frame> {
    const request = { path, body, binary: true };
    return named(ask(this.#connection, request, async (chunks, said) => {
      return decodeFrame(await readBounded(chunks, 4 + MAX_META + most, said));
    }));
  }
}

function lossOf({ loss }: Frame["meta"]): number {
  if (typeof loss === "number" && Number.isFinite(loss)) return loss;
  throw fault("non_finite", "The Templar process's loss is not a finite number");
}
