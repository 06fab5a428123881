/**
 * Reads images strictly: whatever AWS's tools would not have written is refused. Sections are ranges of the
 * source, nothing is copied; the one pass over all of it is the CRC's.
 *
 * @module
 */
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { chunks, type Content, part, type Source, sourceOf, wholeOf } from "../source.ts";
import { crc32 } from "../../enclave/protocol/crc32.ts";
import {
  CMDLINE,
  CRC_AT,
  FLAG_AARCH64,
  HEADER_BYTES,
  MAGIC,
  MAX_EIF_BYTES,
  MAX_SECTION_BYTES,
  MAX_SECTIONS,
  OFFSETS_AT,
  SECTION_HEADER_BYTES,
  SECTION_TYPE,
  type SectionType,
  SIZES_AT,
  UNUSED_AT,
  VERSION,
} from "./format.ts";

/** A section of an image. */
export interface EifSection {
  /** What it is. */
  readonly type: SectionType;
  /** What people call it: its type, of ramdisks with their number from 0. */
  readonly name: string;
  /** Where its own bytes begin. */
  readonly offset: number;
  /** Its own bytes. */
  readonly content: Source;
}

/** What an image is made of. */
export interface Eif {
  /** What it runs on. */
  readonly architecture: "x86_64" | "aarch64";
  /** The memory that it asks for, bytes. `nitro-cli run-enclave` says its own. */
  readonly defaultMemory: bigint;
  /** The vCPUs that it asks for. `nitro-cli run-enclave` says its own. */
  readonly defaultCpus: bigint;
  /** The CRC-32, which is right. */
  readonly crc: number;
  /** Every section in order. */
  readonly sections: readonly EifSection[];
  /** The kernel. */
  readonly kernel: Source;
  /** Its command line. */
  readonly cmdline: string;
  /** The metadata, JSON: see `parseMetadata`. */
  readonly metadata: Source;
  /** Ramdisks in order, at least one. */
  readonly ramdisks: readonly Source[];
  /** Whether a signature section is there. It is not verified. */
  readonly signed: boolean;
}

/** Bits that no image has. */
const UNKNOWN_FLAGS = 0xffff & ~FLAG_AARCH64;

/**
 * Read an image, version 4.
 *
 * @throws {Refusal} whose `field` is the part at fault: `too_large`, `truncated`, `not_an_eif`, `bad_version`,
 *   `bad_flags`, `bad_reserved`, `bad_section_count`, `bad_section_order`, `bad_section_offset` (a gap, an overlap,
 *   or out of order), `bad_section_size` (empty, or the two places that state it differ), `bad_section_type`,
 *   `trailing_bytes`, `bad_crc`, `bad_cmdline`.
 */
export function readEif(content: Content): Eif {
  const file = sourceOf(content);
  if (file.size > MAX_EIF_BYTES) {
    throw refuse("too_large", "file", `${file.size} bytes are more than ${MAX_EIF_BYTES}`);
  }
  if (file.size < HEADER_BYTES) {
    throw refuse("truncated", "header", `it has ${HEADER_BYTES} bytes, the file ${file.size}`);
  }
  const bytes = file.read(0, HEADER_BYTES).slice();
  const header = new DataView(bytes.buffer);
  const sections = sectionsOf(file, header, checkedCount(header));
  checkCrc(file, header.getUint32(CRC_AT));
  const only = (wanted: SectionType) => sections.find(({ type }) => type === wanted)!.content;
  return {
    architecture: header.getUint16(6) === FLAG_AARCH64 ? "aarch64" : "x86_64",
    defaultMemory: header.getBigUint64(8),
    defaultCpus: header.getBigUint64(16),
    crc: header.getUint32(CRC_AT),
    sections,
    kernel: only("kernel"),
    cmdline: cmdlineOf(only("cmdline")),
    metadata: only("metadata"),
    ramdisks: sections.filter(({ type }) => type === "ramdisk").map(({ content }) => content),
    signed: sections.at(-1)!.type === "signature",
  };
}

