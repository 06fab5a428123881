/**
 * The metadata section of an image: the JSON that AWS's tools write, byte for byte. No space, these keys in this
 * order, keys of `CustomMetadata` and `DockerInfo` sorted by their bytes. It is in no PCR, so that nothing in it is
 * to be believed.
 *
 * @module
 */
import { compare, equal, utf8 } from "../enclave/protocol/bytes.ts";
import { Refusal } from "../enclave/protocol/refusal.ts";
import { type Content, wholeOf } from "./source.ts";

/** A JSON value whose numbers are whole and safe: what others print of fractions is theirs. */
export type Json = null | boolean | number | string | readonly Json[] | {
  readonly [key: string]: Json;
};

/** What a metadata section says. */
export interface Metadata {
  /** The image's name. */
  readonly imageName: string;
  /** The image's version. */
  readonly imageVersion: string;
  /** When it was built, RFC 3339. A reproducible build says a fixed time. */
  readonly buildTime: string;
  /** What built it. */
  readonly buildTool: string;
  /** Its version. */
  readonly buildToolVersion: string;
  /** As `Linux`. */
  readonly operatingSystem: string;
  /** The kernel's version. */
  readonly kernelVersion: string;
  /** What Docker said of the image, null without Docker. */
  readonly dockerInfo: Json;
  /** Anything else, null for nothing. */
  readonly customMetadata: Json;
}

/** Most bytes of a metadata section. */
const MAX_BYTES = 1_048_576;
const MAX_DEPTH = 32;

/**
 * The metadata section.
 *
 * @throws {TypeError} where a text is not well-formed Unicode, a number is not a safe integer, or a value is none of
 *   JSON or nested too deep.
 */
export function encodeMetadata(metadata: Metadata): Uint8Array<ArrayBuffer> {
  const own = (fields: readonly (readonly [string, Json])[]) =>
    `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${json(value)}`).join(",")}}`;
  const build = own([
    ["BuildTime", metadata.buildTime],
    ["BuildTool", metadata.buildTool],
    ["BuildToolVersion", metadata.buildToolVersion],
    ["OperatingSystem", metadata.operatingSystem],
    ["KernelVersion", metadata.kernelVersion],
  ]);
  const head = own([["ImageName", metadata.imageName], ["ImageVersion", metadata.imageVersion]]);
  const tail = own([
    ["DockerInfo", metadata.dockerInfo],
    ["CustomMetadata", metadata.customMetadata],
  ]);
  return utf8(`${head.slice(0, -1)},"BuildMetadata":${build},${tail.slice(1)}`);
}

/**
 * Read a metadata section that is written as {@linkcode encodeMetadata} writes it.
 *
 * @throws {Refusal} `too_large` or `bad_metadata`.
 */
export function parseMetadata(content: Content): Metadata {
  const bytes = wholeOf(content, MAX_BYTES, "metadata");
  let metadata: Metadata;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(text);
    const build = value.BuildMetadata;
    metadata = {
      imageName: string(value.ImageName),
      imageVersion: string(value.ImageVersion),
      buildTime: string(build.BuildTime),
      buildTool: string(build.BuildTool),
      buildToolVersion: string(build.BuildToolVersion),
      operatingSystem: string(build.OperatingSystem),
      kernelVersion: string(build.KernelVersion),
      dockerInfo: value.DockerInfo,
      customMetadata: value.CustomMetadata,
    };
    // One comparison refuses unknown, repeated, missing and unordered keys, and every other spelling.
    if (equal(encodeMetadata(metadata), bytes)) return metadata;
  } catch (error) {
    throw bad(`it is not the JSON that is expected (${(error as Error).message})`);
  }
  throw bad("it is not in the canonical form");
}

function string(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("a text is missing");
  return value;
}

/** As `serde_json` prints: the same escapes as `JSON.stringify`, keys sorted by their UTF-8 bytes. */
function json(value: Json, depth = 0): string {
  if (depth > MAX_DEPTH) throw new TypeError("Cannot write metadata: it is nested too deep");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
    throw new TypeError(`Cannot write metadata as a number is no safe integer: it is ${value}`);
  }
  if (typeof value === "string") {
    if (value.isWellFormed()) return JSON.stringify(value);
    throw new TypeError("Cannot write metadata: a text is not well-formed Unicode");
  }
  if (Array.isArray(value)) return `[${value.map((item) => json(item, depth + 1)).join(",")}]`;
  if (typeof value !== "object") throw new TypeError("Cannot write metadata: a value is no JSON");
  const fields = Object.entries(value).map(([key, item]) => ({ key: utf8(key), text: key, item }));
  fields.sort((a, b) => compare(a.key, b.key));
  const written = fields.map(({ text, item }) =>
    `${json(text, depth + 1)}:${json(item, depth + 1)}`
  );
  return `{${written.join(",")}}`;
}

function bad(problem: string): Refusal {
  return new Refusal("bad_metadata", `Cannot read an image's metadata: ${problem}`, "metadata");
}
