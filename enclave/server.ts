/**
 * HTTP inside the enclave, with Nautilus's names. Bodies are CBOR, in both directions; every body is bounded
 * while it is read, whatever its declared length; a judge at work answers BUSY.
 *
 * @module
 */
import type { Judge } from "./judge.ts";
import { type Bytes, concat, fromHex } from "./protocol/bytes.ts";
import {
  CONFIGURE,
  decodeBody,
  encodeBody,
  MAX_BLOB,
  MAX_BODY,
} from "./protocol/judge_messages.ts";
import { Refusal } from "./protocol/refusal.ts";

/** Requests in flight at most; one more is BUSY. */
const MAX_IN_FLIGHT = 16;
/** Bytes of bodies in flight at most; more is BUSY. */
const MAX_BYTES_IN_FLIGHT = MAX_BLOB + 2 * MAX_BODY;
/** Time in which a body must arrive, in milliseconds. */
const BODY_MS = 120_000;

/**
 * Most bytes of an answer's body in one write: with its head it stays below 31 KiB, since larger writes are known
 * to be corrupted on the vsock of some enclave kernels.
 */
const SLICE_BYTES = 30 * 1_024;

/** What the requests in flight have taken so far. */
interface Load {
  requests: number;
  bytes: number;
  readonly bodyMs: number;
  readonly maxBytes: number;
}

/** How a judge is served. */
export interface HandlerOptions {
  /** Time in which a body must arrive, in milliseconds; default 120,000. */
  readonly bodyMs?: number;
  /** Bytes of bodies in flight at most; default 384 MiB: a blob and two requests. */
  readonly maxBytes?: number;
}

/** HTTP status of a refusal, where it is not 400. */
const STATUS: Readonly<Record<string, number>> = {
  busy: 503,
  already_configured: 409,
  already_signed: 409,
  too_many_jobs: 409,
  not_configured: 409,
  missing_blob: 424,
  missing_page: 424,
  too_large: 413,
  not_found: 404,
  wrong_method: 405,
  slow_body: 408,
  deadline: 504,
};

/** Answers a judge's requests. Never throws: what is not a refusal is answered `internal`, without detail. */
export function judgeHandler(
  judge: Judge,
  options: HandlerOptions = {},
): (request: Request) => Promise<Response> {
  const { bodyMs = BODY_MS, maxBytes = MAX_BYTES_IN_FLIGHT } = options;
  const load: Load = { requests: 0, bytes: 0, bodyMs, maxBytes };
  return async (request) => {
    load.requests++;
    try {
      if (load.requests > MAX_IN_FLIGHT) throw tooMuch();
      return await route(judge, request, load);
    } catch (error) {
      return refused(error);
    } finally {
      load.requests--;
      await request.body?.cancel().catch(() => {});
    }
  };
}

function tooMuch(): Refusal {
  return new Refusal("busy", "Too much is in flight: ask again later");
}

function refused(error: unknown): Response {
  const refusal = error instanceof Refusal
    ? error
    : new Refusal("internal", "The judge failed; nothing was signed");
  return answer({
    error: refusal.code,
    message: refusal.message.slice(0, 1_000),
    field: refusal.field?.slice(0, 200) ?? null,
  }, error instanceof Refusal ? STATUS[refusal.code] ?? 400 : 500);
}

function answer(body: Readonly<Record<string, unknown>>, status = 200): Response {
  const bytes = encodeBody(body);
  return new Response(bytes.length > SLICE_BYTES ? inSlices(bytes) : bytes, {
    status,
    headers: { "content-type": "application/cbor" },
  });
}

/**
 * A body in slices, with a turn of the event loop between them: without it the server joins what is ready into
 * one write of up to 400 KiB, however it was cut.
 */
function inSlices(bytes: Bytes): ReadableStream<Bytes> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at > 0) await new Promise((resolve) => setTimeout(resolve, 0));
      controller.enqueue(bytes.subarray(at, at + SLICE_BYTES));
      at += SLICE_BYTES;
      if (at >= bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
}

async function route(judge: Judge, request: Request, load: Load): Promise<Response> {
  const url = new URL(request.url);
  const path = url.pathname;
  if (path !== "/get_attestation" && url.search !== "") {
    throw new Refusal("unknown_field", "This endpoint takes no query", "query");
  }
  if (path === "/health_check") {
    expectMethod(request, "GET");
    return answer({
      public_key: judge.publicKey,
      configured: Number(judge.configured),
      busy: Number(judge.busy),
    });
  }
  if (path === "/get_attestation") {
    expectMethod(request, "GET");
    return answer({ attestation_document: await judge.attest(nonceOf(url)) });
  }
  if (path === "/configure") {
    expectMethod(request, "POST");
    const body = decodeBody(await readBody(request, 1_024, load), CONFIGURE);
    judge.configure({
      chainId: body.chain_id,
      ledgerId: body.ledger_id,
      validator: body.validator,
      address: body.address,
    });
    return answer({ public_key: judge.publicKey });
  }
  if (path === "/process_data" || path === "/process_job") {
    expectMethod(request, "POST");
    if (judge.busy) throw new Refusal("busy", "The judge is at work: ask again later");
    const body = await readBody(request, MAX_BODY, load);
    const signed = path === "/process_job" ? judge.processJob(body) : judge.process(body);
    return answer({ ...await signed });
  }
  const blob = /^\/blobs\/([0-9a-f]{64})$/.exec(path);
  if (blob !== null) return await routeBlob(judge, request, fromHex(blob[1]!), load);
  throw new Refusal("not_found", "There is no such endpoint");
}

function nonceOf(url: URL): Bytes | undefined {
  if (url.search === "") return undefined;
  const match = /^\?nonce=((?:[0-9a-f]{2}){1,512})$/.exec(url.search);
  if (match === null) {
    throw new Refusal("bad_nonce", "A nonce is 1..512 bytes of lower-case hex", "nonce");
  }
  return fromHex(match[1]!);
}

async function routeBlob(
  judge: Judge,
  request: Request,
  hash: Bytes,
  load: Load,
): Promise<Response> {
  if (request.method === "HEAD") {
    return new Response(null, { status: judge.blobs.get(hash) === undefined ? 404 : 200 });
  }
  expectMethod(request, "PUT");
  judge.blobs.put(hash, await readBody(request, MAX_BLOB, load));
  return answer({ bytes: judge.blobs.get(hash)!.length });
}

function expectMethod(request: Request, method: string): void {
  if (request.method !== method) {
    throw new Refusal("wrong_method", `This endpoint takes ${method}`);
  }
}

/** Read at most `max` bytes, in time. Until the body is whole, its bytes count as load. */
async function readBody(request: Request, max: number, load: Load): Promise<Bytes> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > max) {
    throw new Refusal("too_large", `The body has ${declared} bytes, ${max} is the limit`);
  }
  if (request.body === null) return new Uint8Array(0);
  const reader = request.body.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Refusal("slow_body", "The body took too long")),
      load.bodyMs,
    );
  });
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) return concat(...parts);
      length += value.length;
      load.bytes += value.length;
      if (load.bytes > load.maxBytes) throw tooMuch();
      if (length > max) {
        throw new Refusal("too_large", `The body is longer than ${max} bytes`);
      }
      parts.push(value);
    }
  } finally {
    clearTimeout(timer);
    load.bytes -= length;
    reader.releaseLock();
  }
}
