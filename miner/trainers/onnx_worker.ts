/**
 * The worker of {@linkcode OnnxTrainer}: a run of the graph blocks its thread, so it gets one of its own.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { emitTraining, gradientName } from "../../enclave/model/onnx/gpt.ts";
import { PageBatch } from "../../enclave/model/pages.ts";
import { paramManifest } from "../../enclave/model/params.ts";
import { paramTensors } from "../../enclave/model/runtime.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { DeviceError } from "../devices.ts";
import { AdamW } from "./adamw.ts";
import type {
  GradientRequest,
  Reply,
  Request,
  StartRequest,
  Trained,
  TrainRequest,
} from "./onnx_messages.ts";
import { openTraining } from "./session.ts";

class Training {
  readonly #config: StartRequest["config"];
  readonly #session: InferenceSession;
  readonly #batch: PageBatch;
  readonly #optimiser: AdamW;
  readonly #gradient: Float32Array;
  readonly #losses: Float32Array;
  readonly #fetches: Record<string, Tensor>;

  private constructor(request: StartRequest, session: InferenceSession) {
    const { config } = request;
    const manifest = paramManifest(config);
    const rows = config.batch * config.context;
    this.#config = config;
    this.#session = session;
    this.#batch = new PageBatch(config);
    this.#optimiser = new AdamW(manifest, request.optimiser);
    this.#gradient = new Float32Array(manifest.total);
    this.#losses = new Float32Array(rows);
    // The runtime writes every output straight into these arrays.
    this.#fetches = { losses: new Tensor("float32", this.#losses, [rows]) };
    for (const [name, tensor] of Object.entries(paramTensors(manifest, this.#gradient))) {
      this.#fetches[gradientName(name)] = tensor;
    }
  }

  static async start(request: StartRequest): Promise<Training> {
    return new Training(request, await openTraining(emitTraining(request.config), request));
  }

  async train({ theta, pages, innerSteps, lr }: TrainRequest): Promise<Trained> {
    const { batch } = this.#config;
    const feeds = this.#feeds(theta);
    const losses: number[] = [];
    this.#optimiser.reset();
    for (let step = 0; step < innerSteps; step++) {
      this.#batch.fill((row) => pages[(step * batch + row) % pages.length]!);
      losses.push(await this.#run(feeds));
      this.#optimiser.step(theta, this.#gradient, lr);
    }
    return { theta, losses };
  }

  async gradient({ theta, pages }: GradientRequest): Promise<Trained> {
    this.#batch.fill((row) => pages[row % pages.length]!);
    const losses = [await this.#run(this.#feeds(theta))];
    theta.set(this.#gradient);
    return { theta, losses };
  }

  #feeds(theta: Float32Array): Record<string, Tensor> {
    return { ...paramTensors(paramManifest(this.#config), theta), ...this.#batch.tensors };
  }

  /** One pass over the batch: the mean loss; the gradient is in its array then. */
  async #run(feeds: Record<string, Tensor>): Promise<number> {
    await this.#session.run(feeds, this.#fetches);
    let sum = 0;
    for (const loss of this.#losses) sum += loss;
    return sum / this.#losses.length;
  }
}

let training: Training | undefined;

async function answer(request: Request): Promise<Reply> {
  if (request.kind === "start") {
    training = await Training.start(request);
    return { id: request.id };
  }
  if (!training) throw new Error("Cannot train before the trainer has started");
  const trained = request.kind === "train"
    ? await training.train(request)
    : await training.gradient(request);
  return { id: request.id, trained };
}

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  try {
    const reply = await answer(data);
    const theta = "trained" in reply ? reply.trained?.theta : undefined;
    self.postMessage(reply, theta ? [theta.buffer] : []);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof Refusal ? { code: error.code } : {};
    const fault = error instanceof DeviceError ? { fault: error.code } : {};
    const reply: Reply = { id: data.id, error: message, ...code, ...fault };
    self.postMessage(reply);
  }
};
