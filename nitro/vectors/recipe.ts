/**
 * The vectors of `eif.json`: images that AWS's own tool wrote, kept as the recipe of their inputs and the hashes of
 * what came out. `nitro/tool/aws_eif.ts` recorded them, and records them again.
 *
 * @module
 */
import { concat, u32le, utf8 } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import type { EifParts } from "../eif/mod.ts";
import { encodeMetadata, type Json, type Metadata } from "../metadata.ts";

/** Bytes that anyone can make: see {@linkcode bytesOf}. */
export interface Recipe {
  /** The text that they derive from. */
  readonly label: string;
  /** How many. */
  readonly size: number;
}

/** The inputs of an image. */
export interface EifInputs {
  /** What it is there for. */
  readonly name: string;
  /** The kernel. */
  readonly kernel: Recipe;
  /** The command line. */
  readonly cmdline: string;
  /** What stands in `CustomMetadata`. */
  readonly customMetadata: Json;
  /** The ramdisks. */
  readonly ramdisks: readonly Recipe[];
}

/** An image that AWS's tool wrote. */
export interface EifVector extends EifInputs {
  /** Its length in bytes. */
  readonly size: number;
  /** Its SHA-256. */
  readonly sha256: string;
  /** What the tool says of it: PCR0, PCR1 and PCR2. */
  readonly pcrs: readonly string[];
}

/** What `eif.json` holds. */
export interface EifVectors {
  /** The program that wrote the images. */
  readonly origin: string;
  /** How the inputs are made. */
  readonly recipe: string;
  /** The images. */
  readonly vectors: readonly EifVector[];
}

/** SHA-256(label ‖ 0 as u32le) ‖ SHA-256(label ‖ 1 as u32le) ‖ …, cut to `size`. */
export function bytesOf({ label, size }: Recipe): Uint8Array<ArrayBuffer> {
  const blocks = Array.from(
    { length: Math.ceil(size / 32) },
    (_, i) => sha256(utf8(label), u32le(i)),
  );
  return concat(...blocks).slice(0, size);
}

/** The metadata of every vector. `eif_build` 0.2.1 writes the image's name as its version too. */
export function metadataOf({ customMetadata }: EifInputs): Metadata {
  return {
    imageName: "vramhub",
    imageVersion: "vramhub",
    buildTime: "1970-01-01T00:00:00Z",
    buildTool: "recipe",
    buildToolVersion: "1",
    operatingSystem: "Linux",
    kernelVersion: "6.12",
    dockerInfo: null,
    customMetadata,
  };
}

/** The parts of an image, made by its recipe. */
export function partsOf(inputs: EifInputs): EifParts {
  return {
    kernel: bytesOf(inputs.kernel),
    cmdline: inputs.cmdline,
    metadata: encodeMetadata(metadataOf(inputs)),
    ramdisks: inputs.ramdisks.map(bytesOf),
  };
}
