/**
 * Approved measurements from `pcrs.json`: a named set with validity windows, read strictly.
 *
 * @module
 */
import { fromHex } from "../enclave/protocol/bytes.ts";
import { PCR_BYTES } from "./document.ts";
import { AttestationError } from "./error.ts";
import type { ApprovedMeasurement, ApprovedSet } from "./policy.ts";

/** Most bytes of a `pcrs.json`. */
export const MAX_MEASUREMENTS_BYTES = 65_536;
/** Most measurements in one. */
export const MAX_MEASUREMENTS = 64;

/** Of arrays and objects in each other: four are enough. */
const MAX_DEPTH = 8;
/** What the measurement of a `nitro-cli` build is called: its file has no name for it. */
const BUILD_NAME = "build";
/** As on the ledger. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const INDEX = /^(0|[1-9]|[12][0-9]|3[01])$/;

/**
 * Read a `pcrs.json`, UTF-8:
 *
 * ```json
 * {
 *   "measurements": [
 *     {
 *       "name": "v1.2.0",
 *       "pcrs": { "0": "96 hex digits", "1": "96 hex digits", "2": "96 hex digits" },
 *       "not_before": "2026-01-01T00:00:00Z",
 *       "not_after": "2026-03-31T23:59:59Z"
 *     }
 *   ]
 * }
 * ```
 *
 * One to 64 measurements, names distinct (1 to 64 of `a-z 0-9 . _ -`); PCR0, 1 and 2 and any others by index;
 * the window is inclusive, and unlimited where an end is left out. What `nitro-cli build-enclave` prints
 * (`{"Measurements": {"HashAlgorithm": …, "PCR0": …}}`) is read as one measurement called `build`. Unknown and
 * repeated keys are refused.
 *
 * @throws {AttestationError} `bad_measurements`, naming the field.
 */
export function parseMeasurements(json: Uint8Array): ApprovedSet {
  const root = object(parseJson(json), "pcrs.json");
  if ("Measurements" in root) return [build(root)];
  only(root, ["measurements"], "pcrs.json");
  const list = root.measurements;
  if (!Array.isArray(list) || list.length < 1 || list.length > MAX_MEASUREMENTS) {
    throw bad("measurements", `it must be a list of 1 to ${MAX_MEASUREMENTS}`);
  }
  const found = list.map((entry: unknown, i) => measurement(entry, `measurements[${i}]`));
  if (new Set(found.map(({ name }) => name)).size !== found.length) {
    throw bad("measurements", "two have the same name");
  }
  return found;
}

/**
 * Milliseconds since 1970 of `YYYY-MM-DDTHH:MM:SS[.mmm]Z` (RFC 3339, UTC); undefined for anything else, and for
 * dates that do not exist.
 */
export function parseUtcTime(text: unknown): number | undefined {
  const time = /^\d{4}-/.test(String(text)) ? Date.parse(String(text)) : NaN;
  if (Number.isNaN(time)) return undefined;
  // Date.parse takes other forms too, and rolls 30 February over: only what is printed as it came is taken.
  const iso = new Date(time).toISOString();
  return text === iso || text === iso.replace(".000Z", "Z") ? time : undefined;
}

function measurement(value: unknown, field: string): ApprovedMeasurement {
  const entry = object(value, field);
  only(entry, ["name", "pcrs", "not_before", "not_after"], field);
  const { name } = entry;
  if (typeof name !== "string" || !NAME.test(name)) {
    throw bad(`${field}.name`, "it must be 1 to 64 of a-z 0-9 . _ -");
  }
  const pcrs = new Map<number, Uint8Array>();
  for (const [index, pcr] of Object.entries(object(entry.pcrs, `${field}.pcrs`))) {
    if (!INDEX.test(index)) throw bad(`${field}.pcrs`, "an index is not 0 to 31");
    pcrs.set(Number(index), pcrOf(pcr, `${field}.pcrs.${index}`));
  }
  const notBefore = timeOf(entry.not_before, `${field}.not_before`);
  const notAfter = timeOf(entry.not_after, `${field}.not_after`);
  if ((notBefore ?? -Infinity) > (notAfter ?? Infinity)) {
    throw bad(field, "its window ends before it begins");
  }
  return {
    name,
    pcrs: complete(pcrs, `${field}.pcrs`),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(notAfter === undefined ? {} : { notAfter }),
  };
}

/** What `nitro-cli build-enclave` and `describe-eif` print of an image. */
function build(root: Record<string, unknown>): ApprovedMeasurement {
  only(root, ["Measurements"], "pcrs.json");
  const { HashAlgorithm, ...rest } = object(root.Measurements, "Measurements");
  if (typeof HashAlgorithm !== "string" || !/^sha384\b/i.test(HashAlgorithm)) {
    throw bad("Measurements.HashAlgorithm", "it must be Sha384");
  }
  const pcrs = new Map<number, Uint8Array>();
  for (const [key, pcr] of Object.entries(rest)) {
    const index = key.slice(3);
    if (!key.startsWith("PCR") || !INDEX.test(index)) {
      throw bad("Measurements", "a key is not PCR0 to PCR31");
    }
    pcrs.set(Number(index), pcrOf(pcr, `Measurements.${key}`));
  }
  return { name: BUILD_NAME, pcrs: complete(pcrs, "Measurements") };
}

function parseJson(json: Uint8Array): unknown {
  if (json.length > MAX_MEASUREMENTS_BYTES) {
    throw bad("pcrs.json", `${json.length} bytes are more than ${MAX_MEASUREMENTS_BYTES}`);
  }
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(json);
    value = JSON.parse(text);
  } catch {
    throw bad("pcrs.json", "it is not JSON in UTF-8");
  }
  // JSON.parse keeps the last of two equal keys, other readers the first: whoever signs off one set must not
  // approve another. Outside strings each colon belongs to one key.
  const colons = text.replace(/"(?:[^"\\]|\\.)*"/g, "").split(":").length - 1;
  if (colons !== countKeys(value)) throw bad("pcrs.json", "a key is repeated");
  return value;
}

function countKeys(value: unknown, depth = 0): number {
  if (typeof value !== "object" || value === null) return 0;
  if (depth > MAX_DEPTH) throw bad("pcrs.json", "it is nested too deep");
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum, child) => sum + countKeys(child, depth + 1), own);
}

function object(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw bad(field, "it must be an object");
  }
  return value as Record<string, unknown>;
}

function only(value: Record<string, unknown>, keys: readonly string[], field: string): void {
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw bad(field, `only ${keys.join(", ")} may stand in it`);
}

function pcrOf(value: unknown, field: string): Uint8Array {
  if (typeof value !== "string" || !/^[0-9a-fA-F]{96}$/.test(value)) {
    throw bad(field, `it must be ${PCR_BYTES} bytes in hexadecimal`);
  }
  return fromHex(value);
}

function complete(pcrs: ReadonlyMap<number, Uint8Array>, field: string) {
  if ([0, 1, 2].some((index) => !pcrs.has(index))) throw bad(field, "PCR0, 1 and 2 must be there");
  return pcrs;
}

function timeOf(value: unknown, field: string): number | undefined {
  if (value === undefined) return undefined;
  const time = parseUtcTime(value);
  if (time === undefined) throw bad(field, "it must be a time as 2026-01-01T00:00:00Z");
  return time;
}

function bad(field: string, problem: string): AttestationError {
  return new AttestationError(
    "bad_measurements",
    `Cannot read approved measurements: '${field}': ${problem}`,
    field,
  );
}
