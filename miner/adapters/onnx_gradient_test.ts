import { deepEqual, equal, ok } from "node:assert/strict";
import { type Param, paramManifest } from "../../enclave/model/params.ts";
import { pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { fromHex } from "../../enclave/protocol/bytes.ts";
import { findPython } from "../../tests/support/python.ts";
import type { GradientResult } from "../trainers/onnx.ts";
import type { BatchSource } from "./adapter.ts";
import { OnnxAdapter } from "./onnx.ts";

const { tiny } = PRESETS;
const { params, total } = paramManifest(tiny);
const VECTORS = new URL("../../tests/vectors/", import.meta.url);
/** What the first page's first token is the noise of; as in `pytorch.py`. */
const PAGES_FROM = 1_000_000;

/** MurmurHash3's finaliser. */
function noise(n: number): number {
  let h = n ^ n >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ h >>> 13, 0xc2b2ae35);
  return (h ^ h >>> 16) >>> 0;
}

function weights(): Float32Array {
  const theta = new Float32Array(total);
  for (const { name, shape, offset, size } of params) {
    for (let k = offset; k < offset + size; k++) {
      const u = noise(k + 1) / 2 ** 32 - 0.5;
      theta[k] = shape.length === 2 ? 0.16 * u : name.endsWith(".weight") ? 1 + 0.2 * u : 0.1 * u;
    }
  }
  return theta;
}

const pages = Array.from({ length: tiny.batch }, (_, row) =>
  Uint32Array.from(
    { length: pageTokens(tiny) },
    (_, i) => noise(PAGES_FROM + row * pageTokens(tiny) + i) % tiny.vocab,
  ));
const batches: BatchSource = {
  assigned: (uid, window) => Promise.resolve({ uid, window, pages }),
  random: (uid, window) => Promise.resolve({ uid, window, pages }),
};

async function ours(): Promise<GradientResult> {
  const settings = { innerSteps: 1, lr: 1e-3, percent: 1 };
  await using adapter = await OnnxAdapter.start({ batches, settings }, tiny, weights());
  const batch = await adapter.getAssignedBatch(0, 0);
  const result = await adapter.gradient(batch);
  ok(Math.abs(await adapter.forwardLoss(batch) - result.loss) < 1e-6);
  return result;
}

/** Refuse a difference above 1e-5, or above a thousandth of the parameter's largest entry where that is less. */
function holdAgainst({ name }: Param, mine: Float32Array, theirs: Float32Array): void {
  equal(mine.length, theirs.length, name);
  const largest = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  ok(largest > 1e-5, `${name}: a gradient of zeros would prove nothing`);
  const bound = Math.min(1e-5, largest / 1_000);
  for (let i = 0; i < mine.length; i++) {
    const off = Math.abs(mine[i]! - theirs[i]!);
    ok(off <= bound, `${name}, entry ${i}: ${mine[i]} and ${theirs[i]}, ${bound} allowed`);
  }
}

Deno.test("gradients: loss and gradient of every parameter are PyTorch's within 1e-5, as recorded", async () => {
  const recorded = JSON.parse(await Deno.readTextFile(new URL("pytorch.json", VECTORS)));
  const { loss, gradient } = await ours();
  ok(Math.abs(loss - recorded.loss) < 1e-5, `${loss} and ${recorded.loss}`);
  deepEqual(Object.keys(recorded.gradient), params.map(({ name }) => name));
  for (const param of params) {
    const theirs = new Float32Array(fromHex(recorded.gradient[param.name]).buffer);
    equal(theirs.length, Math.min(256, param.size));
    const mine = theirs.map((_, j) =>
      gradient[param.offset + Math.floor(j * param.size / theirs.length)]!
    );
    holdAgainst(param, mine, theirs);
  }
});

const python = await findPython();

Deno.test({
  name: "gradients: every entry is what PyTorch computes here and now (needs PyTorch)",
  ignore: python === undefined,
  async fn() {
    const file = await Deno.makeTempFile();
    try {
      const script = decodeURIComponent(new URL("pytorch.py", VECTORS).pathname);
      const { success, stdout, stderr } = await new Deno.Command(python!, {
        args: [script, "--all", file],
      }).output();
      ok(success, new TextDecoder().decode(stderr));
      const theirs = new Float32Array((await Deno.readFile(file)).buffer);
      equal(theirs.length, total);
      const { loss, gradient } = await ours();
      ok(Math.abs(loss - Number(new TextDecoder().decode(stdout))) < 1e-5);
      for (const param of params) {
        const { offset, size } = param;
        const part = (all: Float32Array) => all.subarray(offset, offset + size);
        holdAgainst(param, part(gradient), part(theirs));
      }
    } finally {
      await Deno.remove(file);
    }
  },
});
