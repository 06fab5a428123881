/**
 * An audited image for people and for programs.
 *
 * @module
 */
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { movedPcrs } from "../../../nitro/compare.ts";
import type { Contents, Inside } from "../../../nitro/contents.ts";
import { PCR2_OF_NOTHING } from "../../../nitro/pcr.ts";
import { printable } from "../present/format.ts";
import { EIF_STATUS, type EifAudit, type EifFound, type EifVerdict } from "./eif.ts";

/** Most problems of a kind that a page shows; `--json` has them all. */
const MAX_SHOWN = 20;

const MEANING: Readonly<Record<EifVerdict, string>> = {
  sound: "an image, and all that was asked of it holds",
  not_approved: "its measurements are NOT approved",
  not_whole: "its files are NOT those of its manifests, or one ramdisk covers another's",
  not_billed: "its files are NOT those of the SBOM",
  opaque: "a ramdisk CANNOT be looked into: it is no archive that this project writes",
  unreadable: "unreadable: not an image, or a damaged one",
};

/** The page, without a line break at its end. */
export function eifText(source: string, audit: EifAudit, list: boolean): string {
  const verdict = `verdict: ${MEANING[audit.verdict]}`;
  if (audit.verdict === "unreadable") {
    const { code, message } = audit.refusal;
    return [`image  ${source}`, "", `refused: ${code}: ${message}`, verdict].map(printable)
      .join("\n");
  }
  return [...body(source, audit.found, list), "", verdict].map(printable).join("\n");
}

/** The object; bytes are in hexadecimal. */
export function eifJson(source: string, audit: EifAudit, list: boolean): Record<string, unknown> {
  const { verdict } = audit;
  const head = { source, verdict, status: EIF_STATUS[verdict] };
  if (audit.verdict === "unreadable") return { ...head, refusal: refusalJson(audit.refusal) };
  const { found } = audit;
  const { eif } = found;
  return {
    ...head,
    size: found.size,
    architecture: eif.architecture,
    default_memory: String(eif.defaultMemory),
    default_cpus: String(eif.defaultCpus),
    crc32: hex32(eif.crc),
    signed: eif.signed,
    cmdline: eif.cmdline,
    metadata: orRefusal(found.metadata, (metadata) => metadata),
    sections: found.sections,
    pcrs: Object.fromEntries(found.pcrs.map((pcr, index) => [index, toHex(pcr)])),
    ramdisks: found.ramdisks.map((contents) =>
      orRefusal(contents, ({ entries, manifest }) => ({
        entries: entries.length,
        bytes: bytesIn(entries),
        manifest: manifest.path ?? null,
        problems: manifest.problems,
        ...(list ? { files: entries } : {}),
      }))
    ),
    overlaps: found.overlaps,
    approved: found.compared ?? null,
    sbom: found.billed ?? null,
  };
}

function body(source: string, found: EifFound, list: boolean): string[] {
  const { eif, pcrs, metadata, ramdisks } = found;
  const said = metadata instanceof Refusal
    ? `unreadable: ${metadata.message}`
    : `${metadata.imageName} ${metadata.imageVersion}, built by ${metadata.buildTool} ` +
      `${metadata.buildToolVersion}, ${metadata.buildTime} (in no PCR: a claim)`;
  return [
    ...aligned([
      ["image", `${source}, ${found.size} bytes, CRC-32 ${hex32(eif.crc)}`],
      ["runs on", `${eif.architecture}${eif.signed ? "; signed, which is not verified here" : ""}`],
      ["cmdline", eif.cmdline],
      ["metadata", said],
    ]),
    "",
    `${"section".padEnd(12)}${"bytes".padStart(12)}  ${"PCRs".padEnd(7)}SHA-256`,
    ...found.sections.map(({ name, size, sha256 }) => {
      const measured = movedPcrs(name).join(", ") || "none";
      return `${name.padEnd(12)}${String(size).padStart(12)}  ${measured.padEnd(7)}${sha256}`;
    }),
    "",
    ...aligned(pcrs.map((pcr, index) => [`PCR${index}`, toHex(pcr)])),
    ...(toHex(pcrs[2]) === PCR2_OF_NOTHING
      ? ["PCR2 is that of nothing: one ramdisk holds platform and program, PCR1 equals PCR0"]
      : []),
    "",
    ...ramdisks.flatMap((contents, i) => ramdiskLines(`ramdisk ${i}`, contents, list)),
    ...problems("in two ramdisks", found.overlaps),
    ...comparedLines(found),
    ...billedLines(found),
  ];
}

function ramdiskLines(name: string, contents: Contents | Refusal, list: boolean): string[] {
  if (contents instanceof Refusal) {
    return [`${name.padEnd(12)}cannot be looked into: ${contents.message}`];
  }
  const { entries, manifest } = contents;
  const holds = manifest.path === undefined
    ? "NOT whole: it has no manifest, or more than one"
    : manifest.problems.length > 0
    ? `NOT whole: ${manifest.path} disagrees`
    : `whole by ${manifest.path}`;
  return [
    `${name.padEnd(12)}${entries.length} entries, ${bytesIn(entries)} bytes in files, ${holds}`,
    ...problems("", manifest.problems.map(({ path, problem }) => `${problem}: ${path}`)),
    ...(list ? entries.map(entryLine) : []),
  ];
}

function entryLine({ kind, path, mode, size, sha256, target }: Inside): string {
  const what = kind === "file" ? sha256 : target === undefined ? "" : `-> ${target}`;
  const permissions = mode.toString(8).padStart(4, "0");
  return `  ${kind.padEnd(9)} ${permissions} ${String(size).padStart(10)}  /${path}  ${what}`
    .trimEnd();
}

function comparedLines({ compared }: EifFound): string[] {
  if (compared === undefined) return ["approved    not asked"];
  return compared.map(({ name, moved, suspects }) => {
    if (moved.length === 0) return `approved    as ${name}: PCR0, 1 and 2 are equal`;
    const where = suspects.length === 0
      ? "no change of one image can do that: these measurements are of no one image"
      : `moved: ${suspects.join(" or ")}`;
    return `approved    NOT as ${name}: ${moved.map((index) => `PCR${index}`).join(", ")} ${
      moved.length === 1 ? "differs" : "differ"
    }; ${where}`;
  });
}

function billedLines({ billed }: EifFound): string[] {
  if (billed === undefined) return ["SBOM        not asked"];
  if (billed.length === 0) return ["SBOM        names the kernel and every file, and nothing else"];
  const rows = billed.map(({ path, problem }) => `${problem}: ${path}`);
  return [`SBOM        disagrees in ${billed.length}`, ...problems("", rows)];
}

/** At most {@linkcode MAX_SHOWN} lines. */
function problems(what: string, rows: readonly string[]): string[] {
  const shown = rows.slice(0, MAX_SHOWN).map((row) => `  ${what === "" ? "" : `${what}: `}${row}`);
  const rest = rows.length - shown.length;
  return rest === 0 ? shown : [...shown, `  and ${rest} more: --json has them all`];
}

function bytesIn(entries: readonly Inside[]): number {
  return entries.reduce((sum, { kind, size }) => sum + (kind === "file" ? size : 0), 0);
}

function refusalJson({ code, field, message }: Refusal): Record<string, unknown> {
  return { code, field: field ?? null, message };
}

function orRefusal<T>(value: T | Refusal, of: (value: T) => unknown): unknown {
  return value instanceof Refusal ? { refusal: refusalJson(value) } : of(value);
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  return rows.map(([name, value]) => `${name.padEnd(12)}${value}`);
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, "0");
}
