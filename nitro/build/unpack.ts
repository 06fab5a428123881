/**
 * The kept files of a pinned package.
 *
 * @module
 */
import { cached } from "../cache.ts";
import { run } from "../command.ts";
import { fetchPin } from "../fetch.ts";
import { keeps, type Pin } from "../lock.ts";
import { hashText } from "../text.ts";

/** A file of a package. */
export interface PackageFile {
  /** Its path in the package. */
  readonly path: string;
  /** What it holds. */
  readonly content: Uint8Array<ArrayBuffer>;
}

/**
 * The files of `pin` that it keeps, in the order of their paths.
 *
 * @throws {Error} where one of the names that it keeps matches nothing.
 */
export async function unpack(pin: Pin, progress: (line: string) => void): Promise<PackageFile[]> {
  const kept = pin.keep ?? [];
  const folder = await cached(
    `unpacked/${pin.sha256}-${hashText(...kept).slice(0, 16)}`,
    async (draft) => {
      const archive = await fetchPin(pin, { progress });
      const all = `${draft}/all`;
      await Deno.mkdir(all);
      await (pin.kind === "deb"
        ? run("dpkg-deb", ["-x", archive, all])
        : run("tar", ["-xzf", archive, "--strip-components=1", "--no-same-owner", "-C", all]));
      await Deno.mkdir(`${draft}/kept`);
      for (const path of await filesIn(all)) {
        if (!keeps(pin, path)) continue;
        const target = `${draft}/kept/${path}`;
        await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
        await Deno.rename(`${all}/${path}`, target);
      }
      await Deno.remove(all, { recursive: true });
    },
  );
  const paths = await filesIn(`${folder}/kept`);
  for (const pattern of kept) {
    if (!paths.some((path) => keeps({ ...pin, keep: [pattern] }, path))) {
      throw new Error(`Cannot find '${pattern}' in ${pin.name} ${pin.version}`);
    }
  }
  return await Promise.all(paths.map(async (path) => ({
    path,
    content: await Deno.readFile(`${folder}/kept/${path}`),
  })));
}

/** Paths of the regular files under `folder`, sorted. */
export async function filesIn(folder: string, prefix = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(`${folder}/${prefix}`)) {
    if (entry.isFile) paths.push(prefix + entry.name);
    if (entry.isDirectory) paths.push(...await filesIn(folder, `${prefix}${entry.name}/`));
  }
  return paths.sort();
}
