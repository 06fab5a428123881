/**
 * `enclave:reproduce`: the image built twice from nothing but the fetched sources, by two builders who have little in
 * common, and compared.
 *
 * @module
 */
import { cacheRoot } from "../cache.ts";
import { compareEifs, type Difference } from "../compare.ts";
import { readEif } from "../eif/mod.ts";
import { sha256Of } from "../fetch.ts";
import { type Conditions, copyTree, hasTools, runIn, TWO_BUILDERS } from "./clones.ts";
import { openSource, useNativeHashes } from "./native.ts";

/** What `enclave:build` makes; the first is the image. */
export const OUTPUTS = [
  "vramhub-enclave.eif",
  "pcrs.json",
  "vramhub-enclave.sbom.json",
  "build-inputs.json",
] as const;

/** What came of it. */
export interface Reproduction {
  /** Whether every output has the same bytes. */
  readonly reproduced: boolean;
  /** The outputs that differ. */
  readonly differing: readonly string[];
  /** What of the image differs: sections, and files in them. */
  readonly moved: readonly Difference[];
  /** SHA-256 of the first builder's image. */
  readonly eif_sha256: string;
  /** What could not be varied here, as a tool for it is not at hand. */
  readonly not_varied: readonly string[];
}

/** What a build's own lines of progress begin with. */
const CLOCK = /^ *[\d.]+ s {2}/;
/** Folders of the two, of different lengths and depths. */
const FOLDERS = ["a", "the-second/builders/own-folder"];

/**
 * Build twice and compare. The kernel is compiled twice: minutes.
 *
 * @throws {CommandError} where a build fails.
 */
export async function reproduce(progress: (line: string) => void): Promise<Reproduction> {
  const sources = `${cacheRoot()}/sources`;
  await Deno.mkdir(sources, { recursive: true });
  const tools = await hasTools();
  const fresh = await Deno.makeTempDir({ prefix: "vramhub-reproduce-" });
  const outs = FOLDERS.map((folder) => `${fresh}/${folder}/out`);
  try {
    // Both before either builds: somebody may work on this tree meanwhile.
    for (const folder of FOLDERS) await copyTree(`${fresh}/${folder}/tree`);
    for (const [index, conditions] of TWO_BUILDERS.entries()) {
      const folder = `${fresh}/${FOLDERS[index]}`;
      progress(`builder ${index + 1}: ${inWords(conditions)}, ${folder}`);
      await Deno.mkdir(`${folder}/cache`);
      await Deno.symlink(sources, `${folder}/cache/sources`);
      const args = ["run", "-A", "--quiet", "nitro/tool/main.ts", "build", "--out", outs[index]!];
      await runIn(`${folder}/tree`, `${folder}/cache`, conditions, args, (line) => {
        progress(line.replace(CLOCK, ""));
      });
    }
    const differing: string[] = [];
    for (const name of OUTPUTS) {
      const [first, second] = await Promise.all(outs.map((out) => sha256Of(`${out}/${name}`)));
      progress(`${name}: ${first === second ? `the same bytes, ${first}` : "DIFFERENT"}`);
      if (first !== second) differing.push(name);
    }
    useNativeHashes();
    using first = openSource(`${outs[0]}/${OUTPUTS[0]}`);
    using second = openSource(`${outs[1]}/${OUTPUTS[0]}`);
    const moved = compareEifs(readEif(first), readEif(second));
    for (const { section, path, change } of moved) progress(`${section} ${path ?? ""} ${change}`);
    const not_varied = [
      ...(tools.taskset ? [] : ["CPUs (taskset)"]),
      ...(tools.faketime ? [] : ["date (faketime)"]),
    ];
    if (not_varied.length > 0) progress(`not varied: ${not_varied.join(", ")}`);
    const eif_sha256 = await sha256Of(`${outs[0]}/${OUTPUTS[0]}`);
    return { reproduced: differing.length === 0, differing, moved, eif_sha256, not_varied };
  } finally {
    await Deno.remove(fresh, { recursive: true });
  }
}

function inWords({ umask, timeZone, locale, oneCpu, days }: Conditions): string {
  const mask = umask.toString(8).padStart(3, "0");
  const cpus = oneCpu ? "1 CPU" : "all CPUs";
  return [`umask ${mask}`, timeZone, locale, cpus, days === 0 ? "today" : `in ${days} days`]
    .join(", ");
}
