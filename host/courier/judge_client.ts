/**
 * The courier's side of the judge's HTTP: one client for a judge, every answer bounded and strictly decoded,
 * every failure a {@linkcode JudgeError}.
 *
 * @module
 */
import { type Bytes, concat, toHex } from "../../enclave/protocol/bytes.ts";
import type { Infer, Shape } from "../../enclave/protocol/cbor.ts";
import type { JudgeIdentity } from "../../enclave/protocol/identity.ts";
import {
  ATTESTATION,
  decodeBody,
  encodeBody,
  HEALTH,
  type JobPayload,
  type Payload,
  REFUSED,
  SIGNED,
  type Signed,
} from "../../enclave/protocol/judge_messages.ts";
import { bytesOf, uint } from "../../enclave/protocol/cbor.ts";
import { JudgeError } from "./judge_error.ts";

export { JudgeError } from "./judge_error.ts";

/** Most bytes of one write to a judge: larger ones are known to be corrupted on the vsock of some enclave kernels. */
export const WRITE_BYTES: number = 31 * 1_024;

/** Most bytes of an answer: a signed message and the manifest of a merged base. */
const MAX_ANSWER = 2 << 20;

const CONFIGURED = { public_key: bytesOf(32) } satisfies Shape;
const STORED = { bytes: uint() } satisfies Shape;

/** What a judge says of itself. */
export interface JudgeHealth {
  /** Its Ed25519 key, 32 bytes. */
  readonly publicKey: Bytes;
  /** Whether it knows for whom it judges. */
  readonly configured: boolean;
  /** Whether it is judging. */
  readonly busy: boolean;
}

/** Deadlines of calls, in milliseconds. */
export interface JudgeClientOptions {
  /** Of calls that only ask; default 10,000. */
  readonly askMs?: number;
  /** Of one blob; default 120,000. */
  readonly blobMs?: number;
  /** Of a judgement; default 600,000. */
  readonly processMs?: number;
}

interface Call {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  readonly path: string;
  readonly body?: Bytes;
  readonly ms: number;
}

/** Talks to one judge. Calls may overlap; the judge answers `busy` to a second judgement. */
export class JudgeClient {
  readonly #client: Deno.HttpClient;
  readonly #options: Required<JudgeClientOptions>;
  readonly #closed = new AbortController();

  private constructor(client: Deno.HttpClient, options: JudgeClientOptions) {
    this.#client = client;
    this.#options = { askMs: 10_000, blobMs: 120_000, processMs: 600_000, ...options };
  }

  /** A client of the judge that listens at the Unix socket `path`. Nothing is sent before the first call. */
  static unix(path: string, options: JudgeClientOptions = {}): JudgeClient {
    const client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
    return new JudgeClient(client, options);
  }

  /** The judge's key and state. */
  async health(): Promise<JudgeHealth> {
    const { public_key, configured, busy } = await this.#ask("GET", "/health_check", HEALTH);
    return { publicKey: public_key, configured: configured === 1, busy: busy === 1 };
  }

