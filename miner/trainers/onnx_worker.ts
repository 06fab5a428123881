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
import { openSession, paramTensors } from "../../enclave/model/runtime.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { AdamW } from "./adamw.ts";
import type { Reply, Request, StartRequest, Trained, TrainRequest } from "./onnx_messages.ts";

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
    const { config, threads, arena } = request;
    return new Training(request, await openSession(emitTraining(config), { threads, arena }));
  }

  async train({ theta, pages, innerSteps, lr }: TrainRequest): Promise<Trained> {
    const { batch } = this.#config;
    const weights = paramTensors(paramManifest(this.#config), theta);
    const feeds = { ...weights, ...this.#batch.tensors };
    const losses: number[] = [];
    this.#optimiser.reset();
    for (let step = 0; step < innerSteps; step++) {
      this.#batch.fill((row) => pages[(step * batch + row) % pages.length]!);
      await this.#session.run(feeds, this.#fetches);
      let sum = 0;
      for (const loss of this.#losses) sum += loss;
      losses.push(sum / this.#losses.length);
      this.#optimiser.step(theta, this.#gradient, lr);
    }
    return { theta, losses };
  }
}

let training: Training | undefined;

async function answer(request: Request): Promise<Reply> {
  if (request.kind === "start") {
    training = await Training.start(request);
    return { id: request.id };
  }
  if (!training) throw new Error("Cannot train before the trainer has started");
  return { id: request.id, trained: await training.train(request) };
}

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  try {
    const reply = await answer(data);
    const theta = "trained" in reply ? reply.trained?.theta : undefined;
    self.postMessage(reply, theta ? [theta.buffer] : []);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof Refusal ? { code: error.code } : {};
    const reply: Reply = { id: data.id, error: message, ...code };
    self.postMessage(reply);
  }
};
