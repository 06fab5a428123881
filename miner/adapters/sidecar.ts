/**
 * A trainer in another process, over HTTP: the seed's JSON as every existing sidecar speaks it, or the binary
 * dialect where the sidecar's `/health` offers it, in which weights, pages and answers name each other by hash.
 *
 * In the seed's dialect the sidecar draws its own data from (uid, window), and a restart between two requests
 * cannot be seen. In the binary one it is refused.
 *
 * @module
 */
import { type Bytes, concat, toHex } from "../../enclave/protocol/bytes.ts";
import type { SparseUpdate } from "../../enclave/protocol/gradient/mod.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { readBounded } from "../../host/store/bounded.ts";
import { countOf, topK } from "../compress/topk.ts";
import { AdapterBase, type AdapterContext, type Batch, type StepResult } from "./adapter.ts";
import { checkedGradient } from "./checkpoint.ts";
import { bytesOf, decodeFrame, encodeFrame, floatsOf, type Frame, MAX_META } from "./frame.ts";
import { readJsonGradient } from "./json_gradient.ts";
import {
  ask,
  askJson,
  SIDECAR_URLS,
  type SidecarConnection,
  SidecarError,
} from "./sidecar_http.ts";

/** How a sidecar is found, and what it must be. */
export interface SidecarOptions {
  /** Its address; without it the first of {@linkcode SIDECAR_URLS} that answers. */
  readonly url?: string | undefined;
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
  /** Parameters of the ledger's model; without it what the sidecar says of itself. */
  readonly total?: number;
  /** SHA-256 of the header of the ledger's canonical checkpoint, in hex; compared where the sidecar tells its own. */
  readonly layout?: string;
  /** Milliseconds that one request may take. Default 600,000, as the seed's client has it. */
  readonly timeoutMs?: number;
  /** Speak the seed's dialect even where the other is offered. */
  readonly jsonOnly?: boolean;
}

/** Milliseconds within which `/health` must answer. */
const HEALTH_MS = 5_000;
/** Longest text that JSON is parsed from. */
const MAX_TEXT = 500_000_000;
/** Bytes that a checkpoint has besides its values, at most. */
const MAX_HEADER = 8 << 20;

async function find({ url, token, timeoutMs }: SidecarOptions) {
  const tried = url === undefined ? SIDECAR_URLS : [url.replace(/\/+$/, "")];
  for (const at of tried) {
    const connection = { url: at, token, timeoutMs: Math.min(HEALTH_MS, timeoutMs ?? HEALTH_MS) };
    try {
      const health = await askJson(connection, { path: "/health" });
      return { health, connection: { ...connection, timeoutMs: timeoutMs ?? 600_000 } };
    } catch (error) {
      if (!(error instanceof SidecarError && error.code === "unreachable")) throw error;
    }
  }
  throw new SidecarError("unreachable", `No sidecar answers at ${tried.join(" or ")}`);
}

/** A sidecar as an adapter. */
export class SidecarAdapter extends AdapterBase {
  /** See `TrainingFrameworkAdapter`. */
  readonly name = "sidecar";
  /** What is spoken. */
  readonly dialect: "json" | "binary";
  /** Where it trains, as the sidecar says. */
  readonly device: string;
  readonly #connection: SidecarConnection;
  readonly #total: number;
  #base = "";
  #instance: unknown;

  private constructor(
    context: AdapterContext,
    connection: SidecarConnection,
    dialect: "json" | "binary",
    device: string,
    total: number,
  ) {
    super(context);
    this.#connection = connection;
    this.dialect = dialect;
    this.device = device;
    this.#total = total;
  }

  /**
   * Find the sidecar and ask what it is.
   *
   * @throws {SidecarError} `unreachable`, or `wrong_model` where it trains another model than the ledger's.
   */
  static async connect(
    context: AdapterContext,
    options: SidecarOptions = {},
  ): Promise<SidecarAdapter> {
    const { health, connection } = await find(options);
    const { status, model, device, dialects, parameters, layout } = health;
    if (status !== "ok" || typeof model !== "string" || typeof device !== "string") {
      throw new SidecarError("bad_reply", `What answers at ${connection.url} is no sidecar`);
    }
    const total = options.total ?? parameters;
    if (typeof total !== "number" || !Number.isSafeInteger(total) || total < 1) {
      throw new SidecarError("wrong_model", `The sidecar does not say how large '${model}' is`);
    }
    const isOther = (parameters !== undefined && parameters !== total) ||
      (options.layout !== undefined && layout !== undefined && layout !== options.layout);
    if (isOther) {
      throw new SidecarError(
        "wrong_model",
        `The sidecar's '${model}' is not the ledger's model: start it with the network's preset, ` +
          "--model vramhub:NAME, or with its package, --package DIR",
      );
    }
    const isBinary = Array.isArray(dialects) && dialects.includes("binary-1");
    const dialect = isBinary && options.jsonOnly !== true ? "binary" : "json";
    return new SidecarAdapter(context, connection, dialect, device, total);
  }

