/**
 * What a model asks of a judge and of miners, by formulas and by what the bench measured of the presets: estimates,
 * all of them.
 *
 * @module
 */
import { MAX_BLOB, MAX_BODY } from "../../../enclave/protocol/judge_messages.ts";
import type { Hparams } from "../../../enclave/protocol/hparams.ts";
import { safetensorsSize } from "../../../enclave/model/safetensors.ts";
import { judgeMs, minersPerWindow } from "./capacity.ts";
import type { ModelShape } from "./manifest.ts";

const GIB = 2 ** 30;
/** Bytes of blobs that an enclave's judge holds at a time (`enclave/main.ts`). */
export const BLOB_BYTES = 2 ** 30;

/** An EC2 instance: all of its vCPUs but a core and all of its memory but 4 GiB can be an enclave's. */
export interface Instance {
  /** Its type. */
  readonly name: string;
  /** Its vCPUs. */
  readonly cpus: number;
  /** Its memory. */
  readonly gib: number;
}

/** Instances of one kind of CPU, and one with more memory, smallest first. */
export const INSTANCES: readonly Instance[] = [
  { name: "c5.xlarge", cpus: 4, gib: 8 },
  { name: "c5.2xlarge", cpus: 8, gib: 16 },
  { name: "c5.4xlarge", cpus: 16, gib: 32 },
  { name: "c5.9xlarge", cpus: 36, gib: 72 },
  { name: "c5.18xlarge", cpus: 72, gib: 144 },
];

/** Memory that stays with the instance. */
const INSTANCE_GIB = 4;
/** The bench's sgemm peak by CPU, in GFLOP/s: 184 on two. */
const PEAK = 92;
/** The share of it that a loss reached, by its work in GFLOP: `tiny`, `small` and nano-GPT. */
const SHARES: readonly (readonly [above: number, share: number])[] = [
  [50, 0.975],
  [1, 0.71],
  [0, 0.25],
];
/** What the judge adds to its forward passes. */
const OVERHEAD = 1.03;
/** The image and the runtime, as `enclave/main.ts` reckons. */
const RUNTIME_BYTES = 0.4 * GIB;
/** The bases that are held, the merge, and its file while it is hashed. */
const BASES = 4;
/** Bytes an entry of codec 1 takes, and codec 2 on average. */
const ENTRY_BYTES = [6, 3.3] as const;
/** Rows of logits that are alive at once. */
const CHUNK_ROWS = 256;

/** What one instance does with it. */
export interface InstanceFit extends Instance {
  /** Memory that an enclave can have there. */
  readonly enclaveBytes: number;
  /** Whether the judge fits. */
  readonly fits: boolean;
  /** Milliseconds for the loss of a batch. */
  readonly lossMs: number;
  /** Gradients that are judged in a window. */
  readonly miners: number;
}

/** What a model asks for. */
export interface Fit {
  /** Elements of θ. */
  readonly trainable: number;
  /** Elements that stay. */
  readonly frozen: number;
  /** Matrix work for the loss of a batch. */
  readonly gflop: number;
  /** Memory of the judge. */
  readonly memoryBytes: number;
  /** A base's file. */
  readonly baseBytes: number;
  /** The frozen file. */
  readonly frozenBytes: number;
  /** Entries that a miner sends. */
  readonly entries: number;
  /** Bytes of a gradient in codec 1, and about what codec 2 takes. */
  readonly gradientBytes: readonly [number, number];
  /** Milliseconds that a judge has for a window. */
  readonly judgeMs: number;
  /** Instances, smallest first. */
  readonly instances: readonly InstanceFit[];
  /** The smallest that judges as many miners as asked; undefined where none does. */
  readonly instance: InstanceFit | undefined;
  /** Why it cannot be judged; empty where it can. */
  readonly faults: readonly string[];
}

/** Two operations for every weight that a token is multiplied by, and for every pair of positions. */
function gflopOf({ dimensions, frozen, trainable }: ModelShape): number {
  const { batch, context, dims, layers, vocab } = dimensions;
  const all = [...frozen.params, ...trainable.params];
  const matrices = all.filter(({ shape }) => shape.length === 2);
  // One matrix of the vocabulary is the head, the others and positions are only looked up.
  const looked = ({ name, shape: [rows] }: typeof matrices[number]) =>
    rows === vocab || /wpe|position/.test(name);
  const inside = matrices.filter((param) => !looked(param)).reduce(
    (sum, { size }) => sum + size,
    0,
  );
  const head = dims * vocab;
  return batch * context * (2 * (inside + head) + 4 * context * dims * layers) / 1e9;
}

