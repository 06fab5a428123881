/**
 * One HTTP request to a sidecar: bounded, timed, and every failure one line with a code.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { readBounded, TooLargeError } from "../../host/store/bounded.ts";
import { parseObject } from "./frame.ts";

/** Where a sidecar listens when nobody says where: the seed's port, then upstream's own. */
export const SIDECAR_URLS: readonly string[] = ["http://127.0.0.1:7070", "http://127.0.0.1:17070"];

/** The type of binary bodies. */
export const BINARY = "application/octet-stream";

/** Longest JSON answer that is not a gradient or a checkpoint. */
const MAX_JSON = 1 << 20;

/** What passes by itself: a sidecar that restarts, lost its weights by one, or works for others. */
const MAY_PASS: ReadonlySet<string> = new Set([
  "busy",
  "cut",
  "stopping",
  "unreachable",
  "wrong_base",
]);

/**
 * A sidecar that did not do what it was asked. `code` is stable: `unreachable`, `timeout`, `cut` (a part of the
 * answer), `too_large`, `bad_reply`, or what the sidecar itself said (`wrong_base`, `non_finite`, …).
 */
export class SidecarError extends Error {
  /** Stable snake_case reason. */
  readonly code: string;
  /** Whether a second try from the base may not meet it again. */
  readonly retryable: boolean;

  /** A failure for `code` in one line. */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SidecarError";
    this.code = code;
    this.retryable = MAY_PASS.has(code);
  }
}

/** How a sidecar is reached. */
export interface SidecarConnection {
  /** What is asked, for errors: `sidecar`. */
  readonly who: string;
  /** Its address, without a trailing slash. */
  readonly url: string;
  /** Sent as a bearer token, where there is one. */
  readonly token: string | undefined;
  /** Milliseconds that one request may take, its answer included. */
  readonly timeoutMs: number;
}

/** What is asked. */
export interface SidecarRequest {
  /** E.g. `/train`. */
  readonly path: string;
  /** Bytes are sent as they are, an object as JSON; undefined is a GET. */
  readonly body?: Uint8Array | Readonly<Record<string, unknown>>;
  /** Whether to ask for the binary dialect. */
  readonly binary?: boolean;
}

async function* counted(response: Response, said: number | undefined): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    yield chunk;
  }
  if (said !== undefined && size !== said) {
    throw new SidecarError("cut", `The answer ends at ${size} of ${said} bytes`);
  }
}

function declared(response: Response): number | undefined {
  const text = response.headers.get("content-length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** What the sidecar said of itself in an error, as far as it can be read: one line, at most 200 characters. */
async function refusalOf(who: string, path: string, response: Response): Promise<SidecarError> {
  const bytes = await readBounded(counted(response, undefined), MAX_JSON).catch(() => undefined);
  const said = bytes && parseObject(bytes);
  const known = typeof said?.error === "string" && /^[a-z_]{1,40}$/.test(said.error);
  const code = known ? said.error as string : "failed";
  const printable = typeof said?.message === "string" ? said.message.replace(/\p{C}+/gu, " ") : "";
  const why = printable.slice(0, 200) || "it gave no reason";
  return new SidecarError(
    code,
    `The ${who} refused ${path} with status ${response.status}: ${why}`,
  );
}

/**
 * Ask, and hand the answer's chunks to `read` while the time lasts.
 *
 * @throws {SidecarError}
 */
export async function ask<T>(
  connection: SidecarConnection,
  { path, body, binary = false }: SidecarRequest,
  read: (chunks: AsyncIterable<Uint8Array>, said: number | undefined) => Promise<T>,
): Promise<T> {
  const { who, url, token, timeoutMs } = connection;
  const isBytes = body instanceof Uint8Array;
  const headers = new Headers({ accept: binary ? BINARY : "application/json" });
  if (body !== undefined) headers.set("content-type", isBytes ? BINARY : "application/json");
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const signal = AbortSignal.timeout(timeoutMs);
  let connected = false;
  try {
    const response = await fetch(`${url}${path}`, {
      signal,
      headers,
      redirect: "error",
      ...(body === undefined
        ? {}
        : { method: "POST", body: isBytes ? body as Bytes : JSON.stringify(body) }),
    });
    connected = true;
    if (!response.ok) throw await refusalOf(who, path, response);
    const isBinary = response.headers.get("content-type") === BINARY;
    if (isBinary !== binary) {
      await response.body?.cancel();
      throw new SidecarError("bad_reply", `The ${who} answered ${path} in the other dialect`);
    }
    const said = declared(response);
    return await read(counted(response, said), said);
  } catch (error) {
    if (error instanceof SidecarError) throw error;
    if (signal.aborted) {
      const why = `The ${who} did not finish ${path} within ${timeoutMs / 1000} s`;
      throw new SidecarError("timeout", why, { cause: error });
    }
    if (error instanceof TooLargeError) {
      throw new SidecarError("too_large", `The ${who}'s answer to ${path}: ${error.message}`);
    }
    // Refusals of `read` have codes of their own; what else comes out of fetch is the network.
    if (!(error instanceof TypeError)) throw error;
    throw connected
      ? new SidecarError("cut", `The ${who}'s answer to ${path} broke off`, { cause: error })
      : new SidecarError("unreachable", `No ${who} answers at ${url}`, { cause: error });
  }
}

/** Ask, and read a JSON object. */
export async function askJson(
  connection: SidecarConnection,
  request: SidecarRequest,
  maxBytes: number = MAX_JSON,
): Promise<Record<string, unknown>> {
  const bytes = await ask(connection, request, (chunks) => readBounded(chunks, maxBytes));
  const value = parseObject(bytes);
  if (value !== undefined) return value;
  const { who } = connection;
  throw new SidecarError("bad_reply", `The ${who}'s answer to ${request.path} is no JSON object`);
}
