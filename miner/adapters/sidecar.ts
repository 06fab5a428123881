/**
 * A trainer in another process, over HTTP: the seed's JSON as every existing sidecar speaks it, or the binary
 * dialect where the sidecar's `/health` offers it, in which weights, pages and answers name each other by hash.
 *
 * In the seed's dialect the sidecar draws its own data from (uid, window), and a restart between two requests
 * cannot be seen. In the binary one it is refused.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { SparseUpdate } from "../../enclave/protocol/gradient/mod.ts";
import { countOf, topK } from "../compress/topk.ts";
import { AdapterBase, type AdapterContext, type Batch, type StepResult } from "./adapter.ts";
import { checkedGradient } from "./checkpoint.ts";
import { floatsOf } from "./frame.ts";
import { checkpointBytes, FramedTrainer, lossOf } from "./framed.ts";
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
/** What is asked, for errors. */
const WHO = "sidecar";

async function find({ url, token, timeoutMs }: SidecarOptions) {
  const tried = url === undefined ? SIDECAR_URLS : [url.replace(/\/+$/, "")];
  for (const at of tried) {
    const connection = {
      who: WHO,
      url: at,
      token,
      timeoutMs: Math.min(HEALTH_MS, timeoutMs ?? HEALTH_MS),
    };
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
  readonly #framed: FramedTrainer;
  readonly #total: number;

  private constructor(
    context: AdapterContext,
    connection: SidecarConnection,
    dialect: "json" | "binary",
    device: string,
    total: number,
  ) {
    super(context);
    this.#connection = connection;
    this.#framed = new FramedTrainer(connection, total);
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
    if (this.dialect === "binary") return await this.#framed.load(bytes, bytes);
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
    await this.#framed.apply(gradient, beta);
  }

  /** See `TrainingFrameworkAdapter`. */
  async saveCheckpoint(): Promise<Bytes> {
    if (this.dialect === "binary") return await this.#framed.save();
    const { data } = await askJson(
      this.#connection,
      { path: "/save_checkpoint", body: {} },
      Math.min(2 * checkpointBytes(this.#total), MAX_TEXT),
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
      ? (await this.#framed.askAbout("/forward_loss", batch, {}, 0)).meta
      : await askJson(
        this.#connection,
        { path: "/forward_loss", body: { uid: batch.uid, window: batch.window } },
      );
    return lossOf(WHO, loss);
  }

  async #trainBinary(batch: Batch): Promise<StepResult> {
    const { innerSteps: steps, lr } = this.context.settings;
    const more = { steps, lr };
    const { meta, data } = await this.#framed.askAbout("/train", batch, more, 4 * this.#total);
    return { gradient: floatsOf(data, this.#total), loss: lossOf(WHO, meta.loss) };
  }
}
