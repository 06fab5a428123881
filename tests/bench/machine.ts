/**
 * What a bench ran on, and of which commit: figures mean nothing without.
 *
 * @module
 */
import { userCache } from "../../nitro/cache.ts";

/** The machine and the software. */
export interface Machine {
  /** The processor's name. */
  readonly cpu: string;
  /** Cores that this system sees. */
  readonly cores: number;
  /** The flags that choose kernels: vectors, fused multiply-add, half precision, SHA. */
  readonly flags: readonly string[];
  /** Memory in GiB. */
  readonly memoryGib: number;
  /** Operating system and architecture. */
  readonly system: string;
  /** Deno's version. */
  readonly deno: string;
  /** onnxruntime-node's version. */
  readonly onnxruntime: string;
}

const KERNEL_FLAGS = /^(avx|amx|fma$|f16c$|sse4_2$|sha_ni$|asimd|sve|sme(\d|$)|bf16|i8mm|sha2$)/;

/** The values of `key` in `/proc/cpuinfo`'s form, that of the first processor. */
export function cpuinfo(text: string, key: string): string | undefined {
  return new RegExp(`^${key}\\s*:\\s*(.*)$`, "m").exec(text)?.[1]?.trim();
}

/** The flags in `text` that choose kernels, sorted. */
export function kernelFlags(text: string): string[] {
  const all = cpuinfo(text, "flags") ?? cpuinfo(text, "Features") ?? "";
  return all.split(/\s+/).filter((flag) => KERNEL_FLAGS.test(flag)).sort();
}

/** This machine. */
export async function describeMachine(root: URL): Promise<Machine> {
  const info = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const runtime: string = config.imports["onnxruntime-node"];
  return {
    cpu: cpuinfo(info, "model name") ?? "unknown",
    cores: navigator.hardwareConcurrency,
    flags: kernelFlags(info),
    memoryGib: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    system: `${Deno.build.os} ${Deno.build.arch}`,
    deno: Deno.version.deno,
    onnxruntime: runtime.slice(runtime.lastIndexOf("@") + 1),
  };
}

/** Whether figures of the two can be compared. */
export function sameMachine(a: Machine, b: Machine): boolean {
  return a.cpu === b.cpu && a.cores === b.cores && a.flags.join() === b.flags.join();
}

/** The commit of the tree at `root`, with `-dirty` where files differ from it; `unknown` outside of git. */
export async function commitOf(root: URL): Promise<string> {
  const git = async (...args: string[]) => {
    const { success, stdout } = await new Deno.Command("git", { args, cwd: root, stderr: "null" })
      .output();
    if (!success) throw new TypeError(`Cannot ask git as ${args[0]} failed`);
    return new TextDecoder().decode(stdout).trim();
  };
  try {
    const commit = await git("rev-parse", "HEAD");
    return await git("status", "--porcelain") === "" ? commit : `${commit}-dirty`;
  } catch {
    return "unknown"; // no git, or no repository
  }
}

/** The user's cache folder for `name`, as each system has it. */
export function cacheFolder(
  name: string,
  env: (name: string) => string | undefined,
  os: typeof Deno.build.os,
): string {
  return `${userCache(env, os)}/${name}`;
}
