/**
 * An adapter of your own: a TypeScript module whose default export makes it, run in a worker that may read its own
 * file and this project's code, and nothing else: no network, no environment, no other files, no processes.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { SparseUpdate } from "../../enclave/protocol/gradient/mod.ts";
import { AdapterBase, type AdapterContext, type Batch, type StepResult } from "./adapter.ts";
import type { Answer, Call, Method } from "./custom_messages.ts";

/** What a custom adapter may do besides, and how long it may take. */
export interface CustomOptions {
  /** Further files and folders that it may read. */
  readonly read?: readonly string[];
  /** Milliseconds that one call may take. Default 600,000. */
  readonly timeoutMs?: number;
}

/** A custom adapter that failed, answered nonsense or did not answer: one line, with its module's name. */
export class CustomAdapterError extends Error {
  /** Its worker has ended, or would say the same again. */
  readonly retryable = false;

  /** The failure of the module at `url`. */
  constructor(url: URL, why: string) {
    super(`The trainer ${url.pathname.split("/").at(-1)}: ${why.split("\n")[0]!.slice(0, 300)}`);
    this.name = "CustomAdapterError";
  }
}

/** Code of ours that an adapter imports. */
const OURS = ["../../miner/", "../../enclave/protocol/", "../../enclave/model/"];

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The module's adapter, behind its worker. One that has ended is started again by the next checkpoint. */
export class CustomAdapter extends AdapterBase {
  readonly #url: URL;
  readonly #read: readonly (string | URL)[];
  readonly #timeoutMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker;
  #next = 0;
  #name = "";
  #failure: CustomAdapterError | undefined;
  #closed = false;

  private constructor(context: AdapterContext, url: URL, options: CustomOptions) {
    super(context);
    this.#url = url;
    this.#timeoutMs = options.timeoutMs ?? 600_000;
    const ours = OURS.map((path) => new URL(path, import.meta.url));
    this.#read = [url, ...ours, ...options.read ?? []];
    this.#worker = this.#spawn();
  }

  #spawn(): Worker {
    const worker = new Worker(new URL("./custom_worker.ts", import.meta.url), {
      type: "module",
      deno: { permissions: { read: [...this.#read] } },
    });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ("error" in data) waiting?.reject(new CustomAdapterError(this.#url, data.error));
      else waiting?.resolve(data.value);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#fail(event.message);
    };
    return worker;
  }

  /**
   * Load the module at `url`, a file, and have it make its adapter.
   *
   * @throws {CustomAdapterError}
   */
  static async start(
    context: AdapterContext,
    url: URL,
    options: CustomOptions = {},
  ): Promise<CustomAdapter> {
    const adapter = new CustomAdapter(context, url, options);
    try {
      await adapter.#make();
      return adapter;
    } catch (error) {
      await adapter[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The name that the module's adapter gives itself. */
  get name(): string {
    return this.#name;
  }

  async #make(): Promise<void> {
    const name = await this.#call("start", this.#url.href, this.context.settings);
    if (typeof name !== "string") {
      throw new CustomAdapterError(this.#url, "its adapter has no name");
    }
    this.#name = name;
  }

  /** See `TrainingFrameworkAdapter`. */
  async loadCheckpoint(bytes: Bytes): Promise<void> {
    if (this.#failure !== undefined && !this.#closed) {
      this.#failure = undefined;
      this.#worker = this.#spawn();
      await this.#make();
    }
    await this.#call("loadCheckpoint", bytes);
  }

  /** See `TrainingFrameworkAdapter`. */
  async trainStep(batch: Batch): Promise<StepResult> {
    const step = await this.#call("trainStep", batch) as Partial<StepResult> | null;
    const { gradient, loss } = step ?? {};
    if (gradient instanceof Float32Array && Number.isFinite(loss)) return { gradient, loss: loss! };
    throw new CustomAdapterError(this.#url, "its step gave no gradient with a finite loss");
  }

  /** See `TrainingFrameworkAdapter`. */
  async compressGradient(raw: Float32Array): Promise<SparseUpdate> {
    const sparse = await this.#call("compressGradient", raw) as Partial<SparseUpdate> | null;
    const { total, indices, values } = sparse ?? {};
    if (
      total === raw.length && indices instanceof Uint32Array && values instanceof Float32Array
    ) return { total, indices, values };
    throw new CustomAdapterError(this.#url, "its compression gave no sparse update");
  }

  /** See `TrainingFrameworkAdapter`. */
  override async applyGradient(gradient: Float32Array, beta: number): Promise<void> {
    await this.#call("applyGradient", gradient, beta);
  }

  /** See `TrainingFrameworkAdapter`. */
  async saveCheckpoint(): Promise<Bytes> {
    const bytes = await this.#call("saveCheckpoint");
    if (bytes instanceof Uint8Array) return bytes as Bytes;
    throw new CustomAdapterError(this.#url, "its checkpoint is no byte array");
  }

  /** See `TrainingFrameworkAdapter`. */
  async forwardLoss(batch: Batch): Promise<number> {
    const loss = await this.#call("forwardLoss", batch);
    if (typeof loss === "number" && Number.isFinite(loss)) return loss;
    throw new CustomAdapterError(this.#url, "its loss is no finite number");
  }

  /** Ends the worker; what is still waiting is rejected. */
  override [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#fail("it was closed");
    return Promise.resolve();
  }

  #fail(why: string): void {
    this.#failure ??= new CustomAdapterError(this.#url, why);
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }

  #call(method: Method, ...args: readonly unknown[]): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    const why = `it did not finish ${method} within ${this.#timeoutMs / 1000} s`;
    const timer = setTimeout(() => this.#fail(why), this.#timeoutMs);
    const call: Call = { id, method, args };
    this.#worker.postMessage(call);
    return promise.finally(() => clearTimeout(timer));
  }
}
