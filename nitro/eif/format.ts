/**
 * The Enclave Image Format, version 4 (`aws-nitro-enclaves-image-format`, `defs`). All integers are big endian.
 *
 * ```
 * header, 548 bytes                          section, one after another, no gaps
 *   0  magic ".eif"                            0  type u16
 *   4  version u16 = 4                         2  flags u16 = 0
 *   6  flags u16: bit 0 is aarch64             4  size u64
 *   8  default memory u64, bytes              12  its bytes
 *  16  default vCPUs u64
 *  24  reserved u16 = 0
 *  26  number of sections u16
 *  28  offsets of the sections, 32 × u64 (of their 12-byte headers), unused ones 0
 * 284  sizes of the sections, 32 × u64 (without those headers), unused ones 0
 * 540  unused u32 = 0
 * 544  CRC-32 u32 of the whole file but these four bytes
 * ```
 *
 * The sections are a kernel, a command line, metadata, one ramdisk or more, and at most one signature.
 *
 * @module
 */

/** Bytes of the header. */
export const HEADER_BYTES = 548;
/** Bytes before each section's own. */
export const SECTION_HEADER_BYTES = 12;
/** `.eif` in ASCII. */
export const MAGIC = 0x2e656966;
/** The version that is written and read. */
export const VERSION = 4;
/** Sections that the header has room for. */
export const MAX_SECTIONS = 32;
/** Where the header's tables and the CRC lie. */
export const OFFSETS_AT = 28;
/** Sizes of the sections. */
export const SIZES_AT: number = OFFSETS_AT + 8 * MAX_SECTIONS;
/** The word that is always zero. */
export const UNUSED_AT: number = SIZES_AT + 8 * MAX_SECTIONS;
/** The CRC-32. */
export const CRC_AT: number = UNUSED_AT + 4;
/** The header's flag for aarch64; without it the image is for x86-64. */
export const FLAG_AARCH64 = 1;
/** What AWS's tools write; `nitro-cli run-enclave` says its own. */
export const DEFAULT_MEMORY = 1_073_741_824;
/** What AWS's tools write; `nitro-cli run-enclave` says its own. */
export const DEFAULT_CPUS = 2;

/** Type numbers of the sections. */
export const SECTION_TYPE = {
  kernel: 1,
  cmdline: 2,
  ramdisk: 3,
  signature: 4,
  metadata: 5,
} as const;

/** What a section is. */
export type SectionType = keyof typeof SECTION_TYPE;

/** Most bytes of a section, by what it is. A ramdisk's is also the most of a whole image. */
export const MAX_SECTION_BYTES: Readonly<Record<SectionType, number>> = {
  kernel: 268_435_456,
  cmdline: 4_096,
  metadata: 1_048_576,
  ramdisk: 2_147_483_648,
  signature: 65_536,
};
/** Most bytes of an image. */
export const MAX_EIF_BYTES = 2_147_483_648;
/** Ramdisks that fit beside kernel, command line, metadata and signature. */
export const MAX_RAMDISKS = MAX_SECTIONS - 4;

/** A command line that Linux reads as it stands: printable ASCII. */
export const CMDLINE = /^[\x20-\x7e]+$/;
