/**
 * What the in-process trainer can train on: `cpu`, `webgpu`, `cuda` and `cuda:N`. Which of them are here is found out
 * by asking the driver (CUDA) and the runtime's own WebGPU (an adapter); what is missing is said by its name, with the
 * command that brings it.
 *
 * @module
 */
import { askDriver, type Driver, DRIVER_LIBRARY, type Gpu } from "./cuda/driver.ts";
import { missingLibraries } from "./cuda/libraries.ts";
import { loadedRuntime, preloadRuntime } from "./cuda/loaded.ts";
import { readCudaLock } from "./cuda/lock.ts";

/** Where the training graph runs. */
export type Device =
  | { readonly kind: "cpu" | "webgpu" }
  | { readonly kind: "cuda"; readonly index: number };

/** Why a device cannot be trained on. */
export type DeviceFault =
  | "cuda_driver_missing"
  | "cuda_driver_old"
  | "cuda_gpu_missing"
  | "cuda_library_missing"
  | "cuda_not_preloaded"
  | "cuda_platform"
  | "cuda_session"
  | "webgpu_missing"
  | "webgpu_session";

/** A device that was asked for is not here: the message says what is missing, and what to do. */
export class DeviceError extends Error {
  /** What is raised. */
  override readonly name = "DeviceError";
  /** What kind of lack it is. */
  readonly code: DeviceFault;

  /** What is missing. */
  constructor(code: DeviceFault, message: string) {
    super(message);
    this.code = code;
  }
}

/** A GPU as WebGPU shows it. */
export interface Adapter {
  /** Its name, as the driver says it. */
  readonly name: string;
  /** Whether it is a program that computes on the CPU, such as SwiftShader or llvmpipe. */
  readonly software: boolean;
}

/** How the machine is asked; tests put others in the place of {@linkcode PROBES}. */
export interface Probes {
  /** The platform: CUDA is for Linux on x86-64. */
  readonly platform: { readonly os: string; readonly arch: string };
  /** NVIDIA's driver; undefined where there is none. */
  driver(): Driver | undefined;
  /** Libraries of CUDA that are not here. */
  libraries(): readonly string[];
  /** Has the onnxruntime beside the CUDA provider loaded: the path of another one that was loaded before, if any. */
  strange(): string | undefined;
  /** WebGPU's adapter; undefined where there is none. */
  adapter(): Promise<Adapter | undefined>;
}

/** Libraries that a line names. */
const MOST_NAMES = 5;

/** This machine. */
export const PROBES: Probes = {
  platform: Deno.build,
  driver: () => askDriver(),
  libraries: () => missingLibraries(),
  strange() {
    preloadRuntime();
    const runtime = loadedRuntime();
    return runtime === undefined || runtime.besideCuda ? undefined : runtime.path;
  },
  adapter: () => askAdapter(),
};

/** Whether a device can be trained on. */
export interface Finding {
  /** The device; `cuda` alone, of index 0, where there is no GPU to name. */
  readonly device: Device;
  /** What it is, where it is here. */
  readonly name?: string;
  /** Why it cannot be trained on. */
  readonly error?: DeviceError;
  /** Whether it computes on the CPU all the same: never chosen unasked. */
  readonly software?: boolean;
}

/** A chosen device. */
export interface Choice {
  /** The device. */
  readonly device: Device;
  /** Why this one: a line for the log. */
  readonly why: string;
}

/**
 * The device that `text` names, `auto` as it is.
 *
 * @throws {RangeError} where it names none.
 */
export function parseDevice(text: string): Device | "auto" {
  if (text === "auto") return text;
  if (text === "cpu" || text === "webgpu") return { kind: text };
  const match = /^cuda(?::(0|[1-9]\d?))?$/.exec(text);
  if (match !== null) return { kind: "cuda", index: Number(match[1] ?? 0) };
  throw new RangeError(
    `Cannot train on a device as it must be auto, cpu, webgpu, cuda or cuda:N: current value is ${text}`,
  );
}

/** The word for `device`: what {@linkcode parseDevice} reads. */
export function deviceName(device: Device): string {
  return device.kind === "cuda" ? `cuda:${device.index}` : device.kind;
}

/** Every device and whether it can be trained on: CUDA's, WebGPU's, the CPU. */
export async function listDevices(probes: Probes = PROBES): Promise<Finding[]> {
  return [...cudaFindings(probes), await webgpuFinding(probes), {
    device: { kind: "cpu" },
  }];
}

/**
 * The device to train on: the wanted one or, for `auto`, the first of CUDA, WebGPU on a real GPU and the CPU.
 *
 * @throws {DeviceError} where the wanted one is not here.
 */
export async function chooseDevice(
  wanted: Device | "auto",
  probes: Probes = PROBES,
): Promise<Choice> {
  return await openOn(wanted, () => Promise.resolve(), probes);
}

/**
 * What `open` opens on the device that {@linkcode chooseDevice} chooses. A device that shows itself and then cannot be
 * trained on (a driver that is broken) is passed over by `auto`, with its error as the reason.
 *
 * @throws {DeviceError} where the wanted one is not here, or `open` raises it.
 */
