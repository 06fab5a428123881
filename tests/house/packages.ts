/**
 * The Debian packages that the heavy tests are built with, installed where that can be done.
 *
 * @module
 */
import { CommandError, run } from "../../nitro/command.ts";

/**
 * Of the kernel; of QEMU and PyTorch's environment; of AWS's image builder; of varying the conditions of a build; of the
 * explorer's tests and, by the software GPU that comes with it, of the trainer's on WebGPU.
 */
const PACKAGES = [
  ...["gcc", "libc6-dev", "make", "bc", "xz-utils", "dpkg", "flex", "bison", "m4", "libelf-dev"],
  ...["ninja-build", "pkg-config", "python3-venv", "libglib2.0-dev", "libcbor-dev"],
  ...["libgnutls28-dev", "libfdt-dev"],
  ...["libssl-dev"],
  ...["util-linux", "faketime"],
  ...["chromium", "libvulkan1"],
];
/** The first that the archive has: Debian 12's plain one is too old for the crates. */
const CARGO = ["cargo-web", "cargo"];
const APT = ["-qq", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"];

/** What was found and done. */
export type Installed = "at hand" | "installed" | { readonly missing: string };

/** Install what is missing, where there is apt-get and a right to use it. */
export async function installPackages(progress: (line: string) => void): Promise<Installed> {
  try {
    const missing = await missingOf(PACKAGES);
    const needsCargo = !await runs("cargo", ["--version"]);
    if (missing.length === 0 && !needsCargo) return "at hand";
    const wanted = [...missing, ...(needsCargo ? ["cargo"] : [])].join(" ");
    if (Deno.uid() !== 0) return { missing: `${wanted} (install them as root)` };
    progress(`installing ${wanted}`);
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", [...APT, "update"], { env });
    const cargo = needsCargo ? await firstKnown(CARGO) : [];
    await run("apt-get", [
      ...[...APT, "install", "-y", "--no-install-recommends"],
      ...missing,
      ...cargo,
    ], { env });
    return "installed";
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { missing: error.message };
  }
}

async function missingOf(names: readonly string[]): Promise<string[]> {
  // It fails where it knows none of a name, and says the others all the same: ask for each.
  const states = await Promise.all(
    names.map((name) =>
      run("dpkg-query", ["-W", "-f", "${db:Status-Abbrev}", name]).catch((error) => {
        if (error instanceof CommandError && !error.missing) return "";
        throw error;
      })
    ),
  );
  return names.filter((_, index) => !states[index]!.startsWith("ii"));
}

async function firstKnown(names: readonly string[]): Promise<string[]> {
  for (const name of names) {
    if (/Candidate: \d/.test(await run("apt-cache", ["policy", name]))) return [name];
  }
  return [];
}

async function runs(program: string, args: readonly string[]): Promise<boolean> {
  return await run(program, args).then(() => true, () => false);
}
