/**
 * A store in a bucket: Amazon S3, Cloudflare R2, MinIO and whatever else speaks S3.
 *
 * A bucket of somebody else may answer anything: bodies are counted while they arrive, each call has its time,
 * redirects are not followed, and with `publicOnly` no socket opens to a private address. Errors carry the
 * service's code and sentence, in one line and without the key pair, which services repeat; never the request, which
 * holds the credentials' signature.
 *
 * @module
 */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Agent as HttpsAgent } from "node:https";
import { isIP } from "node:net";
import { type Bytes, equal, toHex } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { readBounded, TooLargeError } from "./bounded.ts";
import { assertKey, assertPrefix, isKey } from "./keys.ts";
import { oneLine } from "./one_line.ts";
import { isPublicAddress, publicLookup } from "./public_address.ts";
import {
  checkGet,
  checkList,
  type GetOptions,
  type ListOptions,
  MAX_LIST,
  type ObjectHead,
  type PutOptions,
  type Store,
  type Stored,
  StoreError,
} from "./store.ts";
import { timeLimit } from "./time_limit.ts";

/** Where a bucket is, and who asks. */
export interface S3Options {
  /** Its service, e.g. `https://{account}.r2.cloudflarestorage.com`; see {@link r2Endpoint}. */
  readonly endpoint: string;
  /** The service's region; R2 and MinIO take `auto`. */
  readonly region?: string;
  /** The bucket. */
  readonly bucket: string;
  /** The key pair. */
  readonly accessKeyId: string;
  /** See `accessKeyId`. */
  readonly secretAccessKey: string;
  /** The bucket in the host's name (`virtual`), or first in the path, which every service takes. */
  readonly style?: "path" | "virtual";
  /** Refuse private addresses and plain HTTP: for endpoints that a stranger chose. */
  readonly publicOnly?: boolean;
  /** Milliseconds for a call, without its bytes: those have 64 KiB a second. */
  readonly patienceMs?: number;
}

const ACCOUNT = /^[0-9a-f]{32}$/;
const SLOWEST_BYTES_PER_MS = 64;

/**
 * The endpoint of a Cloudflare R2 account.
 *
 * @throws {RangeError} where `account` is not 32 hexadecimal digits.
 */
export function r2Endpoint(account: string): string {
  if (!ACCOUNT.test(account)) {
    throw new RangeError("Cannot use the R2 account id: it is not 32 hexadecimal digits");
  }
  return `https://${account}.r2.cloudflarestorage.com`;
}

/** A `Store` in a bucket. */
export class S3Store implements Store {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #patienceMs: number;
  /** What no error says. */
  readonly #secrets: readonly string[];

  /** Opens nothing yet. @throws {RangeError} where the endpoint may not be called. */
  constructor(options: S3Options) {
    const { publicOnly = false, patienceMs = 30_000 } = options;
    this.#bucket = options.bucket;
    this.#patienceMs = patienceMs;
    this.#secrets = [options.secretAccessKey, options.accessKeyId].filter((s) => s.length > 3);
    checkEndpoint(options.endpoint, publicOnly);
    this.#client = new S3Client({
      endpoint: options.endpoint,
      region: options.region ?? "auto",
      credentials: {
        accessKeyId: options.accessKeyId,
        secretAccessKey: options.secretAccessKey,
      },
      forcePathStyle: (options.style ?? "path") === "path",
      // R2, MinIO and older services refuse the checksums that newer SDKs add unasked; ours are SHA-256, over all.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      requestHandler: {
        connectionTimeout: Math.min(5_000, patienceMs),
        ...(publicOnly
          ? { httpsAgent: new HttpsAgent({ keepAlive: true, lookup: publicLookup }) }
          : {}),
      },
    });
  }

  /** See {@link Store.put}. A single request: S3 takes up to 5 GiB in one. */
  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<Stored> {
    assertKey(key);
    const content = new Uint8Array(bytes); // the caller may reuse its array
    const hash = sha256(content);
    const once = options.ifNoneMatch === "*";
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: content,
      ContentLength: content.length,
      ...(once ? { IfNoneMatch: "*" } : {}),
    });
    // The signature covers the body's hash: ours is taken, so that the SDK does not hash it again.
    command.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        headers["x-amz-content-sha256"] = toHex(hash);
        return next(args);
      },
      { step: "build", name: "contentHash" },
    );
    try {
      await this.#call(
        key,
        content.length,
        (signal) => this.#client.send(command, { abortSignal: signal }),
      );
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "exists") throw error;
      // An answer that was lost makes the SDK send again: then what exists may be ours.
      const there = await this.get(key, { maxBytes: content.length }).catch(() => undefined);
      if (error.cause !== RESENT || there === undefined || !equal(there, content)) throw error;
    }
    return { sha256: hash, ref: key };
  }

  /** See {@link Store.get}. */
  async get(key: string, options: GetOptions): Promise<Bytes> {
    assertKey(key);
    checkGet(options);
    const { maxBytes, range, sha256: wanted } = options;
    const command = new GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      ...(range ? { Range: `bytes=${range.start}-${range.start + range.length - 1}` } : {}),
    });
    const bytes = await this.#call(key, range?.length ?? maxBytes, async (signal) => {
      const output = await this.#client.send(command, { abortSignal: signal });
      return await readBody(key, output, range?.length ?? maxBytes, range !== undefined, signal);
    });
    if (wanted !== undefined && !equal(sha256(bytes), wanted)) {
      throw new StoreError("wrong_hash", key, `Cannot get ${key}: its SHA-256 is another one`);
    }
    return bytes;
  }

  /** See {@link Store.head}. */
  async head(key: string): Promise<ObjectHead | undefined> {
    assertKey(key);
    try {
      const head = await this.#call(
        key,
        0,
        (signal) =>
          this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }), {
            abortSignal: signal,
          }),
      );
      return { size: head.ContentLength ?? 0, modifiedMs: head.LastModified?.getTime() ?? 0 };
    } catch (error) {
      if (error instanceof StoreError && error.code === "not_found") return undefined;
      throw error;
    }
  }

  /** See {@link Store.list}. Objects of other people's naming are passed over. */
  async list(prefix: string, options: ListOptions = {}): Promise<string[]> {
    const { limit, after } = checkList(options);
    assertPrefix(prefix);
    assertPrefix(after);
    const keys: string[] = [];
    for (let start = after;;) {
      const page = await this.#call(prefix, 0, (signal) =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: prefix,
            MaxKeys: MAX_LIST,
            ...(start === "" ? {} : { StartAfter: start }),
          }),
          { abortSignal: signal },
        ));
      const found = (page.Contents ?? []).flatMap(({ Key }) => Key === undefined ? [] : [Key]);
      for (const key of found) {
        if (keys.length < limit && isKey(key) && key.startsWith(prefix) && key > after) {
          keys.push(key);
        }
      }
      const last = found.at(-1);
      // A service that lists no further than where it was asked to begin would never end.
      if (keys.length === limit || page.IsTruncated !== true || !last || last <= start) return keys;
      start = last;
    }
  }

  /** See {@link Store.delete}. */
  async delete(key: string): Promise<void> {
    assertKey(key);
    try {
      await this.#call(
        key,
        0,
        (signal) =>
          this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }), {
            abortSignal: signal,
          }),
      );
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "not_found") throw error;
    }
  }

  /** Close its sockets. */
  [Symbol.dispose](): void {
    this.#client.destroy();
  }

  /** `call` within its time, with what the service or the network throws as a `StoreError`. */
  async #call<T>(
    key: string,
    bytes: number,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limitMs = this.#patienceMs + bytes / SLOWEST_BYTES_PER_MS;
    using limit = timeLimit(limitMs);
    try {
      return await call(limit.signal);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      if (error instanceof TooLargeError) {
        throw new StoreError("too_large", key, `Cannot get ${key}: ${error.message}`);
      }
      if (limit.signal.aborted) {
        throw new StoreError(
          "unavailable",
          key,
          `Cannot use bucket ${this.#bucket}: no whole answer within ${
            Math.ceil(limitMs / 1000)
          } s`,
        );
      }
      throw toStoreError(error, key, this.#bucket, this.#secrets);
    }
  }
}

