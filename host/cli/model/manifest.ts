/**
 * The manifest.json of a model package: what `python -m vram_sidecar.export` says of what it wrote.
 *
 * @module
 */
import { type Manifest, manifestOf } from "../../../enclave/model/params.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";

/** Bytes of a manifest.json at most. */
export const MAX_MANIFEST = 4 << 20;
/** The first field's value. */
const FORMAT = "vramhub-package/1";
/** The files that a package may list. */
const FILES = ["graph.onnx", "base.safetensors", "frozen.safetensors"] as const;
const DIMENSIONS = ["vocab", "layers", "dims", "heads", "context", "batch"] as const;
/** What the judge feeds and fetches: the graph's own names are these. */
const ROLES = ["tokens", "targets", "losses"] as const;

/** Dimensions of a model, in tokens, blocks, elements and pages. */
export type Dimensions = Readonly<Record<typeof DIMENSIONS[number], number>>;

/** A model as a package would hold it. */
export interface ModelShape {
  /** The model's name where it was exported. */
  readonly name: string;
  /** `all`, `last:N` or `lora:R`. */
  readonly trained: string;
  /** Its dimensions. */
  readonly dimensions: Dimensions;
  /** θ. */
  readonly trainable: Manifest;
  /** What stays. */
  readonly frozen: Manifest;
}

/** A package as its manifest describes it. */
export interface PackageManifest extends ModelShape {
  /** The model hash that a ledger names, hex. */
  readonly hash: string;
  /** Length and SHA-256 (hex) of each file. */
  readonly files: ReadonlyMap<string, { readonly bytes: number; readonly sha256: string }>;
}

function bad(field: string, what: string): Refusal {
  return new Refusal("bad_package", `Cannot read manifest.json: '${field}' is not ${what}`, field);
}

function record(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw bad(field, "an object");
  }
  return value as Record<string, unknown>;
}

function integer(value: unknown, field: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 1) throw bad(field, "a positive integer");
  return value as number;
}

function text(value: unknown, field: string, pattern: RegExp): string {
  if (typeof value !== "string" || !pattern.test(value)) throw bad(field, `of the form ${pattern}`);
  return value;
}

const HASH = /^[0-9a-f]{64}$/;

function topOf(json: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw bad("manifest.json", "JSON");
  }
  const top = record(parsed, "manifest.json");
  if (top.format !== FORMAT) throw bad("format", FORMAT);
  return top;
}

function shapeOf(top: Readonly<Record<string, unknown>>): ModelShape {
  const given = record(top.dimensions, "dimensions");
  const dimensions = Object.fromEntries(
    DIMENSIONS.map((name) => [name, integer(given[name], `dimensions.${name}`)]),
  ) as Record<typeof DIMENSIONS[number], number>;
  return {
    name: text(top.name, "name", /^[ -~]{1,256}$/),
    trained: text(top.trainable, "trainable", /^(all|(last|lora):[1-9][0-9]{0,3})$/),
    dimensions,
    ...parameters(top.parameters),
  };
}

/**
 * What `python -m vram_sidecar.export --describe` prints.
 *
 * @throws {Refusal} `bad_package`, with the field.
 */
export function parseShape(json: string): ModelShape {
  return shapeOf(topOf(json));
}

/**
 * Read the text of a manifest.json. What it says of parameters and files is compared with the files where they are
 * opened (`folder.ts`); its own form is checked here.
 *
 * @throws {Refusal} `bad_package`, with the field.
 */
export function parseManifest(json: string): PackageManifest {
  const top = topOf(json);
  const roles = record(top.roles, "roles");
  for (const role of ROLES) if (roles[role] !== role) throw bad(`roles.${role}`, role);
  const files = new Map<string, { bytes: number; sha256: string }>();
  const listed = record(top.files, "files");
  for (const name of FILES) {
    if (listed[name] === undefined && name === "frozen.safetensors") continue;
    const file = record(listed[name], `files.${name}`);
    files.set(name, {
      bytes: integer(file.bytes, `files.${name}.bytes`),
      sha256: text(file.sha256, `files.${name}.sha256`, HASH),
    });
  }
  return { ...shapeOf(top), hash: text(top.hash, "hash", HASH), files };
}

function parameters(value: unknown): { trainable: Manifest; frozen: Manifest } {
  if (!Array.isArray(value)) throw bad("parameters", "a list");
  const shapes: Record<"true" | "false", Record<string, number[]>> = { true: {}, false: {} };
  for (const [i, item] of value.entries()) {
    const field = `parameters[${i}]`;
    const { name, shape, trainable } = record(item, field);
    if (typeof trainable !== "boolean") throw bad(`${field}.trainable`, "true or false");
    if (!Array.isArray(shape) || shape.length > 8) throw bad(`${field}.shape`, "a shape");
    shapes[`${trainable}`][text(name, `${field}.name`, /^[!-~]{1,256}$/)] = shape.map((n) =>
      integer(n, `${field}.shape`)
    );
  }
  return { trainable: manifestOf(shapes.true), frozen: manifestOf(shapes.false) };
}
