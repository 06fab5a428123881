/**
 * `deno task audit eif`: an image taken apart, measured, and held against measurements and a bill of materials.
 *
 * @module
 */
import {
  type ApprovedSet,
  MAX_MEASUREMENTS_BYTES,
  parseMeasurements,
} from "../../../attestation/mod.ts";
import { equal, toHex, utf8 } from "../../../enclave/protocol/bytes.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { suspects } from "../../../nitro/compare.ts";
import { type Contents, contentsOf, manifestPaths, overlaps } from "../../../nitro/contents.ts";
import { digest } from "../../../nitro/digest.ts";
import { type Eif, readEif } from "../../../nitro/eif/mod.ts";
import { type Metadata, parseMetadata } from "../../../nitro/metadata.ts";
import { type Pcrs, pcrsOf } from "../../../nitro/pcr.ts";
import {
  checkSbom,
  MAX_SBOM_BYTES,
  parseSbom,
  type SbomComponent,
  type SbomProblem,
} from "../../../nitro/sbom.ts";
import type { Content } from "../../../nitro/source.ts";
import { openSource, useNativeHashes } from "../../../nitro/tool/native.ts";
import type { EifArgs } from "../args_eif.ts";
import { eifJson, eifText } from "./eif_report.ts";
import { readInput } from "./input.ts";

/** What an image is. */
export type EifVerdict =
  | "sound"
  | "not_approved"
  | "not_whole"
  | "not_billed"
  | "opaque"
  | "unreadable";

/** The status that the command ends with. 1 is a defect or an interruption, 2 a wrong call. */
export const EIF_STATUS: Readonly<Record<EifVerdict, number>> = {
  sound: 0,
  not_approved: 3,
  not_whole: 4,
  not_billed: 5,
  opaque: 6,
  unreadable: 7,
};

/** What an image is held against. */
export interface HeldAgainst {
  /** Approved measurements. */
  readonly approved?: ApprovedSet;
  /** The components of a bill. */
  readonly sbom?: readonly SbomComponent[];
}

/** An approved measurement beside the image's. */
export interface Compared {
  /** The approved measurement's name. */
  readonly name: string;
  /** The PCRs of 0, 1 and 2 that differ; none where the image is approved. */
  readonly moved: readonly number[];
  /** The sections that can have moved. */
  readonly suspects: readonly string[];
}

/** A section, by what people and programs compare it with. */
export interface SectionSummary {
  /** Its name. */
  readonly name: string;
  /** Where its bytes begin. */
  readonly offset: number;
  /** How many it has. */
  readonly size: number;
  /** Their SHA-256. */
  readonly sha256: string;
}

/** What was found in an image that can be read. */
export interface EifFound {
  /** Its length in bytes. */
  readonly size: number;
  /** The image. */
  readonly eif: Eif;
  /** Every section. */
  readonly sections: readonly SectionSummary[];
  /** PCR0, 1 and 2. */
  readonly pcrs: Pcrs;
  /** Its metadata, or why they cannot be read. In no PCR: no verdict depends on them. */
  readonly metadata: Metadata | Refusal;
  /** What is inside each ramdisk, or why that cannot be said. */
  readonly ramdisks: readonly (Contents | Refusal)[];
  /** Paths that more than one ramdisk has. */
  readonly overlaps: readonly string[];
  /** The approved measurements; undefined where none were given. */
  readonly compared: readonly Compared[] | undefined;
  /** What the bill and the image do not agree in; undefined without a bill. */
  readonly billed: readonly SbomProblem[] | undefined;
}

/** What an audit of an image found. */
export type EifAudit =
  | { readonly verdict: "unreadable"; readonly refusal: Refusal }
  | { readonly verdict: Exclude<EifVerdict, "unreadable">; readonly found: EifFound };

