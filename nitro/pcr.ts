/**
 * What a Nitro enclave measures of its image (AWS Nitro Enclaves User Guide, "Cryptographic attestation";
 * `aws-nitro-enclaves-image-format`, `get_pcrs`):
 *
 * - PCR0: kernel, command line and every ramdisk;
 * - PCR1: kernel, command line and the first ramdisk, here the platform;
 * - PCR2: the other ramdisks, here the program.
 *
 * The metadata and the header are in none. PCR8, of a signing certificate, is all zero in an image without one.
 *
 * @module
 */
import { digest } from "./digest.ts";
import type { Content } from "./source.ts";

/** Bytes of a PCR. */
const PCR_BYTES = 48;

/** The measured sections of an image. */
export interface Measured {
  /** The kernel, a bzImage. */
  readonly kernel: Content;
  /** Its command line, without a final NUL. */
  readonly cmdline: Content;
  /** Ramdisks in order, at least one. */
  readonly ramdisks: readonly Content[];
}

/** PCR0, PCR1 and PCR2, 48 bytes each. */
export type Pcrs = readonly [
  Uint8Array<ArrayBuffer>,
  Uint8Array<ArrayBuffer>,
  Uint8Array<ArrayBuffer>,
];

/**
 * PCR2 of every image that has only one ramdisk. Such an image is measured once, not twice: "three PCRs are equal"
 * says no more there than "PCR0 is equal".
 */
export const PCR2_OF_NOTHING: string =
  "21b9efbc184807662e966d34f390821309eeac6802309798826296bf3e8bec7c" +
  "10edb30948c90ba67310f7b964fc500a";

/** A register that began as zeroes, extended once by the SHA-384 of `contents`. */
function extended(...contents: readonly Content[]): Uint8Array<ArrayBuffer> {
  return digest("sha384", new Uint8Array(PCR_BYTES), digest("sha384", ...contents));
}

/** PCR0, PCR1 and PCR2 of an image. */
export function pcrsOf({ kernel, cmdline, ramdisks }: Measured): Pcrs {
  const [first, ...others] = ramdisks;
  if (first === undefined) throw new TypeError("Cannot measure an image without a ramdisk");
  return [
    extended(kernel, cmdline, ...ramdisks),
    extended(kernel, cmdline, first),
    extended(...others),
  ];
}
