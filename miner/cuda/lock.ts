/**
 * `lock.json`: the wheels that CUDA in process is made of, by SHA-256, size and origin, and the build of onnxruntime
 * that they belong to.
 *
 * @module
 */
import { toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { cacheRoot } from "../../nitro/cache.ts";

/** One wheel of the package index. */
export interface Wheel {
  /** The package. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Where it is to be had. */
  readonly url: string;
  /** The libraries that are taken from it, by their paths in the wheel. */
  readonly keep: readonly string[];
}

/** What onnxruntime the wheels fit, and what they need. */
export interface Runtime {
  /** Version of onnxruntime, of the npm package and of the wheel. */
  readonly version: string;
  /** The commit that both were built from, as their libraries say it. */
  readonly commit: string;
  /** CUDA's major version. */
  readonly cuda: number;
  /** The first major version of NVIDIA's driver that runs it. */
  readonly driver: number;
}

/** All of it; the first wheel is onnxruntime's own. */
export interface CudaLock {
  /** The build. */
  readonly runtime: Runtime;
  /** The wheels. */
  readonly wheels: readonly Wheel[];
}

/** The library of onnxruntime that is copied beside its provider. */
export const RUNTIME_LIBRARY = "libonnxruntime.so.1";

const FILE = new URL("./lock.json", import.meta.url);

/** Read the lock. @throws {TypeError} naming the wheel whose pin is not whole. */
export function readCudaLock(text: string = Deno.readTextFileSync(FILE)): CudaLock {
  const { version, runtime, wheels } = JSON.parse(text);
  if (version !== 1) throw new TypeError("Cannot read the lock of CUDA as it has another version");
  for (const wheel of wheels as Partial<Wheel>[]) {
    const whole = /^[0-9a-f]{64}$/.test(wheel.sha256 ?? "") && Number.isSafeInteger(wheel.size) &&
      wheel.size! > 0 && /^https?:/.test(wheel.url ?? "") && (wheel.keep ?? []).length > 0;
    if (!whole) {
      throw new TypeError(
        `Cannot read the lock of CUDA as the pin of '${wheel.name}' is not whole`,
      );
    }
  }
  return { runtime, wheels };
}

/** The name of a library that stands at `path` in a wheel. */
export function libraryName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Where everything about CUDA lies in the cache. */
export function cudaFolder(): string {
  return `${cacheRoot()}/cuda`;
}

/** The name in the cache of what is installed by `lock`: another lock is another folder. */
export function installName(lock: CudaLock): string {
  return `cuda/${toHex(sha256(utf8(JSON.stringify(lock)))).slice(0, 16)}`;
}

/** Where the libraries of `lock` lie once they are installed. */
export function installFolder(lock: CudaLock): string {
  return `${cacheRoot()}/${installName(lock)}`;
}
