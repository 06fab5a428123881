/**
 * CUDA's libraries as the process loads them: those that `cuda:install` brought, else the system's own.
 *
 * @module
 */
import {
  type CudaLock,
  installFolder,
  libraryName,
  readCudaLock,
  RUNTIME_LIBRARY,
} from "./lock.ts";

/**
 * Those that others ask the linker for by name, each after the ones that it needs. The rest (parts of cuDNN, NVRTC's
 * built-ins) lie beside them and are found there.
 */
export const LOADED: readonly string[] = [
  "libcudart.so.13",
  "libcublasLt.so.13",
  "libcublas.so.13",
  "libcurand.so.10",
  "libnvrtc.so.13",
  "libcufft.so.12",
  "libcudnn.so.9",
];

/** What onnxruntime looks for beside itself. */
const PROVIDERS: readonly string[] = [
  RUNTIME_LIBRARY,
  "libonnxruntime_providers_shared.so",
  "libonnxruntime_providers_cuda.so",
];

/** A loaded library stays: unloading CUDA while a session lives would crash. */
const loaded = new Set<string>();

function load(library: string): boolean {
  if (loaded.has(library)) return true;
  try {
    Deno.dlopen(library, {});
  } catch {
    return false;
  }
  loaded.add(library);
  return true;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The libraries that are neither installed nor on this system, by name. Loads nothing of what is installed. */
export function missingLibraries(lock: CudaLock = readCudaLock()): string[] {
  const folder = installFolder(lock);
  const names = [RUNTIME_LIBRARY, ...lock.wheels.flatMap(({ keep }) => keep.map(libraryName))];
  return names.filter((name) => {
    if (isFile(`${folder}/${name}`)) return false;
    if (PROVIDERS.includes(name)) return true;
    // Another installation of CUDA may stand in for what is loaded by name, with its parts where it keeps them.
    return LOADED.includes(name) ? !load(name) : !LOADED.every((other) => load(other));
  });
}

/** Have all of them in this process, so that the provider finds them. @throws {TypeError} naming one that is not. */
export function loadLibraries(lock: CudaLock = readCudaLock()): void {
  const folder = installFolder(lock);
  for (const name of LOADED) {
    const path = `${folder}/${name}`;
    const installed = isFile(path);
    if (load(installed ? path : name)) continue;
    throw new TypeError(
      installed ? reason(path) : `${name} is not found: deno task miner cuda:install`,
    );
  }
}

/** What the system's loader says of a library that is there: one that it needs in turn is not. */
function reason(path: string): string {
  try {
    Deno.dlopen(path, {});
    return `${path} can be loaded only now: try again`;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return said.replace(/^(Could not open library: )+/, "");
  }
}
