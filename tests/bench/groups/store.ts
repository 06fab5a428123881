/**
 * The S3 store against a real server on this machine: what it costs beside the SDK alone, asked in turn in one run, and
 * how much memory large transfers take.
 *
 * @module
 */
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { sha256 } from "../../../enclave/protocol/hash.ts";
import { type S3Options, S3Store } from "../../../host/store/s3.ts";
import { findServer, startServer } from "../../support/s3_server.ts";
import { type Figure, quantile, uniform } from "../figures.ts";
import { GRADIENT_BYTES, GRADIENTS, inWorker, MEMORY_BOUND, type Task } from "../store_memory.ts";

const MIB = 2 ** 20;
/** As large as a chunk of a checkpoint. */
const OBJECT_BYTES = 4 * MIB;
const OBJECTS = 16;
/** On their way at once, as a checkpoint's chunks are. */
const AT_ONCE = 4;
const RUNS = 7;

interface Client {
  put(key: string, bytes: Uint8Array): Promise<unknown>;
  get(key: string): Promise<Uint8Array>;
}

/** The SDK, set as the store sets it, and nothing else. */
function rawClient(bucket: S3Options): Client & Disposable {
  const client = new S3Client({
    endpoint: bucket.endpoint,
    region: bucket.region!,
    credentials: bucket,
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  const Bucket = bucket.bucket;
  return {
    put: (Key, Body) => client.send(new PutObjectCommand({ Bucket, Key, Body })),
    async get(Key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return await Body!.transformToByteArray();
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}

function storeClient(store: S3Store, hashes: ReadonlyMap<string, Uint8Array>): Client {
  return {
    put: (key, bytes) => store.put(key, bytes),
    get: (key) => {
      const hash = hashes.get(key)!;
      return store.get(key, { maxBytes: OBJECT_BYTES, sha256: hash });
    },
  };
}

/** MB/s of `call` over all objects. */
async function throughput(call: (i: number) => Promise<unknown>): Promise<number> {
  const started = performance.now();
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < OBJECTS) await call(next++);
  }));
  return OBJECTS * OBJECT_BYTES / (performance.now() - started) / 1e3;
}

async function* speed(bucket: S3Options): AsyncGenerator<Figure> {
  const draw = uniform(3);
  const objects = Array.from(
    { length: OBJECTS },
    () => new Uint8Array(OBJECT_BYTES).map(() => 256 * draw()),
  );
  const keys = objects.map((_, i) => `object-${i}`);
  const hashes = new Map(objects.map((bytes, i) => [keys[i]!, sha256(bytes)]));
  using store = new S3Store(bucket);
  using raw = rawClient(bucket);
  const ours = storeClient(store, hashes);
  for (const what of ["put", "get"] as const) {
    const run = (client: Client) =>
      throughput((i) => what === "put" ? client.put(keys[i]!, objects[i]!) : client.get(keys[i]!));
    await run(raw);
    await run(ours);
    const [alone, with_, ratios]: number[][] = [[], [], []];
    for (let i = 0; i < RUNS; i++) {
      alone!.push(await run(raw));
      with_!.push(await run(ours));
      ratios!.push(with_!.at(-1)! / alone!.at(-1)!);
    }
    const name = `S3 ${what} of 4 MiB, ${AT_ONCE} at once`;
    const mbs = (value: number, who: string, better: Figure["better"]): Figure => ({
      name: `${name}: ${who}`,
      value,
      unit: "MB/s",
      better,
    });
    yield mbs(quantile(with_!, 0.5), "S3Store, SHA-256 of all bytes included", "more");
    yield mbs(quantile(alone!, 0.5), "the SDK alone", "neither");
    const value = quantile(ratios!, 0.5);
    yield { name: `${name}: S3Store beside the SDK`, value, unit: "×", better: "more" };
  }
}

async function* memory(bucket: S3Options): AsyncGenerator<Figure> {
  const tasks: readonly (readonly [Task, string])[] = [
    ["put checkpoint", "upload of a checkpoint of 498 MB, beyond its weights"],
    ["get checkpoint", "download of a checkpoint of 498 MB, beyond its weights"],
    ["put gradients", ""],
    [
      "read gradients",
      `reading ${GRADIENTS} gradients of ${(GRADIENT_BYTES / 1e6).toFixed(1)} MB`,
    ],
  ];
  for (const [task, name] of tasks) {
    const { ms, peak } = await inWorker(task, bucket);
    if (name === "") continue;
    yield { name: `${name}: time`, value: ms / 1e3, unit: "s", better: "less" };
    if (peak === null) continue;
    const value = peak / MIB;
    yield {
      name: `${name}: peak memory, at most ${MEMORY_BOUND} MiB`,
      value,
      unit: "MiB",
      better: "less",
    };
    if (value > MEMORY_BOUND) throw new Error(`${name} takes ${value.toFixed(0)} MiB`);
  }
}

/** The figures; none where the server has not been built. */
export async function* store(): AsyncGenerator<Figure> {
  const program = await findServer();
  if (program === undefined) {
    console.error("skipped: versitygw is not built (deno task ci:prepare)");
    return;
  }
  await using server = await startServer(program);
  yield* speed(await server.bucket("speed"));
  yield* memory(await server.bucket("memory"));
}
