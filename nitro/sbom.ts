/**
 * A software bill of materials (CycloneDX 1.4 to 1.7, JSON) held against what an image really holds.
 *
 * What is read of it: components of type `file`, nested ones too, whose `name` is a path in a ramdisk (with or
 * without a leading slash), and the component of type `operating-system`, which is the kernel; of both the hash
 * `SHA-256`. Other components name where the files came from, which bytes cannot tell.
 *
 * @module
 */
import { Refusal } from "../enclave/protocol/refusal.ts";
import { type Content, wholeOf } from "./source.ts";

/** Most bytes of a bill. */
export const MAX_SBOM_BYTES = 33_554_432;

const MAX_COMPONENTS = 262_144;
const MAX_DEPTH = 32;
const SHA256 = /^[0-9a-f]{64}$/;

/** A component whose hash can be compared. */
export interface SbomComponent {
  /** What it is. */
  readonly type: "file" | "operating-system";
  /** The path in the image without a leading slash, or the kernel's name. */
  readonly name: string;
  /** Its SHA-256, lower-case hexadecimal. */
  readonly sha256: string;
}

/** What is in an image, for a bill to name. */
export interface HashedFile {
  /** The path in the image, without a leading slash. */
  readonly path: string;
  /** Its SHA-256, lower-case hexadecimal. */
  readonly sha256: string;
}

/** What is wrong with one component. */
export interface SbomProblem {
  /** The path, or `kernel`. */
  readonly path: string;
  /** `missing` is in the bill and not in the image, `unlisted` the other way round. */
  readonly problem: "missing" | "unlisted" | "sha256";
}

/**
 * The comparable components of a bill.
 *
 * @throws {Refusal} `too_large` or `bad_sbom`.
 */
export function parseSbom(content: Content): SbomComponent[] {
  const bytes = wholeOf(content, MAX_SBOM_BYTES, "SBOM");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw bad("it is not JSON in UTF-8");
  }
  const root = object(value, "the bill");
  if (root.bomFormat !== "CycloneDX") throw bad("bomFormat is not CycloneDX");
  if (typeof root.specVersion !== "string" || !/^1\.[4-7]$/.test(root.specVersion)) {
    throw bad("specVersion is not 1.4 to 1.7");
  }
  const found: SbomComponent[] = [];
  let count = 0;
  const walk = (components: unknown, depth: number) => {
    if (components === undefined) return;
    if (!Array.isArray(components)) throw bad("components is not a list");
    if (depth > MAX_DEPTH) throw bad("components are nested too deep");
    for (const item of components) {
      if (++count > MAX_COMPONENTS) throw bad(`more than ${MAX_COMPONENTS} components`);
      const component = object(item, "a component");
      const { type, name } = component;
      if (typeof name !== "string" || typeof type !== "string") throw bad("a name is missing");
      if (type === "file" || type === "operating-system") {
        found.push({
          type,
          name: type === "file" ? name.replace(/^\//, "") : name,
          sha256: sha256Of(component.hashes, name),
        });
      }
      walk(component.components, depth + 1);
    }
  };
  walk(root.components, 0);
  const keys = found.map(({ type, name }) => type === "file" ? `file ${name}` : type);
  if (new Set(keys).size !== keys.length) throw bad("a file or the kernel is there twice");
  return found;
}

/** What a bill and an image do not agree in: none where every file and the kernel is named, and nothing else. */
export function checkSbom(
  components: Iterable<SbomComponent>,
  files: Iterable<HashedFile>,
  kernelSha256: string,
): SbomProblem[] {
  const named = new Map<string, string>();
  let kernel: string | undefined;
  for (const { type, name, sha256 } of components) {
    if (type === "file") named.set(name, sha256);
    else kernel = sha256;
  }
  const problems: SbomProblem[] = [];
  if (kernel !== kernelSha256) {
    problems.push({ path: "kernel", problem: kernel === undefined ? "unlisted" : "sha256" });
  }
  for (const { path, sha256 } of files) {
    const said = named.get(path);
    named.delete(path);
    if (said !== sha256) {
      problems.push({ path, problem: said === undefined ? "unlisted" : "sha256" });
    }
  }
  for (const path of named.keys()) problems.push({ path, problem: "missing" });
  return problems;
}

function sha256Of(hashes: unknown, name: string): string {
  const list = Array.isArray(hashes) ? hashes.map((hash) => object(hash, "a hash")) : [];
  const own = list.filter(({ alg }) => alg === "SHA-256").map(({ content }) => content);
  if (own.length !== 1 || typeof own[0] !== "string" || !SHA256.test(own[0].toLowerCase())) {
    throw bad(`${JSON.stringify(name)} has no one SHA-256`);
  }
  return own[0].toLowerCase();
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw bad(`${what} is not an object`);
  }
  return value as Record<string, unknown>;
}

function bad(problem: string): Refusal {
  return new Refusal("bad_sbom", `Cannot read a bill of materials: ${problem}`, "sbom");
}
