import assert from "node:assert/strict";
import { paramManifest } from "../../enclave/model/params.ts";
import { pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { patternedBatches } from "../../miner/adapters/conformance.ts";
import { SidecarError } from "../../miner/adapters/sidecar_http.ts";
import { Config, ConfigError } from "../config/mod.ts";
import { codecOf, openTrainer, type TrainerWish } from "./open_trainer.ts";

const { tiny } = PRESETS;
const MANIFEST = paramManifest(tiny);
const NOTHING: TrainerWish = {
  allowRead: [],
  codec: undefined,
  device: undefined,
  trainer: undefined,
};

/** Ports where nothing answers: no process of the machine that runs the tests is asked. */
const SILENT = {
  VRAMHUB_SIDECAR_URL: "http://127.0.0.1:9",
  VRAMHUB_TEMPLAR_URL: "http://127.0.0.1:9",
};

/** What is chosen, and the lines that say so. */
async function chosen(wish: Partial<TrainerWish>, values: Record<string, string> = {}) {
  const config = new Config([{ name: "the environment", values: { ...SILENT, ...values } }]);
  const lines: { readonly message: string; readonly fields: Record<string, unknown> }[] = [];
  const settings = { innerSteps: 1, lr: 1e-3, percent: 1 };
  const batches = patternedBatches(pageTokens(tiny), tiny.batch);
  const { adapter, device, why } = await openTrainer({ ...NOTHING, ...wish }, {
    config,
    model: tiny,
    context: { batches, settings },
    log: (_level, _target, message, fields = {}) => lines.push({ message, fields }),
  });
  await adapter[Symbol.asyncDispose]();
  return { name: adapter.name, device, why, lines };
}

/** A process that says of itself what `health` is, and nothing else. */
function process(health: object): AsyncDisposable & { readonly url: string } {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => Response.json({ status: "ok", model: "m", device: "cuda:3", ...health }),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const sidecar = (parameters: number, ...dialects: string[]) => process({ parameters, dialects });

Deno.test("openTrainer: the older names are onnx on the device that they mean", async () => {
  for (const trainer of ["candle", "stub", "onnx"]) {
    const { device, name, why } = await chosen({ trainer, device: "cpu" });
    assert.deepEqual([name, device], ["onnx", "cpu"]);
    assert.match(why, new RegExp(`^--trainer names ${trainer}: Trains on cpu`));
  }
  await assert.rejects(chosen({ trainer: "cuda", device: "cuda:77" }), /Cannot train on/);
});

Deno.test("openTrainer: by default what answers comes first, and one line says why it was not another", async () => {
  const values = { VRAMHUB_DEVICE: "auto" };
  const alone = await chosen({}, values);
  assert.equal(alone.name, "onnx");
  assert.match(
    alone.why,
    /^No Templar process answers at .*; No sidecar answers at .*; onnx: Trains/,
  );
  assert.deepEqual(alone.lines.map(({ message }) => message), ["Trainer chosen"]);
  assert.equal(alone.lines[0]!.fields.reason, alone.why);

  await using theirs = sidecar(MANIFEST.total, "json", "binary-1");
  const found = await chosen({}, { ...values, VRAMHUB_SIDECAR_URL: theirs.url });
  assert.deepEqual([found.name, found.device], ["sidecar", "cuda:3"]);
  assert.match(
    found.why,
    /^No Templar process answers .*; sidecar answers with the ledger's model$/,
  );

  await using bridge = sidecar(MANIFEST.total, "templar-1");
  const both = { VRAMHUB_SIDECAR_URL: theirs.url, VRAMHUB_TEMPLAR_URL: bridge.url };
  assert.equal((await chosen({}, { ...values, ...both })).name, "templar");

  const here = await chosen({ device: "cpu" }, both);
  assert.equal(here.name, "onnx", "who names a device wants this process");
});

Deno.test("openTrainer: a sidecar of another model, or with data of its own, is passed over unless it is named", async () => {
  await using other = sidecar(7, "json", "binary-1");
  const passed = await chosen({}, { VRAMHUB_SIDECAR_URL: other.url, VRAMHUB_DEVICE: "auto" });
  assert.equal(passed.name, "onnx");
  assert.match(passed.why, /'m' is not the ledger's model/);
  await assert.rejects(
    chosen({ trainer: other.url }),
    (error) => error instanceof SidecarError && error.code === "wrong_model",
  );
  await using seed = sidecar(MANIFEST.total, "json");
  const unasked = await chosen({}, { VRAMHUB_SIDECAR_URL: seed.url, VRAMHUB_DEVICE: "auto" });
  assert.equal(unasked.name, "onnx");
  assert.match(unasked.why, /draws its own data \(--trainer sidecar takes it\)/);
  const asked = await chosen({}, {
    VRAMHUB_SIDECAR_URL: seed.url,
    VRAMHUB_TRAINER: "sidecar",
  });
  assert.equal(asked.name, "sidecar");
  assert.match(asked.lines[1]!.message, /draws its own data: .* earns little/);
  assert.match(asked.why, /^VRAMHUB_TRAINER in the environment names sidecar/);
});

Deno.test("openTrainer: a module of one's own is one, what names nothing is refused", async () => {
  const path = new URL("../../miner/adapters/example.ts", import.meta.url).pathname;
  const found = await chosen({ trainer: path });
  assert.equal(found.device, "its own");
  const placed = await chosen({ trainer: path, device: "cuda" });
  assert.match(placed.lines[1]!.message, /^--device is onnx's: bigram has a device of its own/);
  for (
    const [wish, why] of [
      [{ trainer: "pytorch" }, /Cannot train with pytorch: name auto, onnx, sidecar, templar/],
      [{ trainer: "onnx", device: "tpu" }, /must be auto, cpu, webgpu, cuda or cuda:N.*tpu/],
      [
        { trainer: "sidecar" },
        /No sidecar answers at http:\/\/127\.0\.0\.1:9\. Start one.*--model vramhub:/,
      ],
      [{ trainer: "templar" }, /No Templar process answers/],
      [{ trainer: "./missing.ts" }, /missing\.ts/],
    ] as const
  ) await assert.rejects(chosen(wish), why);
});

Deno.test("codecOf: the option, else the setting, and no other than there is", () => {
  const config = (codec: string) =>
    new Config([{ name: "./.env", values: { VRAMHUB_CODEC: codec } }]);
  assert.equal(codecOf(NOTHING, new Config([]), MANIFEST).name, "topk");
  assert.equal(codecOf(NOTHING, config("templar"), MANIFEST).name, "templar");
  assert.equal(codecOf({ ...NOTHING, codec: "topk" }, config("templar"), MANIFEST).name, "topk");
  assert.throws(
    () => codecOf(NOTHING, config("constructor"), MANIFEST),
    (error) =>
      error instanceof ConfigError &&
      /as constructor, which VRAMHUB_CODEC in \.\/\.env names: it is topk or templar/
        .test(error.message),
  );
});