function checkEndpoint(endpoint: string, publicOnly: boolean): void {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.search !== "") {
    throw new RangeError(`Cannot use ${JSON.stringify(endpoint)}: it is not the URL of a service`);
  }
  if (!publicOnly) return;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol !== "https:" || (isIP(host) !== 0 && !isPublicAddress(host))) {
    throw new RangeError(`Cannot use ${endpoint}: it is not an https URL at a public address`);
  }
}

/** The body, as long as it may be: `ContentLength` is the service's word. */
async function readBody(
  key: string,
  output: GetObjectCommandOutput,
  maxBytes: number,
  exact: boolean,
  signal: AbortSignal,
): Promise<Bytes> {
  const body = output.Body as AsyncIterable<Uint8Array> & { destroy(error?: Error): void };
  const stop = () => body.destroy(new Error("The call's time is over"));
  signal.addEventListener("abort", stop);
  try {
    const bytes = await readBounded(body, maxBytes, output.ContentLength);
    if (exact && bytes.length !== maxBytes) {
      throw new StoreError("too_short", key, `Cannot get ${key}: it ends before the range does`);
    }
    return bytes;
  } finally {
    signal.removeEventListener("abort", stop);
    body.destroy();
  }
}

/** Marks an error of a call that the SDK had sent more than once. */
const RESENT = "The request was sent again";
/** Refusals that pass: a time-out, a conflict of two writers, too many requests. */
const PASSING = new Set([408, 409, 425, 429]);

/** What the SDK threw, without its request. */
function toStoreError(
  error: unknown,
  key: string,
  bucket: string,
  secrets: readonly string[],
): StoreError {
  const { name = "Error", message = String(error), $metadata: about } = (error ?? {}) as {
    name?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number; attempts?: number };
  };
  const status = about?.httpStatusCode;
  if (name === "PreconditionFailed" || status === 412) {
    const resent = (about?.attempts ?? 1) > 1;
    return new StoreError(
      "exists",
      key,
      `Cannot put ${key}: it exists already`,
      resent ? { cause: RESENT } : {},
    );
  }
  if (name === "InvalidRange" || status === 416) {
    return new StoreError("too_short", key, `Cannot get ${key}: it ends before the range does`);
  }
  const said = message === "" || message === name ? name : `${name}: ${message}`;
  const clean = secrets.reduce((text, secret) => text.replaceAll(secret, "(secret)"), said);
  const why = `Cannot use bucket ${bucket}: ${oneLine(clean)}`;
  if (name === "NoSuchKey" || name === "NotFound") {
    return new StoreError("not_found", key, `Cannot find ${key} in bucket ${bucket}`);
  }
  if (status !== undefined && status >= 300 && status < 400) {
    return new StoreError("denied", key, `${why} (redirects are not followed)`);
  }
  const passing = status === undefined || status >= 500 || PASSING.has(status);
  if (!passing) return new StoreError("denied", key, why);
  return new StoreError("unavailable", key, why);
}