export async function openOn<T>(
  wanted: Device | "auto",
  open: (device: Device) => Promise<T>,
  probes: Probes = PROBES,
): Promise<Choice & { readonly opened: T }> {
  if (wanted !== "auto") {
    const choice = await wantedDevice(wanted, probes);
    return { ...choice, opened: await open(choice.device) };
  }
  const skipped: string[] = [];
  for (const { device, name, error, software } of await listDevices(probes)) {
    const label = device.kind === "cuda" ? "CUDA" : "WebGPU";
    if (error !== undefined) skipped.push(`${label}: ${reason(error)}`);
    else if (software) skipped.push(`WebGPU: ${name} is software, slower than the CPU provider`);
    else {
      try {
        const opened = await open(device);
        const others = skipped.length > 0 ? ` (${skipped.join("; ")})` : "";
        const what = name === undefined ? "" : `, ${name}`;
        return { device, why: `Trains on ${deviceName(device)}${what}${others}`, opened };
      } catch (error) {
        if (device.kind === "cpu" || !(error instanceof DeviceError)) throw error;
        skipped.push(`${deviceName(device)}: ${reason(error)}`);
      }
    }
  }
  throw new TypeError("Cannot train: there is no CPU among the devices");
}

async function wantedDevice(wanted: Device, probes: Probes): Promise<Choice> {
  const why = `Trains on ${deviceName(wanted)}`;
  if (wanted.kind === "cpu") return { device: wanted, why: `${why}, as asked` };
  const findings = wanted.kind === "cuda" ? cudaFindings(probes) : [await webgpuFinding(probes)];
  const found = findings.find(({ device, error }) =>
    error !== undefined || deviceName(device) === deviceName(wanted)
  );
  if (found?.error !== undefined) throw found.error;
  if (found !== undefined) return { device: wanted, why: `${why}, ${found.name}, as asked` };
  throw new DeviceError(
    "cuda_gpu_missing",
    `Cannot train on ${deviceName(wanted)}: this machine has ${
      findings.map(({ device, name }) => `${deviceName(device)} (${name})`).join(", ")
    }`,
  );
}

function cudaFindings(probes: Probes): Finding[] {
  const fault = (code: DeviceFault, message: string): Finding[] => [{
    device: { kind: "cuda", index: 0 },
    error: new DeviceError(code, `Cannot train on CUDA: ${message}`),
  }];
  const { os, arch } = probes.platform;
  const { runtime } = readCudaLock();
  if (os !== "linux" || arch !== "x86_64") {
    return fault(
      "cuda_platform",
      `in process it is for linux on x86_64 only, this is ${os} on ${arch}`,
    );
  }
  const driver = probes.driver();
  if (driver === undefined) {
    return fault(
      "cuda_driver_missing",
      `${DRIVER_LIBRARY} is not found: install NVIDIA's driver, ${runtime.driver} or newer`,
    );
  }
  if (driver.gpus.length === 0) return fault("cuda_gpu_missing", "NVIDIA's driver shows no GPU");
  if (driver.cuda < 1000 * runtime.cuda) {
    const version = `${Math.floor(driver.cuda / 1000)}.${driver.cuda % 1000 / 10}`;
    return fault(
      "cuda_driver_old",
      `NVIDIA's driver is for CUDA ${version}: install ${runtime.driver} or newer, for CUDA ${runtime.cuda}`,
    );
  }
  const missing = probes.libraries();
  if (missing.length > 0) {
    return fault(
      "cuda_library_missing",
      `${some(missing)} ${
        missing.length > 1 ? "are" : "is"
      } not found: deno task miner cuda:install`,
    );
  }
  const strange = probes.strange();
  if (strange !== undefined) {
    return fault(
      "cuda_not_preloaded",
      `this process has loaded ${strange}, which has no CUDA provider beside it: import miner/cuda/preload.ts first`,
    );
  }
  return driver.gpus.map(({ index, name, memory }: Gpu) => ({
    device: { kind: "cuda", index },
    name: `${name}, ${Math.round(memory / 2 ** 30)} GiB`,
  }));
}

async function webgpuFinding(probes: Probes): Promise<Finding> {
  const device: Device = { kind: "webgpu" };
  const adapter = await probes.adapter();
  if (adapter !== undefined) return { device, ...adapter };
  const loader = probes.platform.os === "linux"
    ? "libvulkan.so.1 and the GPU's Vulkan driver"
    : "the GPU's driver";
  const error = new DeviceError(
    "webgpu_missing",
    `Cannot train on WebGPU: there is no adapter: install ${loader}`,
  );
  return { device, error };
}

/** WebGPU's adapter as the runtime finds it. onnxruntime takes Vulkan's on Linux: without its loader there is none. */
async function askAdapter(): Promise<Adapter | undefined> {
  if (Deno.build.os === "linux") {
    try {
      Deno.dlopen("libvulkan.so.1", {}).close();
    } catch {
      return undefined;
    }
  }
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) return undefined;
  const { description, device, vendor, isFallbackAdapter } = adapter.info;
  return {
    name: description || device || vendor || "a GPU",
    software: isFallbackAdapter ||
      /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i.test(description),
  };
}

/** Names for one line. */
function some(names: readonly string[]): string {
  const shown = names.length > MOST_NAMES ? names.slice(0, MOST_NAMES - 1) : names;
  const rest = names.length - shown.length;
  return shown.join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

function reason(error: DeviceError): string {
  return error.message.replace(/^Cannot train on \S+: /, "");
}
