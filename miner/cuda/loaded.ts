/**
 * Which onnxruntime this process has loaded, and where the one beside the CUDA provider lies.
 *
 * @module
 */
import { installFolder, readCudaLock, RUNTIME_LIBRARY } from "./lock.ts";

/** The copy of onnxruntime beside its CUDA provider, where CUDA is installed; undefined where it is not. */
export function runtimeBesideCuda(): string | undefined {
  const library = `${installFolder(readCudaLock())}/${RUNTIME_LIBRARY}`;
  try {
    return Deno.statSync(library).isFile ? library : undefined;
  } catch {
    return undefined;
  }
}

/** Have that copy in this process, unless it has another already: the binding asks for a library of its name. */
export function preloadRuntime(): void {
  const library = runtimeBesideCuda();
  if (library !== undefined && loadedRuntime() === undefined) Deno.dlopen(library, {});
}

/**
 * The onnxruntime that this process has loaded, where the system says (`/proc/self/maps`) and there is one; whether it
 * is the copy beside the CUDA provider.
 */
export function loadedRuntime():
  | { readonly path: string; readonly besideCuda: boolean }
  | undefined {
  let maps: string;
  try {
    maps = Deno.readTextFileSync("/proc/self/maps");
  } catch {
    return undefined;
  }
  const path = /^(?:\S+ +){5}(\/.*\/libonnxruntime\.so\.1)$/m.exec(maps)?.[1];
  return path === undefined ? undefined : { path, besideCuda: path === runtimeBesideCuda() };
}