/** The number of sections, once everything before the tables is as it must be. */
function checkedCount(header: DataView): number {
  if (header.getUint32(0) !== MAGIC) {
    throw refuse("not_an_eif", "magic", "the file does not begin with .eif");
  }
  const version = header.getUint16(4);
  if (version !== VERSION) {
    throw refuse("bad_version", "version", `it is ${version}, and only ${VERSION} is read`);
  }
  if ((header.getUint16(6) & UNKNOWN_FLAGS) !== 0) {
    throw refuse("bad_flags", "flags", "an unknown bit is set");
  }
  if (header.getUint16(24) !== 0 || header.getUint32(UNUSED_AT) !== 0) {
    throw refuse("bad_reserved", "reserved", "a field that is always zero is not");
  }
  const count = header.getUint16(26);
  // A kernel, a command line, metadata and a ramdisk are the least.
  if (count < 4 || count > MAX_SECTIONS) {
    throw refuse("bad_section_count", "sections", `${count} are not 4 to ${MAX_SECTIONS}`);
  }
  for (let i = count; i < MAX_SECTIONS; i++) {
    const used = header.getBigUint64(OFFSETS_AT + 8 * i) | header.getBigUint64(SIZES_AT + 8 * i);
    if (used !== 0n) {
      throw refuse("bad_section_count", "sections", `number ${i} is there, and ${count} are said`);
    }
  }
  return count;
}

function sectionsOf(file: Source, header: DataView, count: number): EifSection[] {
  const sections: EifSection[] = [];
  let end = HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const at = header.getBigUint64(OFFSETS_AT + 8 * i);
    const said = header.getBigUint64(SIZES_AT + 8 * i);
    const where = `section ${i}`;
    if (at !== BigInt(end)) {
      throw refuse("bad_section_offset", where, `it is ${at}, and the one before ends at ${end}`);
    }
    if (end + SECTION_HEADER_BYTES > file.size) {
      throw refuse("truncated", where, "the file ends within its header");
    }
    const own = file.read(end, SECTION_HEADER_BYTES).slice();
    const view = new DataView(own.buffer);
    const type = typeOf(view.getUint16(0), i, count, where);
    if (view.getUint16(2) !== 0) throw refuse("bad_flags", where, "a flag is set");
    if (view.getBigUint64(4) !== said) {
      throw refuse("bad_section_size", where, `${view.getBigUint64(4)} and ${said} are stated`);
    }
    if (said === 0n) throw refuse("bad_section_size", where, "it is empty");
    if (said > BigInt(MAX_SECTION_BYTES[type])) {
      throw refuse("too_large", where, `${said} bytes are more than ${MAX_SECTION_BYTES[type]}`);
    }
    const offset = end + SECTION_HEADER_BYTES;
    end = offset + Number(said);
    if (end > file.size) throw refuse("truncated", where, `it ends at ${end} of ${file.size}`);
    const number = sections.filter((section) => section.type === "ramdisk").length;
    const name = type === "ramdisk" ? `ramdisk ${number}` : type;
    sections.push({ type, name, offset, content: part(file, offset, Number(said)) });
  }
  if (end !== file.size) {
    throw refuse("trailing_bytes", "file", `${file.size - end} bytes are behind the last section`);
  }
  return sections;
}

/** Kernel, command line, metadata, ramdisks, and then perhaps a signature. */
function typeOf(value: number, index: number, count: number, where: string): SectionType {
  const type = (Object.keys(SECTION_TYPE) as SectionType[])
    .find((name) => SECTION_TYPE[name] === value);
  if (type === undefined) throw refuse("bad_section_type", where, `${value} is none`);
  const fixed = (["kernel", "cmdline", "metadata", "ramdisk"] as const)[index];
  const last = index === count - 1 && type === "signature";
  const right = fixed === undefined ? type === "ramdisk" || last : type === fixed;
  if (!right) throw refuse("bad_section_order", where, `it is a ${type}`);
  return type;
}

function checkCrc(file: Source, stated: number): void {
  let crc = crc32(file.read(0, CRC_AT));
  for (const piece of chunks(part(file, HEADER_BYTES, file.size - HEADER_BYTES))) {
    crc = crc32(piece, crc);
  }
  if (crc === stated) return;
  const hex = (value: number) => value.toString(16).padStart(8, "0");
  throw refuse("bad_crc", "crc", `it is ${hex(crc)}, and ${hex(stated)} is stated`);
}

function cmdlineOf(content: Source): string {
  const bytes = wholeOf(content, MAX_SECTION_BYTES.cmdline, "cmdline");
  const text = String.fromCharCode(...bytes);
  if (!CMDLINE.test(text)) throw refuse("bad_cmdline", "cmdline", "it is not printable ASCII");
  return text;
}

function refuse(code: string, field: string, problem: string): Refusal {
  return new Refusal(code, `Cannot read an image: '${field}': ${problem}`, field);
}
