/**
 * The Python that exports models: the one that is named, that of the cache, or the one on PATH.
 *
 * @module
 */
import { cacheRoot } from "../../../nitro/cache.ts";

/** Our Python package. */
const SIDECAR = new URL("../../../miner/sidecar/", import.meta.url);

/** There is no Python that could export, or it said why it did not. */
export class ExportError extends Error {
  /** Says what to do about it. */
  constructor(message: string) {
    super(message);
    this.name = "ExportError";
  }
}

async function succeeds(python: string, args: readonly string[]): Promise<boolean> {
  try {
    const command = new Deno.Command(python, { args: [...args], stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The first Python that can import `modules`: of `VRAMHUB_PYTHON` alone where it is set. */
export async function findPython(modules: readonly string[]): Promise<string | undefined> {
  const named = Deno.env.get("VRAMHUB_PYTHON");
  const candidates = named === undefined
    ? [`${cacheRoot()}/python/bin/python`, "python3"]
    : [named];
  const list = JSON.stringify(modules);
  const args = ["-c", `import importlib.util as u; assert all(u.find_spec(m) for m in ${list})`];
  for (const python of candidates) if (await succeeds(python, args)) return python;
  return undefined;
}

/**
 * Run `python -m vram_sidecar.export` with `args`; what it prints on standard output. What goes wrong there is said in
 * its own last line.
 *
 * @throws {ExportError}
 */
export async function runExport(
  args: readonly string[],
  modules: readonly string[],
): Promise<string> {
  const python = await findPython(modules);
  if (python === undefined) {
    throw new ExportError(
      `Cannot find a Python with ${modules.join(", ")}: name one in VRAMHUB_PYTHON, ` +
        "after 'pip install ./miner/sidecar[export]' there",
    );
  }
  const path = decodeURIComponent(SIDECAR.pathname);
  const { code, stderr, stdout } = await new Deno.Command(python, {
    args: ["-m", "vram_sidecar.export", ...args],
    env: { PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: "1" },
  }).output();
  if (code === 0) return new TextDecoder().decode(stdout).trimEnd();
  const lines = new TextDecoder().decode(stderr).trimEnd().split("\n");
  const last = lines.at(-1) ?? "";
  throw new ExportError(last.replace(/^error: /, "") || `Python ended with status ${code}`);
}

/** What an export imports. */
export const EXPORTS: readonly string[] = [
  "torch",
  "transformers",
  "onnx",
  "onnxscript",
  "onnxruntime",
];
/** What a description imports. */
export const DESCRIBES: readonly string[] = ["torch", "transformers"];
