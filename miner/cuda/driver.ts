/**
 * NVIDIA's driver, asked by its own interface (CUDA Driver API, chapters 6.2 to 6.5): which GPUs there are.
 *
 * @module
 */

/** A GPU. */
export interface Gpu {
  /** Its number, as `cuda:N` and `CUDA_VISIBLE_DEVICES` count. */
  readonly index: number;
  /** Its name. */
  readonly name: string;
  /** Bytes of its memory. */
  readonly memory: number;
}

/** A driver that answers. */
export interface Driver {
  /** The newest CUDA that it runs: 1000 · major + 10 · minor. */
  readonly cuda: number;
  /** The GPUs. */
  readonly gpus: readonly Gpu[];
}

/** The library that comes with the driver, and with nothing else. */
export const DRIVER_LIBRARY = "libcuda.so.1";

const NO_DEVICE = 100;
const NAME_BYTES = 256;

/** Ask the driver; undefined where there is none. @throws {TypeError} where it refuses, with its status. */
export function askDriver(library: string = DRIVER_LIBRARY): Driver | undefined {
  let driver;
  try {
    driver = Deno.dlopen(library, {
      cuInit: { parameters: ["u32"], result: "i32" },
      cuDriverGetVersion: { parameters: ["buffer"], result: "i32" },
      cuDeviceGetCount: { parameters: ["buffer"], result: "i32" },
      cuDeviceGet: { parameters: ["buffer", "i32"], result: "i32" },
      cuDeviceGetName: { parameters: ["buffer", "i32", "i32"], result: "i32" },
      cuDeviceTotalMem_v2: { parameters: ["buffer", "i32"], result: "i32" },
    });
  } catch {
    return undefined;
  }
  const { symbols } = driver;
  const ok = (what: string, status: number) => {
    if (status === 0) return;
    throw new TypeError(`Cannot use NVIDIA's driver: ${what} answers status ${status}`);
  };
  const int = new Int32Array(1);
  const long = new BigUint64Array(1);
  const started = symbols.cuInit(0);
  if (started !== NO_DEVICE) ok("cuInit", started);
  ok("cuDriverGetVersion", symbols.cuDriverGetVersion(int));
  const cuda = int[0]!;
  if (started === NO_DEVICE) return { cuda, gpus: [] };
  ok("cuDeviceGetCount", symbols.cuDeviceGetCount(int));
  const gpus = Array.from({ length: int[0]! }, (_, index): Gpu => {
    ok("cuDeviceGet", symbols.cuDeviceGet(int, index));
    const device = int[0]!;
    const name = new Uint8Array(NAME_BYTES);
    ok("cuDeviceGetName", symbols.cuDeviceGetName(name, NAME_BYTES, device));
    ok("cuDeviceTotalMem", symbols.cuDeviceTotalMem_v2(long, device));
    const end = name.indexOf(0);
    return {
      index,
      name: new TextDecoder().decode(name.subarray(0, end < 0 ? NAME_BYTES : end)),
      memory: Number(long[0]!),
    };
  });
  return { cuda, gpus };
}
