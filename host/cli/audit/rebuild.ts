/**
 * `deno task audit rebuild`: the image built from this source, held against a release.
 *
 * @module
 */
import {
  type ApprovedSet,
  MAX_MEASUREMENTS_BYTES,
  parseMeasurements,
} from "../../../attestation/mod.ts";
import { toHex, utf8 } from "../../../enclave/protocol/bytes.ts";
import { compareEifs, type Difference, movedPcrs } from "../../../nitro/compare.ts";
import { type Eif, readEif } from "../../../nitro/eif/mod.ts";
import { type Pcrs, pcrsOf } from "../../../nitro/pcr.ts";
import { useNativeHashes } from "../../../nitro/tool/native.ts";
import type { RebuildArgs } from "../args_rebuild.ts";
import { compare, type Compared, openImage } from "./eif.ts";
import { readInput } from "./input.ts";
import { rebuildText } from "./rebuild_report.ts";

/** Builds the image into the folder `out`; resolves to the paths of what it made. */
export type BuildImage = (options: {
  readonly out: string;
  readonly progress: (line: string) => void;
  readonly unpinned?: boolean;
}) => Promise<{ readonly eif: string; readonly pcrs: string; readonly sbom: string }>;

/** What a rebuild is. */
export type RebuildVerdict = "built" | "same" | "moved" | "unmeasured";

/** The status that the command ends with. 1 is a build that failed, 2 a wrong call. */
export const REBUILD_STATUS: Readonly<Record<RebuildVerdict, number>> = {
  built: 0,
  same: 0,
  moved: 3,
  unmeasured: 4,
};

/** What a rebuild is held against: an open image, or measurements. */
export type Reference =
  | { readonly kind: "eif"; readonly eif: Eif }
  | { readonly kind: "pcrs"; readonly approved: ApprovedSet };

/** What a rebuild found. */
export interface RebuildAudit {
  /** What it is. */
  readonly verdict: RebuildVerdict;
  /** PCR0, 1 and 2 of the build, recomputed from its bytes. */
  readonly pcrs: Pcrs;
  /** Differences from the reference image to the build; none without one. */
  readonly differences: readonly Difference[];
  /** The approved measurements beside the build's; undefined without them. */
  readonly compared: readonly Compared[] | undefined;
}

/** `.eif` in ASCII, which no JSON begins with. */
const EIF_MAGIC = ".eif";
const FAILED_STATUS = 1;

/** Hold a build against a reference. */
export function auditRebuild(built: Eif, reference: Reference | undefined): RebuildAudit {
  const pcrs = pcrsOf({ ...built, cmdline: utf8(built.cmdline) });
  if (reference === undefined) {
    return { verdict: "built", pcrs, differences: [], compared: undefined };
  }
  if (reference.kind === "pcrs") {
    const compared = compare(reference.approved, pcrs);
    const verdict = compared.some(({ moved }) => moved.length === 0) ? "same" : "moved";
    return { verdict, pcrs, differences: [], compared };
  }
  const differences = compareEifs(reference.eif, built);
  const verdict = differences.length === 0
    ? "same"
    : differences.some(({ section }) => movedPcrs(section).length > 0)
    ? "moved"
    : "unmeasured";
  return { verdict, pcrs, differences, compared: undefined };
}

/**
 * Run the command with what builds images; resolves to its status.
 *
 * @throws {Refusal} where the reference cannot be read.
 */
export async function runRebuild(args: RebuildArgs, build: BuildImage): Promise<number> {
  useNativeHashes();
  using opened = args.against === undefined ? undefined : await openReference(args.against);
  const out = args.out ?? await Deno.makeTempDir({ prefix: "vramhub-rebuild-" });
  try {
    const progress = (line: string) => console.error(`… ${line}`);
    const paths = await build({ out, progress, unpinned: args.unpinned }).catch((error) => {
      console.error(`error: the build failed: ${error instanceof Error ? error.message : error}`);
    });
    if (paths === undefined) return FAILED_STATUS;
    using file = openImage(paths.eif);
    const audit = auditRebuild(readEif(file), opened?.reference);
    const kept = args.out === undefined ? undefined : paths;
    console.log(args.json ? JSON.stringify(rebuildJson(audit, kept)) : rebuildText(audit, kept));
    return REBUILD_STATUS[audit.verdict];
  } finally {
    if (args.out === undefined) await Deno.remove(out, { recursive: true });
  }
}

/** The reference at `path`; dispose of it to close its file. */
export async function openReference(
  path: string,
): Promise<Disposable & { readonly reference: Reference }> {
  const file = openImage(path);
  try {
    const magic = String.fromCharCode(...file.read(0, Math.min(file.size, EIF_MAGIC.length)));
    if (magic === EIF_MAGIC) {
      const reference: Reference = { kind: "eif", eif: readEif(file) };
      return { reference, [Symbol.dispose]: () => file[Symbol.dispose]() };
    }
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
  file[Symbol.dispose]();
  const json = await readInput(path, { maxBytes: MAX_MEASUREMENTS_BYTES });
  return {
    reference: { kind: "pcrs", approved: parseMeasurements(json) },
    [Symbol.dispose]: () => {},
  };
}

function rebuildJson(audit: RebuildAudit, kept: { readonly eif: string } | undefined) {
  const { verdict, pcrs, differences, compared } = audit;
  return {
    verdict,
    status: REBUILD_STATUS[verdict],
    image: kept?.eif ?? null,
    pcrs: Object.fromEntries(pcrs.map((pcr, index) => [index, toHex(pcr)])),
    differences,
    approved: compared ?? null,
  };
}
