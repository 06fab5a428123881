/**
 * What a large transfer takes of a process's memory, in a process of its own: the parent names the bucket on standard
 * input, a line of JSON on standard output tells the peak.
 *
 * @module
 */
import { paramManifest } from "../../enclave/model/params.ts";
import type { ModelConfig } from "../../enclave/model/presets.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS } from "../../enclave/protocol/hparams.ts";
import { useNativeSha256 } from "../../host/cli/native.ts";
import { discover } from "../../host/discover.ts";
import { GradientReader } from "../../host/gradient_reader.ts";
import type { RevealRow, WindowView } from "../../host/ledger/ledger.ts";
import { getCheckpoint, putCheckpoint, readManifest } from "../../host/store/checkpoints.ts";
import { Chunks } from "../../host/store/chunks.ts";
import { gradientKey } from "../../host/store/keys.ts";
import { LocalStore } from "../../host/store/local.ts";
import { type S3Options, S3Store } from "../../host/store/s3.ts";

/** GPT-2's size: 124,439,808 parameters, a file of 498 MB. */
export const LARGE: ModelConfig = {
  name: "gpt2",
  vocab: 50_257,
  layers: 12,
  dims: 768,
  heads: 12,
  context: 1_024,
  batch: 1,
};
/** Gradients of a full window. */
export const GRADIENTS = 256;
/** Bytes of each: nano-GPT's, 1 % of its entries. */
export const GRADIENT_BYTES = 1_400_000;

/** What a large transfer may take beyond the weights themselves, in MiB: host/README.md states it, a test holds it. */
export const MEMORY_BOUND = 256;

/** What is done. */
export type Task = "put checkpoint" | "get checkpoint" | "put gradients" | "read gradients";

/** What a parent sends. */
export interface Order {
  /** What is done. */
  readonly task: Task;
  /** Where. */
  readonly bucket: S3Options;
}

/** What comes back. */
export interface Took {
  /** Milliseconds. */
  readonly ms: number;
  /** Peak of resident memory above what it was before, weights included there, in bytes; null where the system does not say. */
  readonly peak: number | null;
}

/** Let a process of its own do `task`. */
export async function inWorker(task: Task, bucket: S3Options): Promise<Took> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      "--no-check",
      decodeURIComponent(new URL(import.meta.url).pathname),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const order: Order = { task, bucket };
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(JSON.stringify(order)));
  await input.close();
  const { stdout, success } = await child.output();
  if (!success) throw new Error(`Cannot measure: ${task} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

const ABOUT = { modelHash: new Uint8Array(32), parent: new Uint8Array(32), window: 1 };

function resident(field: "VmRSS" | "VmHWM"): number | null {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    return 1_024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)![1]);
  } catch {
    return null; // no Linux
  }
}

/** `work`, with what it took beyond `base` bytes that it makes and gives. */
async function took(work: () => Promise<void>, base = 0): Promise<Took> {
  const before = resident("VmRSS");
  const started = performance.now();
  await work();
  const ms = performance.now() - started;
  const peak = resident("VmHWM");
  return { ms, peak: peak === null || before === null ? null : peak - before - base };
}

function weights(): Float32Array<ArrayBuffer> {
  const theta = new Float32Array(paramManifest(LARGE).total);
  for (let i = 0; i < theta.length; i++) theta[i] = (i % 1_000_003) * 1e-6;
  return theta;
}

function gradient(uid: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(GRADIENT_BYTES);
  for (let i = 0; i < bytes.length; i += 4) bytes[i] = (i * 7 + uid * 31) >> 3;
  return bytes;
}

/** As much of a window as reading it takes. */
function view(): WindowView {
  const reveals = Array.from({ length: GRADIENTS }, (_, uid): RevealRow =>
    ({
      uid,
      commitSeq: uid,
      contentHash: sha256(gradient(uid)),
      size: GRADIENT_BYTES,
      codec: 2,
      owner: "0x0",
      ref: gradientKey(1, uid),
    }) as RevealRow);
  const baseHash = new Uint8Array(32);
  return { window: 1, hparams: DEFAULT_HPARAMS, baseHash, reveals } as unknown as WindowView;
}

const TASKS: Readonly<Record<Task, (store: S3Store) => Promise<Took>>> = {
  async "put checkpoint"(store) {
    const theta = weights();
    return await took(async () => {
      const chunks = Chunks.of(LARGE, theta);
      await putCheckpoint(store, chunks.manifest(ABOUT), (index) => chunks.at(index));
    });
  },
  async "get checkpoint"(store) {
    const manifest = await readManifest(store, 1);
    return await took(async () => {
      const filling = Chunks.into(LARGE);
      await getCheckpoint(store, manifest!, (index, bytes) => filling.put(index, bytes));
      filling.finish();
    }, 4 * paramManifest(LARGE).total);
  },
  "put gradients": (store) =>
    took(async () => {
      for (let uid = 0; uid < GRADIENTS; uid++) await store.put(gradientKey(1, uid), gradient(uid));
    }),
  async "read gradients"(store) {
    const dir = await Deno.makeTempDir({ prefix: "vramhub-bench-" });
    try {
      const own = await LocalStore.open(dir);
      const ledger = { credentials: () => Promise.resolve(null) };
      const reader = new GradientReader({
        ledger: ledger as unknown as ConstructorParameters<typeof GradientReader>[0]["ledger"],
        owner: "0x0",
        store: own,
        uploads: store,
      });
      const window = view();
      return await took(async () => {
        const parts = { reader, store: own, model: LARGE, log: () => {} };
        const { found } = await discover(window, parts);
        if (found.length !== GRADIENTS) throw new Error(`${found.length} gradients were read`);
      });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
};

if (import.meta.main) {
  useNativeSha256();
  const { task, bucket }: Order = JSON.parse(await new Response(Deno.stdin.readable).text());
  using store = new S3Store(bucket);
  console.log(JSON.stringify(await TASKS[task](store)));
}
