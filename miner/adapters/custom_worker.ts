/**
 * The worker in which a custom adapter runs, with the permissions that its owner gave it.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import type { AdapterContext, BatchSource, TrainingFrameworkAdapter } from "./adapter.ts";
import type { Answer, Call, StartArgs } from "./custom_messages.ts";

/** Batches are handed over with every call: the adapter's own `getAssignedBatch` is not asked. */
const HANDED_OVER: BatchSource = {
  assigned: () => Promise.reject(new Error("Batches are handed over")),
  random: () => Promise.reject(new Error("Batches are handed over")),
};

let adapter: TrainingFrameworkAdapter | undefined;

async function start([url, settings]: StartArgs): Promise<string> {
  const module: Record<string, unknown> = await import(url);
  const create = module.default;
  if (typeof create !== "function") {
    throw new TypeError("Cannot start: the module's default export is no function");
  }
  const context: AdapterContext = { batches: HANDED_OVER, settings };
  adapter = await create(context) as TrainingFrameworkAdapter;
  return adapter.name;
}

async function call({ method, args }: Call): Promise<unknown> {
  if (method === "start") return await start(args as StartArgs);
  if (adapter === undefined) throw new Error("Cannot train before the adapter has started");
  const run = adapter[method] as (...args: readonly unknown[]) => unknown;
  return await run.apply(adapter, [...args]);
}

self.onmessage = async ({ data }: MessageEvent<Call>) => {
  let answer: Answer;
  try {
    answer = { id: data.id, value: await call(data) };
  } catch (error) {
    answer = { id: data.id, error: error instanceof Error ? error.message : String(error) };
  }
  self.postMessage(answer);
};