/** Take an image apart and hold it against what is given. */
export function auditEif(image: Content, against: HeldAgainst = {}): EifAudit {
  let eif: Eif;
  try {
    eif = readEif(image);
  } catch (refusal) {
    if (refusal instanceof Refusal) return { verdict: "unreadable", refusal };
    throw refusal;
  }
  const sections = eif.sections.map(({ name, offset, content }) => ({
    name,
    offset,
    size: content.size,
    sha256: toHex(digest("sha256", content)),
  }));
  const pcrs = pcrsOf({ ...eif, cmdline: utf8(eif.cmdline) });
  const ramdisks = eif.ramdisks.map((ramdisk) => attempt(() => contentsOf(ramdisk)));
  const readable = ramdisks.flatMap((contents) => contents instanceof Refusal ? [] : [contents]);
  const found: EifFound = {
    size: image instanceof Uint8Array ? image.length : image.size,
    eif,
    sections,
    pcrs,
    metadata: attempt(() => parseMetadata(eif.metadata)),
    ramdisks,
    overlaps: overlaps(readable),
    compared: against.approved === undefined ? undefined : compare(against.approved, pcrs),
    billed: against.sbom === undefined
      ? undefined
      : checkSbom(against.sbom, filesOf(readable, against.sbom), sections[0]!.sha256),
  };
  return { verdict: verdictOf(found), found };
}

/** The image's PCRs beside each approved measurement's. */
export function compare(approved: ApprovedSet, pcrs: Pcrs): Compared[] {
  return approved.map((measurement) => {
    const moved = [0, 1, 2].filter((index) =>
      !equal(pcrs[index]!, measurement.pcrs.get(index) ?? new Uint8Array())
    );
    return { name: measurement.name, moved, suspects: suspects(moved) };
  });
}

/** Run the command; resolves to its status. */
export async function runEif(args: EifArgs): Promise<number> {
  useNativeHashes();
  const against: HeldAgainst = {
    ...(args.against === undefined ? {} : {
      approved: parseMeasurements(
        await readInput(args.against, { maxBytes: MAX_MEASUREMENTS_BYTES }),
      ),
    }),
    ...(args.sbom === undefined
      ? {}
      : { sbom: parseSbom(await readInput(args.sbom, { maxBytes: MAX_SBOM_BYTES })) }),
  };
  using image = openImage(args.image);
  const audit = auditEif(image, against);
  console.log(
    args.json
      ? JSON.stringify(eifJson(args.image, audit, args.list))
      : eifText(args.image, audit, args.list),
  );
  return EIF_STATUS[audit.verdict];
}

/** An image's file; one that cannot be opened is a wrong call. */
export function openImage(path: string): ReturnType<typeof openSource> {
  try {
    return openSource(path);
  } catch (error) {
    throw new Refusal("cannot_read", `Cannot read '${path}': ${(error as Error).message}`, "image");
  }
}

/** The worst comes first: where a ramdisk cannot be looked into, nothing else can be said of its files. */
function verdictOf(found: EifFound): Exclude<EifVerdict, "unreadable"> {
  const { ramdisks, compared, billed } = found;
  if (ramdisks.some((contents) => contents instanceof Refusal)) return "opaque";
  const whole = ramdisks.every((contents) =>
    !(contents instanceof Refusal) && contents.manifest.path !== undefined &&
    contents.manifest.problems.length === 0
  );
  if (!whole || found.overlaps.length > 0) return "not_whole";
  if (compared !== undefined && compared.every(({ moved }) => moved.length > 0)) {
    return "not_approved";
  }
  return billed !== undefined && billed.length > 0 ? "not_billed" : "sound";
}

/** The files that a bill must name: the manifests, which are made of it all, only where it does. */
function filesOf(ramdisks: readonly Contents[], sbom: readonly SbomComponent[]) {
  const named = new Set(sbom.map(({ name }) => name));
  return ramdisks.flatMap(({ entries }) => {
    const manifests = new Set(manifestPaths(entries));
    return entries.filter(({ kind, path }) =>
      kind === "file" && (!manifests.has(path) || named.has(path))
    );
  });
}

function attempt<T>(read: () => T): T | Refusal {
  try {
    return read();
  } catch (refusal) {
    if (refusal instanceof Refusal) return refusal;
    throw refusal;
  }
}
