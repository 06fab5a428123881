/**
 * A Python with PyTorch, transformers and onnxscript, for the tests and benches that hold ours against them.
 * `ci:prepare` makes one in the user's cache, by pip from the package index, each wheel held to its hash in
 * `requirements.txt`.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { cached, cacheRoot } from "../../nitro/cache.ts";
import { CommandError, run } from "../../nitro/command.ts";
import { hashText } from "../../nitro/text.ts";

const REQUIREMENTS = new URL("./requirements.txt", import.meta.url);
/** Folder of the cache with the environments, one a version of the requirements. */
export const ENVIRONMENTS = "pytorch";
/** Bytes that must be free: wheels are unpacked before they are deleted. */
const ROOM = 12e9;
/** What the processes of tests and benches import; setuptools is what pip builds our own package with. */
const IMPORTS =
  "import torch, transformers, safetensors, numpy, onnx, onnxscript, onnxruntime, setuptools";

/** The link to the environment in use, and its Python. */
export function cachedPython(): string {
  return `${cacheRoot()}/python/bin/python`;
}

/** The Python that `VRAMHUB_PYTHON` names or the cache holds; undefined where it has no PyTorch or transformers. */
export async function findPython(): Promise<string | undefined> {
  const python = Deno.env.get("VRAMHUB_PYTHON") ?? cachedPython();
  const args = [
    "-c",
    "import importlib.util as u; assert u.find_spec('torch') and u.find_spec('transformers')",
  ];
  try {
    const command = new Deno.Command(python, { args, stdout: "null", stderr: "null" });
    return (await command.output()).success ? python : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Have the environment in the cache, and the link `python` lead to it. A former one is deleted. Nothing stays twice:
 * pip keeps no cache of its own. About 3 GB come over the network, 6 GB stay.
 *
 * @throws {CommandError} where there is no Python, no room, or a package cannot be had.
 */
export async function installPython(progress: (line: string) => void): Promise<string> {
  const key = hashText(await Deno.readTextFile(REQUIREMENTS)).slice(0, 16);
  const folder = await cached(`${ENVIRONMENTS}/${key}`, async (draft) => {
    await checkRoom(draft);
    progress("PyTorch and transformers, about 3 GB, into the cache");
    await run("python3", ["-m", "venv", draft]);
    await run(`${draft}/bin/python`, [
      ...["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-cache-dir"],
      ...["--require-hashes", "--only-binary=:all:", "--no-deps", "--progress-bar=off"],
      ...["-r", decodeURIComponent(REQUIREMENTS.pathname)],
    ], {
      env: pipSettings(),
      onLine: (line) => {
        const [, wheel] = /^\s*Downloading (?:\S*\/)?(\S+\.whl.*)$/.exec(line) ?? [];
        if (wheel !== undefined) progress(wheel);
      },
    });
    // Not that it is installed but that it runs is what the tests need.
    await run(`${draft}/bin/python`, ["-c", IMPORTS], { env: { HF_HUB_OFFLINE: "1" } });
  });
  await use(folder);
  return cachedPython();
}

/** Lead the link to `folder`, and delete the other environments. */
async function use(folder: string): Promise<void> {
  const link = `${cacheRoot()}/python`;
  const own = folder.slice(folder.lastIndexOf("/") + 1);
  const draft = `${link}.${crypto.randomUUID()}`;
  await Deno.symlink(`${ENVIRONMENTS}/${own}`, draft);
  await Deno.rename(draft, link);
  for await (const { name } of Deno.readDir(`${cacheRoot()}/${ENVIRONMENTS}`)) {
    // Drafts belong to whoever makes one now.
    if (name === own || name.startsWith(".draft-")) continue;
    await Deno.remove(`${cacheRoot()}/${ENVIRONMENTS}/${name}`, { recursive: true });
  }
}

async function checkRoom(path: string): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  if (free >= ROOM) return;
  throw new CommandError(
    `Cannot install PyTorch: it takes ${ROOM / 1e9} GB, ${(free / 1e9).toFixed(1)} are free`,
    true,
  );
}

/** The caller's settings of pip: an index of their own, certificates. */
function pipSettings(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => name.startsWith("PIP_")),
  );
}