  /** Tell it, once, for whom it judges. Resolves to its key. */
  async configure(identity: JudgeIdentity): Promise<Bytes> {
    const body = encodeBody({
      chain_id: identity.chainId,
      ledger_id: identity.ledgerId,
      validator: identity.validator,
      address: identity.address,
    });
    return (await this.#ask("POST", "/configure", CONFIGURED, body)).public_key;
  }

  /** An attestation document over its key and configuration, and over `nonce` (1 to 512 bytes). */
  async attest(nonce?: Bytes): Promise<Bytes> {
    const query = nonce === undefined ? "" : `?nonce=${toHex(nonce)}`;
    const answer = await this.#ask("GET", `/get_attestation${query}`, ATTESTATION);
    return answer.attestation_document;
  }

  /** Whether it holds the blob of this SHA-256. */
  async hasBlob(hash: Bytes): Promise<boolean> {
    const path = `/blobs/${toHex(hash)}`;
    const { status } = await this.#send({ method: "HEAD", path, ms: this.#options.askMs });
    if (status === 200 || status === 404) return status === 200;
    throw new JudgeError("bad_answer", status, `The judge answered ${status} about a blob`);
  }

  /** Give it a blob: a gradient, or a chunk of a base. */
  async putBlob(hash: Bytes, bytes: Bytes): Promise<void> {
    const path = `/blobs/${toHex(hash)}`;
    await this.#decoded({ method: "PUT", path, body: bytes, ms: this.#options.blobMs }, STORED);
  }

  /** Have a window judged, or its outcome drawn. The same payload gives the same bytes. */
  process(payload: Payload): Promise<Signed> {
    return this.#judged("/process_data", payload);
  }

  /** Have a delivered training job measured. The same payload gives the same bytes. */
  processJob(payload: JobPayload): Promise<Signed> {
    return this.#judged("/process_job", payload);
  }

  /** Close the connections; what is under way fails with code `closed`. */
  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#client.close();
  }

  #judged(path: string, payload: Payload | JobPayload): Promise<Signed> {
    const body = encodeBody({ payload });
    const ms = this.#options.processMs;
    return this.#decoded({ method: "POST", path, body, ms }, SIGNED);
  }

  #ask<S extends Shape>(
    method: Call["method"],
    path: string,
    shape: S,
    body?: Bytes,
  ): Promise<Infer<S>> {
    const ms = this.#options.askMs;
    return this.#decoded({ method, path, ms, ...(body === undefined ? {} : { body }) }, shape);
  }

  async #decoded<S extends Shape>(call: Call, shape: S): Promise<Infer<S>> {
    const { status, body } = await this.#send(call);
    if (status === 200) return decodeAnswer(status, body, shape);
    const { error, message, field } = decodeAnswer(status, body, REFUSED);
    throw new JudgeError(error, status, message, { field });
  }

  async #send(call: Call): Promise<{ readonly status: number; readonly body: Bytes }> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), call.ms);
    try {
      const response = await fetch(`http://judge${call.path}`, {
        method: call.method,
        client: this.#client,
        redirect: "error",
        signal: AbortSignal.any([late.signal, this.#closed.signal]),
        ...(call.body === undefined ? {} : { body: inSlices(call.body) }),
      });
      return { status: response.status, body: await readAnswer(response) };
    } catch (cause) {
      if (cause instanceof JudgeError) throw cause;
      if (this.#closed.signal.aborted) throw new JudgeError("closed", 0, "The client was closed");
      if (late.signal.aborted) {
        throw new JudgeError("timeout", 0, `The judge did not answer within ${call.ms} ms`);
      }
      const message = `The judge cannot be reached: ${(cause as Error).message}`;
      throw new JudgeError("unreachable", 0, message, { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * A body in slices of {@linkcode WRITE_BYTES}. The runtime joins what is ready, so that this bounds no system call:
 * where that matters, `relay.ts` stands between.
 */
function inSlices(bytes: Bytes): ReadableStream<Bytes> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.subarray(at, at + WRITE_BYTES));
      at += WRITE_BYTES;
      if (at >= bytes.length) controller.close();
    },
  });
}

async function readAnswer(response: Response): Promise<Bytes> {
  const parts: Bytes[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > MAX_ANSWER) {
      throw new JudgeError("bad_answer", response.status, "The judge's answer is too long");
    }
    parts.push(part);
  }
  return concat(...parts);
}

function decodeAnswer<S extends Shape>(status: number, body: Bytes, shape: S): Infer<S> {
  try {
    return decodeBody(body, shape);
  } catch (cause) {
    const message = `The judge's answer (${status}) cannot be read: ${(cause as Error).message}`;
    throw new JudgeError("bad_answer", status, message, { cause });
  }
}
