import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { GpusFound } from "../../tests/support/gpu_process.ts";
import { findSwiftShader } from "../../tests/support/swiftshader.ts";
import { listDevices } from "../devices.ts";

const SCRIPT = new URL("../../tests/support/gpu_process.ts", import.meta.url);

async function found(env: Readonly<Record<string, string>>): Promise<GpusFound> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", decodeURIComponent(SCRIPT.pathname)],
    env,
  }).output();
  ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

const swiftShader = await findSwiftShader();

Deno.test({
  name: "OnnxTrainer, WebGPU: loss and gradient are the CPU's within 1e-6 (needs SwiftShader)",
  ignore: swiftShader === undefined,
  async fn() {
    const { auto, devices } = await found(swiftShader!);
    const webgpu = devices.find(({ device }) => device === "webgpu")!;
    match(webgpu.name, /SwiftShader/);
    ok(webgpu.software);
    const off = Object.entries(webgpu.differences).filter(([, [most]]) => !(most <= 1e-6));
    deepEqual(off, []);
    // Another processor rounds in other places: no difference at all would mean that the CPU did the work.
    ok(Object.values(webgpu.differences).some(([most]) => most > 0));
    const { losses } = webgpu;
    ok(losses[2]! < losses[0]!, `${losses}`);
    ok(!auto.startsWith("Trains on webgpu"), auto);
    if (devices.length === 1) match(auto, /^Trains on cpu \(.*SwiftShader.* is software/);
  },
});

// This process may have loaded another onnxruntime than CUDA's; the one that is started will not.
const real = (await listDevices()).some(({ device, error, software }) =>
  device.kind !== "cpu" && !software &&
  (error === undefined || error.code === "cuda_not_preloaded")
);

Deno.test({
  name: "OnnxTrainer: every GPU of this machine passes the suite (needs a GPU)",
  ignore: !real,
  async fn() {
    const { auto, devices } = await found({});
    const gpus = devices.filter(({ software }) => !software);
    ok(gpus.length > 0, auto);
    equal(gpus.some(({ device }) => auto.startsWith(`Trains on ${device}`)), true, auto);
    for (const { device, differences, faults, losses } of gpus) {
      deepEqual(faults, [], device);
      ok(losses[2]! < losses[0]!, `${device}: ${losses}`);
      // A GPU may multiply with 10 bits of mantissa (TF32): enough to train with.
      const off = Object.entries(differences).filter(([, [most, largest]]) =>
        !(most <= 1e-2 * largest)
      );
      deepEqual(off, [], device);
    }
  },
});