function memoryOf({ dimensions, frozen, trainable }: ModelShape): number {
  const { batch, context, dims, heads, vocab } = dimensions;
  const rows = batch * context;
  const logits = 3 * Math.min(CHUNK_ROWS, rows) * vocab;
  const block = 3 * batch * heads * context * context + 16 * rows * dims;
  const weights = BASES * trainable.total + frozen.total;
  return RUNTIME_BYTES + BLOB_BYTES + MAX_BLOB + 2 * MAX_BODY + 4 * (weights + logits + block);
}

/** Why no judge takes it, whatever it runs on. */
function* faultsOf(shape: ModelShape, fit: Omit<Fit, "faults" | "instance">, hparams: Hparams) {
  const { batch } = shape.dimensions;
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  for (const [what, bytes] of [["frozen", fit.frozenBytes], ["trained", fit.baseBytes]] as const) {
    if (bytes > BLOB_BYTES) {
      yield `the file of ${what} weights has ${mib(bytes)}, and the judge holds ${
        mib(BLOB_BYTES)
      }: ` +
        (what === "trained"
          ? "train a part, --trainable last:N or lora:R"
          : "take a smaller model");
    }
  }
  const [first] = fit.gradientBytes;
  const most = hparams.max_gradient_bytes;
  if (first > most) {
    const bps = Math.floor(hparams.topk_bps * most / first);
    yield `a gradient has ${
      mib(first)
    } at topk_bps ${hparams.topk_bps}, and max_gradient_bytes is ` +
      (bps > 0 ? `${mib(most)}: topk_bps ${bps} fits` : `${mib(most)}: train less`);
  }
  for (const name of ["own_pages", "random_pages", "heldout_pages"] as const) {
    if (hparams[name] % batch !== 0) {
      yield `${name} is ${
        hparams[name]
      }, no multiple of the batch of ${batch}: export it with another --batch`;
    }
  }
  const largest = fit.instances.at(-1)!;
  if (!largest.fits) {
    yield `a judge needs ${
      (fit.memoryBytes / GIB).toFixed(1)
    } GiB, and an enclave on ${largest.name} has ` +
      `${largest.enclaveBytes / GIB}: train less, or take a smaller model`;
  } else if (largest.miners === 0) {
    yield `one gradient takes longer than the ${
      (fit.judgeMs / 1_000).toFixed(0)
    } s that a judge has, on ` +
      `${largest.name} too: raise window_ms, or lower --context or --batch`;
  }
}

/** What `shape` asks for under `hparams`, where `miners` gradients a window are to be judged. */
export function fitOf(shape: ModelShape, hparams: Hparams, miners = 1): Fit {
  const { batch } = shape.dimensions;
  const gflop = gflopOf(shape);
  const memoryBytes = memoryOf(shape);
  const { own_pages, random_pages, topk_bps } = hparams;
  // Before and after on its own pages, after on the random ones (`enclave/scoring/measure.ts`).
  const passes = (2 * own_pages + random_pages) / batch;
  const [, part] = SHARES.find(([above]) => gflop > above)!;
  const instances = INSTANCES.map((instance): InstanceFit => {
    const enclaveBytes = (instance.gib - INSTANCE_GIB) * GIB;
    const lossMs = 1_000 * gflop / (PEAK * part * (instance.cpus - 2));
    return {
      ...instance,
      enclaveBytes,
      fits: memoryBytes <= enclaveBytes,
      lossMs,
      miners: Math.min(256, minersPerWindow(passes * lossMs * OVERHEAD, hparams)),
    };
  });
  const entries = Math.ceil(shape.trainable.total * topk_bps / 10_000);
  const known = {
    trainable: shape.trainable.total,
    frozen: shape.frozen.total,
    gflop,
    memoryBytes,
    baseBytes: safetensorsSize(shape.trainable),
    frozenBytes: shape.frozen.total === 0 ? 0 : safetensorsSize(shape.frozen),
    entries,
    gradientBytes: ENTRY_BYTES.map((bytes) => Math.ceil(bytes * entries)) as [number, number],
    judgeMs: judgeMs(hparams),
    instances,
  };
  const instance = instances.find((one) => one.fits && one.miners >= Math.max(1, miners));
  return { ...known, instance, faults: [...faultsOf(shape, known, hparams)] };
}
