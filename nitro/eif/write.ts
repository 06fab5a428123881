/**
 * Writes images byte for byte as AWS's tools do.
 *
 * @module
 */
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { chunks, type Content, sourceOf } from "../source.ts";
import { crc32 } from "../../enclave/protocol/crc32.ts";
import {
  CMDLINE,
  CRC_AT,
  DEFAULT_CPUS,
  DEFAULT_MEMORY,
  HEADER_BYTES,
  MAGIC,
  MAX_EIF_BYTES,
  MAX_RAMDISKS,
  MAX_SECTION_BYTES,
  OFFSETS_AT,
  SECTION_HEADER_BYTES,
  SECTION_TYPE,
  type SectionType,
  SIZES_AT,
  VERSION,
} from "./format.ts";

/** What goes into an image for x86-64. */
export interface EifParts {
  /** The kernel, a bzImage. */
  readonly kernel: Content;
  /** Its command line: printable ASCII, at most 4,096 bytes. */
  readonly cmdline: string;
  /** The metadata section as `encodeMetadata` writes it. It is in no PCR. */
  readonly metadata: Content;
  /** 1 to 28 ramdisks in order: the first is the platform (PCR1), the others are the program (PCR2). */
  readonly ramdisks: readonly Content[];
}

/**
 * The bytes of an image, piece by piece: write each before you take the next. Every part is read twice, since the
 * header comes first and holds the CRC of them all.
 *
 * @throws {RangeError} where a part is empty or too large, or the command line is not printable ASCII.
 */
export function* encodeEif({ kernel, cmdline, metadata, ramdisks }: EifParts): Generator<
  Uint8Array
> {
  if (!CMDLINE.test(cmdline)) {
    throw new RangeError(
      `Cannot write a command line as it is not printable ASCII: current value is ${
        JSON.stringify(cmdline)
      }`,
    );
  }
  if (ramdisks.length < 1 || ramdisks.length > MAX_RAMDISKS) {
    throw new RangeError(
      `Cannot write an image as the number of ramdisks is not 1 to ${MAX_RAMDISKS}: current value is ${ramdisks.length}`,
    );
  }
  const sections: readonly (readonly [SectionType, Content])[] = [
    ["kernel", kernel],
    ["cmdline", utf8(cmdline)],
    ["metadata", metadata],
    ...ramdisks.map((ramdisk) => ["ramdisk", ramdisk] as const),
  ];
  yield headerOf(sections);
  for (const section of sections) yield* sectionChunks(...section);
}

function headerOf(sections: readonly (readonly [SectionType, Content])[]): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, MAGIC);
  view.setUint16(4, VERSION);
  view.setBigUint64(8, BigInt(DEFAULT_MEMORY));
  view.setBigUint64(16, BigInt(DEFAULT_CPUS));
  view.setUint16(26, sections.length);
  let end = HEADER_BYTES;
  for (const [i, [type, content]] of sections.entries()) {
    const { size } = sourceOf(content);
    if (size < 1 || size > MAX_SECTION_BYTES[type]) {
      throw new RangeError(
        `Cannot write a ${type} as its size is not 1 to ${
          MAX_SECTION_BYTES[type]
        } bytes: current value is ${size}`,
      );
    }
    view.setBigUint64(OFFSETS_AT + 8 * i, BigInt(end));
    view.setBigUint64(SIZES_AT + 8 * i, BigInt(size));
    end += SECTION_HEADER_BYTES + size;
  }
  if (end > MAX_EIF_BYTES) {
    throw new RangeError(
      `Cannot write an image of more than ${MAX_EIF_BYTES} bytes: current value is ${end}`,
    );
  }
  let crc = crc32(header.subarray(0, CRC_AT));
  for (const section of sections) {
    for (const piece of sectionChunks(...section)) crc = crc32(piece, crc);
  }
  view.setUint32(CRC_AT, crc);
  return header;
}

function* sectionChunks(type: SectionType, content: Content): Generator<Uint8Array> {
  const header = new Uint8Array(SECTION_HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint16(0, SECTION_TYPE[type]);
  view.setBigUint64(4, BigInt(sourceOf(content).size));
  yield header;
  yield* chunks(content);
}
