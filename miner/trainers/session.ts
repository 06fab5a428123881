/**
 * A session over the training graph on any device. The judge's own (`enclave/model/runtime.ts`) knows the CPU only:
 * what it measures must have the same bits everywhere; what a miner trains on is its own affair.
 *
 * @module
 */
import { InferenceSession } from "onnxruntime-node";
import { openSession, type SessionOptions, TELEMETRY_OFF } from "../../enclave/model/runtime.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { loadLibraries } from "../cuda/libraries.ts";
import { type Device, DeviceError, deviceName } from "../devices.ts";

/** How {@linkcode openTraining} opens a session. */
export interface TrainingSessionOptions extends SessionOptions {
  /** Where it runs. */
  readonly device: Device;
}

/**
 * A session over the serialized ModelProto `graph` on a device. Nodes that the device's provider does not have run on
 * the CPU.
 *
 * @throws {DeviceError} where the provider cannot be had, with what the runtime says.
 */
export async function openTraining(
  graph: Bytes,
  options: TrainingSessionOptions,
): Promise<InferenceSession> {
  const { device, threads = 0, arena = true } = options;
  if (device.kind === "cpu") return await openSession(graph, { threads, arena });
  Deno.env.set(TELEMETRY_OFF, "1");
  try {
    if (device.kind === "cuda") loadLibraries();
    return await InferenceSession.create(graph, {
      executionProviders: [
        device.kind === "cuda" ? { name: "cuda", deviceId: device.index } : { name: "webgpu" },
      ],
      executionMode: "sequential",
      graphOptimizationLevel: "basic",
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      enableCpuMemArena: arena,
      enableMemPattern: false,
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    });
  } catch (error) {
    throw new DeviceError(
      device.kind === "cuda" ? "cuda_session" : "webgpu_session",
      `Cannot train on ${deviceName(device)}: ${pointOf(error)}`,
    );
  }
}

/** What an error of the runtime comes to: before it, its text names lines of its sources. */
function pointOf(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).trim();
  const cuda = /CUDA failure \d+: [^;]+(?= ;)/.exec(text)?.[0];
  return cuda ?? text.replace(/^[\s\S]* was false\. /, "").split("\n").at(-1)!;
}
