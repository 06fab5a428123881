import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import {
  chooseDevice,
  DeviceError,
  type DeviceFault,
  deviceName,
  listDevices,
  openOn,
  parseDevice,
  type Probes,
} from "./devices.ts";

const H100 = { index: 0, name: "NVIDIA H100 80GB HBM3", memory: 80 * 2 ** 30 };
/** A machine with two GPUs and all that CUDA needs. */
const machine: Probes = {
  platform: { os: "linux", arch: "x86_64" },
  driver: () => ({ cuda: 13_000, gpus: [H100, { ...H100, index: 1 }] }),
  libraries: () => [],
  strange: () => undefined,
  adapter: () => Promise.resolve({ name: "NVIDIA H100 80GB HBM3", software: false }),
};
const laptop: Probes = {
  ...machine,
  driver: () => undefined,
  adapter: () => Promise.resolve({ name: "Iris Xe", software: false }),
};
const server: Probes = {
  ...laptop,
  adapter: () => Promise.resolve({ name: "SwiftShader Device (Subzero)", software: true }),
};
const nothing: Probes = { ...laptop, adapter: () => Promise.resolve(undefined) };

Deno.test("parseDevice: reads every device's word, and refuses others", () => {
  equal(parseDevice("auto"), "auto");
  deepEqual(parseDevice("cuda"), { kind: "cuda", index: 0 });
  for (const text of ["cpu", "webgpu", "cuda:0", "cuda:1", "cuda:15"]) {
    equal(deviceName(parseDevice(text) as Exclude<ReturnType<typeof parseDevice>, "auto">), text);
  }
  for (const text of ["", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:01", "cuda:100", "webgpu:0"]) {
    throws(() => parseDevice(text), RangeError, text);
  }
});

Deno.test("chooseDevice: auto takes CUDA before WebGPU on a real GPU before the CPU, and says why", async () => {
  const chosen = async (probes: Probes) => {
    const { device, why } = await chooseDevice("auto", probes);
    return [deviceName(device), why];
  };
  deepEqual(await chosen(machine), [
    "cuda:0",
    "Trains on cuda:0, NVIDIA H100 80GB HBM3, 80 GiB",
  ]);
  deepEqual(await chosen(laptop), [
    "webgpu",
    "Trains on webgpu, Iris Xe (CUDA: libcuda.so.1 is not found: install NVIDIA's driver, 580 or newer)",
  ]);
  deepEqual((await chosen(nothing))[0], "cpu");
});

Deno.test("chooseDevice: a software Vulkan is taken where it is asked for, and never by auto", async () => {
  const { device, why } = await chooseDevice("auto", server);
  equal(deviceName(device), "cpu");
  equal(
    why,
    "Trains on cpu (CUDA: libcuda.so.1 is not found: install NVIDIA's driver, 580 or newer; " +
      "WebGPU: SwiftShader Device (Subzero) is software, slower than the CPU provider)",
  );
  const asked = await chooseDevice({ kind: "webgpu" }, server);
  equal(asked.why, "Trains on webgpu, SwiftShader Device (Subzero), as asked");
});

Deno.test("chooseDevice: what is missing is said by its name, with what to do", async () => {
  const cases: [Partial<Probes>, DeviceFault, string][] = [
    [
      { platform: { os: "darwin", arch: "aarch64" } },
      "cuda_platform",
      "in process it is for linux on x86_64 only, this is darwin on aarch64",
    ],
    [
      { driver: () => undefined },
      "cuda_driver_missing",
      "libcuda.so.1 is not found: install NVIDIA's driver, 580 or newer",
    ],
    [
      { driver: () => ({ cuda: 13_000, gpus: [] }) },
      "cuda_gpu_missing",
      "NVIDIA's driver shows no GPU",
    ],
    [
      { driver: () => ({ cuda: 12_040, gpus: [H100] }) },
      "cuda_driver_old",
      "NVIDIA's driver is for CUDA 12.4: install 580 or newer, for CUDA 13",
    ],
    [
      { libraries: () => ["libcudart.so.13"] },
      "cuda_library_missing",
      "libcudart.so.13 is not found: deno task miner cuda:install",
    ],
    [
      { libraries: () => ["libcudart.so.13", "libcublas.so.13"] },
      "cuda_library_missing",
      "libcudart.so.13, libcublas.so.13 are not found: deno task miner cuda:install",
    ],
    [
      { strange: () => "/elsewhere/libonnxruntime.so.1" },
      "cuda_not_preloaded",
      "this process has loaded /elsewhere/libonnxruntime.so.1, which has no CUDA provider beside it: " +
      "import miner/cuda/preload.ts first",
    ],
  ];
  for (const [lack, code, message] of cases) {
    await rejects(chooseDevice({ kind: "cuda", index: 0 }, { ...machine, ...lack }), {
      name: "DeviceError",
      code,
      message: `Cannot train on CUDA: ${message}`,
    });
  }
  await rejects(chooseDevice({ kind: "webgpu" }, nothing), {
    code: "webgpu_missing",
    message:
      "Cannot train on WebGPU: there is no adapter: install libvulkan.so.1 and the GPU's Vulkan driver",
  });
});

Deno.test("chooseDevice: a GPU by its number, among those there are", async () => {
  const { device, why } = await chooseDevice({ kind: "cuda", index: 1 }, machine);
  deepEqual(device, { kind: "cuda", index: 1 });
  equal(why, "Trains on cuda:1, NVIDIA H100 80GB HBM3, 80 GiB, as asked");
  await rejects(
    chooseDevice({ kind: "cuda", index: 2 }, machine),
    (error: DeviceError) =>
      error.code === "cuda_gpu_missing" && /^Cannot train on cuda:2: .*cuda:1/.test(error.message),
  );
});

Deno.test("openOn: auto passes over a GPU that shows itself and does not work; a wanted one is an error", async () => {
  const open = ({ kind }: { readonly kind: string }) =>
    kind === "cuda"
      ? Promise.reject(new DeviceError("cuda_session", "Cannot train on cuda:0: CUDA failure 36"))
      : Promise.resolve(`on ${kind}`);
  const { device, opened, why } = await openOn("auto", open, machine);
  deepEqual([deviceName(device), opened], ["webgpu", "on webgpu"]);
  equal(
    why,
    "Trains on webgpu, NVIDIA H100 80GB HBM3 (cuda:0: CUDA failure 36; cuda:1: CUDA failure 36)",
  );
  await rejects(openOn({ kind: "cuda", index: 1 }, open, machine), DeviceError);
  await rejects(
    openOn("auto", () => Promise.reject(new RangeError("x")), machine),
    RangeError,
    "another error is no reason to go on",
  );
});

Deno.test("listDevices: this machine, whatever it is, has a CPU, and every lack has its reason", async () => {
  const findings = await listDevices();
  equal(findings.at(-1)!.device.kind, "cpu");
  for (const { device, name, error } of findings) {
    equal(device.kind === "cpu" || (name === undefined) !== (error === undefined), true);
  }
});