  /** See `TrainingFrameworkAdapter`; what is taken is up to the sidecar. */
  async loadCheckpoint(bytes: Bytes): Promise<void> {
    if (this.dialect === "binary") {
      const { meta } = await this.#frame("/load_checkpoint", bytes, 0);
      if (meta.base !== toHex(sha256(bytes))) {
        throw new SidecarError("bad_reply", "The sidecar loaded other weights than it was sent");
      }
      this.#adopt(meta);
      return;
    }
    const body = { data: bytes.toBase64() };
    const { ok } = await askJson(this.#connection, { path: "/load_checkpoint", body });
    if (ok !== true) throw new SidecarError("bad_reply", "The sidecar did not load the checkpoint");
  }

  /** See `TrainingFrameworkAdapter`. In the seed's dialect one step is taken, and moves the weights. */
  async trainStep(batch: Batch): Promise<StepResult> {
    const { gradient, loss } = this.dialect === "binary"
      ? await this.#trainBinary(batch)
      : await ask(
        this.#connection,
        { path: "/train", body: { uid: batch.uid, window: batch.window } },
        (chunks) => readJsonGradient(chunks, this.#total),
      );
    if (!gradient.some((value) => value !== 0)) {
      throw new SidecarError("zero", "The sidecar's gradient is zero everywhere");
    }
    return { gradient: checkedGradient(gradient, this.#total), loss };
  }

  /** See `TrainingFrameworkAdapter`. */
  compressGradient(raw: Float32Array): SparseUpdate {
    return topK(raw, countOf(raw.length, this.context.settings.percent));
  }

  /** See `TrainingFrameworkAdapter`: at the sidecar in the binary dialect, through a checkpoint in the seed's. */
  override async applyGradient(gradient: Float32Array, beta: number): Promise<void> {
    checkedGradient(gradient, this.#total);
    if (this.dialect === "json") return await super.applyGradient(gradient, beta);
    const data = bytesOf(gradient);
    const meta = { beta, base: this.#base, sha256: toHex(sha256(data)) };
    this.#adopt((await this.#frame("/apply_gradient", encodeFrame(meta, data), 0)).meta);
  }

  /** See `TrainingFrameworkAdapter`. */
  async saveCheckpoint(): Promise<Bytes> {
    const most = 4 * this.#total + MAX_HEADER;
    if (this.dialect === "binary") {
      const { meta, data } = await this.#frame("/save_checkpoint", encodeFrame({}), most);
      if (meta.base !== toHex(sha256(data))) {
        throw new SidecarError(
          "bad_reply",
          "The sidecar's checkpoint has another hash than it says",
        );
      }
      this.#adopt(meta);
      return data.slice();
    }
    const { data } = await askJson(
      this.#connection,
      { path: "/save_checkpoint", body: {} },
      Math.min(2 * most, MAX_TEXT),
    );
    try {
      return Uint8Array.fromBase64(data as string);
    } catch {
      throw new SidecarError("bad_reply", "The sidecar's checkpoint is not base64");
    }
  }

  /** See `TrainingFrameworkAdapter`. */
  async forwardLoss(batch: Batch): Promise<number> {
    const { loss } = this.dialect === "binary"
      ? (await this.#paged("/forward_loss", batch, {}, 0)).meta
      : await askJson(
        this.#connection,
        { path: "/forward_loss", body: { uid: batch.uid, window: batch.window } },
      );
    return this.#loss(loss);
  }

  async #trainBinary(batch: Batch): Promise<StepResult> {
    const { innerSteps: steps, lr } = this.context.settings;
    const { meta, data } = await this.#paged("/train", batch, { steps, lr }, 4 * this.#total);
    return { gradient: floatsOf(data, this.#total), loss: this.#loss(meta.loss) };
  }

  #loss(loss: unknown): number {
    if (typeof loss === "number" && Number.isFinite(loss)) return loss;
    throw new SidecarError("non_finite", "The sidecar's loss is not a finite number");
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
      throw new SidecarError(
        "wrong_batch",
        "The sidecar answered for other pages than it was sent",
      );
    }
    if (frame.meta.base !== this.#base || frame.meta.instance !== this.#instance) {
      throw new SidecarError(
        "wrong_base",
        "The sidecar answered for other weights than were loaded",
      );
    }
    return frame;
  }

  #frame(path: string, body: Bytes, most: number): Promise<Frame> {
    return ask(this.#connection, { path, body, binary: true }, async (chunks, said) => {
      return decodeFrame(await readBounded(chunks, 4 + MAX_META + most, said));
    });
  }
}
