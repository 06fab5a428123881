/**
 * The two ramdisks: the platform (Deno, its libraries, PID 1) and the program (the judge and its packages).
 * Each file knows where it came from.
 *
 * @module
 */
import { utf8 } from "../../enclave/protocol/bytes.ts";
import type { CpioEntry } from "../cpio/mod.ts";
import { withDirectories } from "../cpio/mod.ts";
import { type Lock, type Pin, pinOf } from "../lock.ts";
import { encodeManifest, MANIFEST_DIRECTORY, manifestEntries } from "../manifest.ts";
import { moduleGraph, ROOT } from "./graph.ts";
import { strangersIn } from "./strangers.ts";
import { unpack } from "./unpack.ts";

/** A ramdisk before it is written. */
export interface Ramdisk {
  /** All of it, the manifest and the directories included. */
  readonly entries: readonly CpioEntry[];
  /** Where each file came from, by path: `enclave/judge.ts`, `npm:cbor-x@1.6.8`. */
  readonly origins: ReadonlyMap<string, string>;
}

/** PID 1's entry, in the repository and in the image. */
export const INIT = "nitro/boot/init.ts";
/** The judge's entry in the repository; in the image it lies in `app/`. */
export const PROGRAM = "enclave/main.ts";
/** Where the program lies. */
const APP = "app/";

/** What Deno reads before PID 1 starts: no lock, no registry, packages as they lie. */
const DENO_JSON = { unstable: ["vsock", "ffi"], nodeModulesDir: "manual", lock: false };
/** The folder that the dynamic loader searches on Debian. */
const LIBRARIES = "lib/x86_64-linux-gnu/";
const LOADER = "ld-linux-x86-64.so.2";
/** Packages of libraries, as the lock calls them. */
const LIBRARY_PINS = ["libc6", "libgcc", "libstdcxx"];

class Draft {
  readonly #entries: CpioEntry[] = [];
  readonly origins = new Map<string, string>();

  file(path: string, content: Uint8Array<ArrayBuffer>, origin: string, mode = 0o644): void {
    this.#entries.push({ kind: "file", path, mode, content });
    this.origins.set(path, origin);
  }

  link(path: string, target: string): void {
    this.#entries.push({ kind: "link", path, target });
  }

  folder(path: string, mode = 0o755): void {
    this.#entries.push({ kind: "directory", path, mode });
  }

  done(name: string): Ramdisk {
    for (const { path, sign } of strangersIn(this.#entries)) {
      throw new Error(`Cannot put ${path} into a production image: '${sign}'`);
    }
    const manifest = encodeManifest(manifestEntries(this.#entries));
    const path = `${MANIFEST_DIRECTORY}/${name}`;
    this.#entries.push({ kind: "file", path, mode: 0o644, content: manifest });
    return { entries: withDirectories(this.#entries), origins: this.origins };
  }
}

/** The first ramdisk, which PCR1 measures: all that starts before the program. */
export async function platformRamdisk(
  lock: Lock,
  progress: (line: string) => void,
): Promise<Ramdisk> {
  const draft = new Draft();
  const deno = pinOf(lock, "deno");
  for (const { content } of await unpack(deno, progress)) {
    draft.file("bin/deno", content, originOf(deno), 0o755);
  }
  for (const name of LIBRARY_PINS) {
    const pin = pinOf(lock, name);
    for (const { path, content } of await unpack(pin, progress)) {
      // libstdc++.so.6.0.30 is asked for as libstdc++.so.6.
      const file = path.slice(path.lastIndexOf("/") + 1).replace(/(\.so\.\d+)[.\d]*$/, "$1");
      draft.file(LIBRARIES + file, content, originOf(pin), 0o755);
    }
  }
  draft.link(`lib64/${LOADER}`, `/${LIBRARIES}${LOADER}`);
  // Deno asks for its own path before PID 1 can mount /proc.
  draft.link("proc/self/exe", "/bin/deno");
  draft.folder("sys");
  draft.folder("dev");
  draft.folder("tmp", 0o1777);
  draft.file("deno.json", utf8(JSON.stringify(DENO_JSON) + "\n"), "nitro/build/ramdisk.ts");
  await addProgram(draft, lock, INIT, "", progress);
  return draft.done("platform");
}

/** The second ramdisk, which PCR2 measures: the judge. */
export async function programRamdisk(
  lock: Lock,
  progress: (line: string) => void,
): Promise<Ramdisk> {
  const draft = new Draft();
  await addProgram(draft, lock, PROGRAM, APP, progress);
  return draft.done("program");
}

/** The modules of `entry` and their packages, under `prefix`. */
async function addProgram(
  draft: Draft,
  lock: Lock,
  entry: string,
  prefix: string,
  progress: (line: string) => void,
): Promise<void> {
  const graph = await moduleGraph(entry);
  for (const module of graph.modules) {
    const content = await Deno.readFile(new URL(module, ROOT));
    draft.file(prefix + module, content, module, module === entry ? 0o755 : 0o644);
  }
  for (const pin of packagesOf(lock, graph.packages)) {
    for (const { path, content } of await unpack(pin, progress)) {
      const mode = /\.(node|so[.\d]*)$/.test(path) ? 0o755 : 0o644;
      draft.file(`${prefix}node_modules/${pin.name}/${path}`, content, originOf(pin), mode);
    }
  }
}

/** Pins of `packages` and of what they load: what is only for installing them is not in the lock. */
export function packagesOf(lock: Lock, packages: readonly string[]): Pin[] {
  const byName = new Map(Object.values(lock).map((pin) => [`${pin.name}@${pin.version}`, pin]));
  const found = new Map<string, Pin>();
  const add = (id: string) => {
    const pin = byName.get(id);
    if (pin === undefined) throw new Error(`Cannot build as lock.json does not pin npm:${id}`);
    found.set(id, pin);
    for (const needed of pin.needs ?? []) {
      const other = pinOf(lock, needed);
      if (!found.has(`${other.name}@${other.version}`)) add(`${other.name}@${other.version}`);
    }
  };
  for (const id of packages) add(id);
  return [...found.values()];
}

/** As `npm:cbor-x@1.6.8`. */
export function originOf(pin: Pin): string {
  return `${pin.kind}:${pin.name}@${pin.version}`;
}
