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
import { type Bytes, toHex } from "../../enclave/protocol/bytes.ts";
import type { SparseUpdate } from "../../enclave/protocol/gradient/mod.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { AdapterBase, type AdapterContext, type Batch, type StepResult } from "./adapter.ts";
import { checkedGradient } from "./checkpoint.ts";
import { bytesOf, encodeFrame, floatsOf } from "./frame.ts";
import { FramedTrainer, lossOf } from "./framed.ts";
import { askJson, type SidecarConnection, SidecarError } from "./sidecar_http.ts";

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
/** What is asked, for errors. */
const WHO = "Templar process";

const fault = (code: string, message: string) => new SidecarError(code, message);

/** A Templar process as an adapter. */
export class TemplarAdapter extends AdapterBase {
  /** See `TrainingFrameworkAdapter`. */
  readonly name = "templar";
  /** Where it trains, as the process says. */
  readonly device: string;
  readonly #process: FramedTrainer;
  readonly #total: number;

  private constructor(
    context: AdapterContext,
    connection: SidecarConnection,
    device: string,
    total: number,
  ) {
    super(context);
    this.#process = new FramedTrainer(connection, total);
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
    const first = { who: WHO, url, token, timeoutMs: Math.min(HEALTH_MS, timeoutMs) };
    const health = await askJson(first, { path: "/health" });
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
    return new TemplarAdapter(context, { ...first, timeoutMs }, device, total);
  }

  /** See `TrainingFrameworkAdapter`; what is taken is up to the process. */
  loadCheckpoint(bytes: Bytes): Promise<void> {
    return this.#process.load(bytes, encodeFrame({}, bytes));
  }

  /** See `TrainingFrameworkAdapter`. */
  saveCheckpoint(): Promise<Bytes> {
    return this.#process.save();
  }

  /** See `TrainingFrameworkAdapter`. The gradient is what the inner steps took off the weights. */
  async trainStep(batch: Batch): Promise<StepResult> {
    const { innerSteps: steps, lr } = this.context.settings;
    const more = { steps, lr };
    const answer = await this.#process.askAbout("/train_step", batch, more, 4 * this.#total);
    const { meta, data } = answer;
    const gradient = checkedGradient(floatsOf(data, this.#total), this.#total);
    if (!gradient.some((value) => value !== 0)) {
      throw fault("zero", "The Templar process's gradient is zero everywhere");
    }
    return { gradient, loss: lossOf(WHO, meta.loss) };
  }

  /** See `TrainingFrameworkAdapter`. */
  async forwardLoss(batch: Batch): Promise<number> {
    const { meta } = await this.#process.askAbout("/forward_loss", batch, {}, 0);
    return lossOf(WHO, meta.loss);
  }

  /** See `TrainingFrameworkAdapter`: the process chooses places, in its own blocks. */
  async compressGradient(raw: Float32Array): Promise<SparseUpdate> {
    const total = this.#total;
    const data = bytesOf(checkedGradient(raw, total));
    const digest = toHex(sha256(data));
    const { percent } = this.context.settings;
    const request = encodeFrame({ percent, sha256: digest }, data);
    const { meta, data: chosen } = await this.#process.ask(
      "/compress_gradient",
      request,
      4 * total,
    );
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
    await this.#process.apply(checkedGradient(gradient, this.#total), beta);
  }
}
