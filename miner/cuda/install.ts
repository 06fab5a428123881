/**
 * Puts CUDA for the in-process trainer into the user's cache: onnxruntime's CUDA provider and CUDA's libraries, from the
 * package index's wheels, and beside them a copy of the very `libonnxruntime` that Deno's npm cache holds, since
 * onnxruntime looks for its providers in the folder that it was loaded from. The npm cache itself is not touched
 * (`preload.ts` has the copy loaded). The npm package's own install script is not used: it writes into that cache.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { runtimeBinding } from "../../enclave/model/runtime_path.ts";
import { cached, exists } from "../../nitro/cache.ts";
import { fetchWheel } from "./download.ts";
import {
  cudaFolder,
  type CudaLock,
  installFolder,
  installName,
  libraryName,
  readCudaLock,
  RUNTIME_LIBRARY,
  type Wheel,
} from "./lock.ts";
import { WheelReader } from "./wheel.ts";

/** Unpacked, wheels grow about that much. */
const GROWTH = 2.2;

/** CUDA cannot be installed: the message says what to do. */
export class InstallError extends Error {
  /** What is raised. */
  override readonly name = "InstallError";
}

/** What an installation does. */
export type InstallEvent =
  | {
    readonly event: "download";
    readonly wheel: string;
    readonly bytes: number;
    readonly size: number;
  }
  | { readonly event: "unpack"; readonly wheel: string };

/** Settings of {@linkcode installCuda}. */
export interface InstallOptions {
  /** What is installed; the checked-in lock by default. */
  readonly lock?: CudaLock;
  /** The folder of onnxruntime's binding; that of the npm package by default. */
  readonly binding?: string;
  /** Told of progress. */
  readonly onEvent?: (event: InstallEvent) => void;
}

/** What was installed. */
export interface Installed {
  /** Where it lies. */
  readonly folder: string;
  /** Whether it lay there before. */
  readonly already: boolean;
  /** The libraries in it. */
  readonly libraries: readonly string[];
}

/**
 * Have CUDA's libraries in the cache. Called again it does nothing; what was cut short goes on where it stopped.
 *
 * @throws {InstallError} where the platform, the room or the build does not fit, or another installation is running.
 * @throws {DownloadError} where a wheel cannot be had.
 */
export async function installCuda(options: InstallOptions = {}): Promise<Installed> {
  const { lock = readCudaLock(), onEvent = () => {} } = options;
  const { os, arch } = Deno.build;
  if (os !== "linux" || arch !== "x86_64") {
    throw new InstallError(
      `Cannot install CUDA as it is made for linux on x86_64 only: this is ${os} on ${arch}`,
    );
  }
  const folder = installFolder(lock);
  const libraries = lock.wheels.flatMap(({ keep }) => keep.map(libraryName));
  if (await exists(folder)) return { folder, already: true, libraries };
  await Deno.mkdir(cudaFolder(), { recursive: true });
  using turn = await Deno.open(`${cudaFolder()}/lock`, { create: true, write: true });
  if (!await turn.tryLock(true)) {
    throw new InstallError("Cannot install CUDA as another installation is running: wait for it");
  }
  const runtime = `${options.binding ?? bindingFolder()}/${RUNTIME_LIBRARY}`;
  await checkBuild(lock, runtime);
  await checkRoom(lock);
  const downloads = `${cudaFolder()}/downloads`;
  await cached(installName(lock), async (draft) => {
    const paths: string[] = [];
    for (const wheel of lock.wheels) {
      paths.push(
        await fetchWheel(
          wheel,
          downloads,
          ({ name, size }, bytes) => onEvent({ event: "download", wheel: name, bytes, size }),
        ),
      );
    }
    for (const [i, wheel] of lock.wheels.entries()) {
      onEvent({ event: "unpack", wheel: wheel.name });
      using reader = WheelReader.open(paths[i]!);
      if (i === 0) await checkWheel(lock, wheel, reader);
      for (const path of wheel.keep) {
        await Deno.writeFile(
          `${draft}/${libraryName(path)}`,
          ReadableStream.from(reader.content(path)),
        );
      }
    }
    await Deno.copyFile(runtime, `${draft}/${RUNTIME_LIBRARY}`);
  });
  await removeOthers(folder);
  return { folder, already: false, libraries };
}

function bindingFolder(): string {
  const path = runtimeBinding();
  return path.slice(0, path.lastIndexOf("/"));
}

/** The provider must be of the runtime's own build: a provider of another one crashes the process. */
async function checkBuild({ runtime }: CudaLock, library: string): Promise<void> {
  const commit = await commitIn(Deno.readFile(library));
  if (commit === runtime.commit) return;
  throw new InstallError(
    `Cannot install CUDA as its provider is of onnxruntime ${runtime.version}, commit ${runtime.commit}: ` +
      `${library} is of commit ${commit ?? "unknown"}`,
  );
}

async function checkWheel(
  { runtime }: CudaLock,
  wheel: Wheel,
  reader: WheelReader,
): Promise<void> {
  const library = `onnxruntime/capi/libonnxruntime.so.${runtime.version}`;
  const commit = reader.paths.includes(library)
    ? await commitIn(bytesOf(reader.content(library)))
    : undefined;
  if (commit === runtime.commit) return;
  throw new InstallError(
    `Cannot install CUDA as ${wheel.name} ${wheel.version} is of commit ${
      commit ?? "unknown"
    }, not ` +
      `of onnxruntime ${runtime.version}'s ${runtime.commit}`,
  );
}

/** The commit that a library of onnxruntime says it was built from. */
async function commitIn(library: Promise<Uint8Array>): Promise<string | undefined> {
  const text = new TextDecoder("latin1").decode(await library);
  return /git-commit-id=([0-9a-f]{7,40})\b/.exec(text)?.[1];
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of pieces) parts.push(new Uint8Array(piece));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function checkRoom({ wheels }: CudaLock): Promise<void> {
  const needed = wheels.reduce((sum, { size }) => sum + size, 0) * (1 + GROWTH);
  const { bavail, bsize } = await statfs(cudaFolder());
  if (bavail * bsize >= needed) return;
  const gb = (bytes: number) => (bytes / 1e9).toFixed(1);
  throw new InstallError(
    `Cannot install CUDA as it takes ${gb(needed)} GB and ${
      gb(bavail * bsize)
    } are free in ${cudaFolder()}: ` +
      "make room, or set VRAMHUB_CACHE to a folder on another disk",
  );
}

/** Installations of other locks, what a killed one left, and the wheels: all is unpacked now. */
async function removeOthers(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(cudaFolder())) {
    const path = `${cudaFolder()}/${name}`;
    if (isDirectory && path !== folder) await Deno.remove(path, { recursive: true });
  }
}
