/**
 * onnxruntime with the settings that this project pins. Loading it needs exactly one permission, FFI for the folder of
 * its binding; once a session exists even that can be revoked.
 *
 * @module
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Bytes } from "../protocol/bytes.ts";
import type { Manifest } from "./params.ts";

/** How a session runs. */
export interface SessionOptions {
  /** Threads inside one operator; 0, the default, is one a core. Losses have the same bits whatever it is. */
  readonly threads?: number;
  /** Keep freed memory for the next run (faster, larger). Default true. */
  readonly arena?: boolean;
  /** Refuse a graph that declares another shape than its operators give. Default false. */
  readonly strict?: boolean;
}

/**
 * The runtime sends usage events home unless this variable is set when the first session opens. A process without
 * the permission to set it (the judge) must be started with it: `ORT_DISABLE_TELEMETRY=1`.
 */
export const TELEMETRY_OFF = "ORT_DISABLE_TELEMETRY";

function silenceTelemetry(): void {
  const env = Deno.permissions.querySync({ name: "env", variable: TELEMETRY_OFF });
  if (env.state === "granted") Deno.env.set(TELEMETRY_OFF, "1");
}

/** A session over the serialized ModelProto `graph`. */
export function openSession(graph: Bytes, options: SessionOptions = {}): Promise<InferenceSession> {
  silenceTelemetry();
  return InferenceSession.create(graph, {
    executionProviders: ["cpu"],
    executionMode: "sequential",
    // The level and the chunk size belong to the bits of the result: changing one is a change of the protocol.
    graphOptimizationLevel: "basic",
    intraOpNumThreads: options.threads ?? 0,
    interOpNumThreads: 1,
    enableCpuMemArena: options.arena ?? true,
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: {
      session: {
        intra_op: { allow_spinning: "0" },
        ...(options.strict ? { strict_shape_type_inference: "1" } : {}),
      },
    },
  });
}

/** Every parameter as a tensor over its part of θ. Nothing is copied: a later run sees later changes of θ. */
export function paramTensors(manifest: Manifest, theta: Float32Array): Record<string, Tensor> {
  if (theta.length !== manifest.total) {
    throw new RangeError(
      `Cannot run the model as 'theta' must have ${manifest.total} elements: current value has ${theta.length}`,
    );
  }
  const tensors: Record<string, Tensor> = {};
  for (const { name, shape, offset, size } of manifest.params) {
    tensors[name] = new Tensor("float32", theta.subarray(offset, offset + size), shape);
  }
  return tensors;
}
