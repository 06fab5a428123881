/**
 * The enclave's kernel: Debian's source, `tinyconfig` and what `config` beside this adds, compiled by gcc. The
 * same source, configuration and compiler give the same bytes in any folder on any day.
 *
 * @module
 */
import { cached, cacheRoot, exists } from "../cache.ts";
import { CommandError, run } from "../command.ts";
import { fetchPin } from "../fetch.ts";
import { type Lock, pinOf } from "../lock.ts";
import { hashText } from "../text.ts";

/** What is built into the kernel in place of the builder's name, machine and clock. */
const IDENTITY = {
  KBUILD_BUILD_TIMESTAMP: "2026-01-01 00:00:00 UTC",
  KBUILD_BUILD_USER: "vramhub",
  KBUILD_BUILD_HOST: "vramhub",
  KBUILD_BUILD_VERSION: "1",
};
/** Tools that the kernel would ask about itself where they are installed: nothing in it is made by them. */
const WITHOUT = ["RUSTC=false", "BINDGEN=false", "PAHOLE=false"];
/** What the release's kernel is compiled by: Debian 12's. Another one gives another kernel, and so PCR0 and PCR1. */
const RELEASE_TOOLCHAIN =
  "gcc (Debian 12.2.0-14+deb12u1) 12.2.0; GNU ld (GNU Binutils for Debian) 2.40";
const CONFIG = new URL("./config", import.meta.url);
/** Lines of compiler output between two of progress. */
const REPORT_LINES = 200;

/** A built kernel. */
export interface Kernel {
  /** Path of the bzImage. */
  readonly path: string;
  /** The compiler and linker, as they call themselves. */
  readonly toolchain: string;
}

/** What names a kernel in the cache. */
async function keyOf(lock: Lock): Promise<{ key: string; toolchain: string; config: string }> {
  const config = await Deno.readTextFile(CONFIG);
  const versions = await Promise.all(["gcc", "ld"].map((tool) => run(tool, ["--version"])));
  const toolchain = versions.map((text) => text.split("\n")[0]!).join("; ");
  const { sha256 } = pinOf(lock, "kernel");
  return {
    key: `kernel/${hashText(sha256, config, toolchain, JSON.stringify(IDENTITY))}`,
    toolchain,
    config,
  };
}

/** Whether the cache holds the kernel of `lock`; false too where there is no compiler. */
export async function hasKernel(lock: Lock): Promise<boolean> {
  try {
    return await exists(`${cacheRoot()}/${(await keyOf(lock)).key}`);
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

/**
 * Build the kernel, or take it from the cache. Minutes.
 *
 * @throws {CommandError} where a tool is missing or the build fails.
 * @throws {SourceError} where the source is not to be had.
 */
export async function buildKernel(lock: Lock, progress: (line: string) => void): Promise<Kernel> {
  const pin = pinOf(lock, "kernel");
  const { key, toolchain, config } = await keyOf(lock);
  if (toolchain !== RELEASE_TOOLCHAIN) {
    progress(
      `kernel: by ${toolchain}, the release's by ${RELEASE_TOOLCHAIN}: PCR0 and PCR1 differ`,
    );
  }
  const folder = await cached(key, async (draft) => {
    const deb = await fetchPin(pin, { progress });
    progress("kernel: unpacking");
    await run("dpkg-deb", ["-x", deb, `${draft}/deb`]);
    const tree = `${draft}/tree`;
    await Deno.mkdir(tree);
    const archive = `${draft}/deb/usr/src/linux-source-6.12.tar.xz`;
    await run("tar", ["-xf", archive, "--strip-components=1", "-C", tree]);
    await configure(tree, config);
    await compile(tree, progress);
    await Deno.rename(`${tree}/arch/x86/boot/bzImage`, `${draft}/bzImage`);
    await Deno.rename(`${tree}/.config`, `${draft}/config`);
    for (const waste of ["deb", "tree"]) {
      await Deno.remove(`${draft}/${waste}`, { recursive: true });
    }
  });
  const path = `${folder}/bzImage`;
  if (!await exists(path)) throw new Error(`Cannot find the kernel at ${path}`);
  return { path, toolchain };
}

async function configure(tree: string, config: string): Promise<void> {
  await run("make", ["-s", ...WITHOUT, "tinyconfig"], { cwd: tree });
  const base = await Deno.readTextFile(`${tree}/.config`);
  // Of two lines for one option the last counts.
  await Deno.writeTextFile(`${tree}/.config`, `${base}\n${config}`);
  await run("make", ["-s", ...WITHOUT, "olddefconfig"], { cwd: tree });
  const taken = new Set((await Deno.readTextFile(`${tree}/.config`)).split("\n"));
  const missing = missingOptions(config, taken);
  if (missing.length > 0) {
    throw new Error(`Cannot configure the kernel: it does not take ${missing.join(", ")}`);
  }
}

/** The lines of `config` that the kernel's own configuration does not hold: off is also what is not named. */
export function missingOptions(config: string, taken: ReadonlySet<string>): string[] {
  return config.split("\n").filter((line) => {
    const off = /^# (CONFIG_\w+) is not set$/.exec(line);
    if (off !== null) return [...taken].some((other) => other.startsWith(`${off[1]}=`));
    return line.startsWith("CONFIG_") && !taken.has(line);
  });
}

async function compile(tree: string, progress: (line: string) => void): Promise<void> {
  let lines = 0;
  await run("make", [`-j${navigator.hardwareConcurrency}`, ...WITHOUT, "bzImage"], {
    cwd: tree,
    env: IDENTITY,
    onLine: () => {
      if (++lines % REPORT_LINES === 0) progress(`kernel: ${lines} steps`);
    },
  });
}
