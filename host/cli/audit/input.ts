/**
 * Fetches what an auditor names: a file, a URL or standard input, bounded in size and time.
 *
 * @module
 */
import { MAX_WRAPPED_BYTES } from "../../../attestation/mod.ts";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { readBounded, TooLargeError } from "../../store/bounded.ts";

/** A URL must have answered whole within this time, redirects included. */
const FETCH_MS = 10_000;
const MAX_REDIRECTS = 3;

/** What reading takes from outside: the process's own, or a test's. */
export interface InputOptions {
  /** Most bytes; default: those of a wrapped document. */
  readonly maxBytes?: number;
  /** Deadline of a URL in milliseconds; default 10,000. */
  readonly fetchMs?: number;
  /** Standard input. */
  readonly stdin?: ReadableStream<Uint8Array>;
}

/**
 * The bytes of `where`: `-` is standard input, `http://…` and `https://…` are fetched (at most 3 redirects, none
 * to another scheme), anything else is a path.
 *
 * @throws {Refusal} `cannot_read` or `too_large`.
 */
export async function readInput(where: string, options: InputOptions = {}): Promise<Bytes> {
  const { maxBytes = MAX_WRAPPED_BYTES, fetchMs = FETCH_MS, stdin } = options;
  try {
    if (where === "-") return await readBounded(stdin ?? Deno.stdin.readable, maxBytes);
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(where)) return await download(where, maxBytes, fetchMs);
    const file = await Deno.open(where);
    return await readBounded(file.readable, maxBytes); // which closes the file
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof TooLargeError) {
      throw new Refusal("too_large", `Cannot read the input: it has more than ${maxBytes} bytes`);
    }
    throw cannot(where, (error as Error).message);
  }
}

async function download(where: string, maxBytes: number, ms: number): Promise<Bytes> {
  const signal = AbortSignal.timeout(ms);
  let url = new URL(where);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw cannot(where, "only http and https are fetched");
  }
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await fetch(url, { redirect: "manual", signal });
    if (response.ok) return await readBounded(response.body ?? new Blob().stream(), maxBytes);
    await response.body?.cancel();
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null) {
      throw cannot(where, `it answered with status ${response.status}`);
    }
    const next = new URL(location, url);
    if (next.protocol !== url.protocol) throw cannot(where, "it redirects to another scheme");
    url = next;
  }
  throw cannot(where, `it redirects more than ${MAX_REDIRECTS} times`);
}

function cannot(where: string, why: string): Refusal {
  return new Refusal("cannot_read", `Cannot read '${where}': ${why}`, "input");
}
