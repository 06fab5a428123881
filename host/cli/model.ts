/**
 * `deno task model`: exports a model package, checks one, and says what a model asks of a judge.
 *
 * @module
 */
import { manifestOf, paramManifest } from "../../enclave/model/params.ts";
import { presetByName, PRESETS } from "../../enclave/model/presets.ts";
import { decodeSafetensors } from "../../enclave/model/safetensors.ts";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { DEFAULT_HPARAMS } from "../../enclave/protocol/hparams.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { type ExportOptions, type ModelArgs, parseModelArgs } from "./args_model.ts";
import { type Fit, fitOf } from "./model/fit.ts";
import { isPackage, readManifest, readPackage } from "./model/folder.ts";
import { type ModelShape, parseShape } from "./model/manifest.ts";
import { DESCRIBES, ExportError, EXPORTS, runExport } from "./model/python.ts";
import { fitLines } from "./model/report.ts";
import { useNativeSha256, writeText } from "./native.ts";
import { count } from "./present/format.ts";

function exportFlags({ batch, context, trainable }: ExportOptions): string[] {
  return ["--trainable", trainable, "--context", `${context}`, "--batch", `${batch}`];
}

async function shapeOf(args: Extract<ModelArgs, { action: "fit" }>): Promise<ModelShape> {
  const { model } = args;
  if (Object.hasOwn(PRESETS, model)) {
    const config = presetByName(model);
    const { name, ...dimensions } = config;
    const trainable = paramManifest(config);
    return { name, dimensions, trained: "all", trainable, frozen: manifestOf({}) };
  }
  if (await isPackage(model)) return await readManifest(model);
  return parseShape(
    await runExport(["--model", model, "--describe", ...exportFlags(args)], DESCRIBES),
  );
}

async function fit(args: Extract<ModelArgs, { action: "fit" }>): Promise<Fit> {
  const { miners, topkBps, windowSeconds } = args;
  const shape = await shapeOf(args);
  const hparams = {
    ...DEFAULT_HPARAMS,
    ...(topkBps === undefined ? {} : { topk_bps: topkBps }),
    ...(windowSeconds === undefined ? {} : { window_ms: 1_000 * windowSeconds }),
  };
  const found = fitOf(shape, hparams, miners);
  if (args.json) writeText(`${JSON.stringify({ model: shape.name, estimate: true, ...found })}\n`);
  else writeText(`${fitLines(shape, found, { hparams, miners }).join("\n")}\n`);
  return found;
}

/** Tokens spread over the vocabulary: no text is needed to see that a loss comes out. */
async function check({ folder, json }: Extract<ModelArgs, { action: "check" }>): Promise<void> {
  const opened = await readPackage(folder);
  const { config, frozen, graph, hash, theta } = opened;
  const { frozen: fixed, trainable } = config.package;
  // Only here: whoever estimates needs no runtime.
  const { LossModel } = await import("../../enclave/model/session.ts");
  const weights = fixed.total === 0 ? new Float32Array(0) : decodeSafetensors(fixed, frozen);
  const model = await LossModel.open(config, graph, weights);
  const pages = Array.from(
    { length: config.batch },
    (_, row) =>
      Uint32Array.from(
        { length: config.context + 1 },
        (_, i) => (row * 7_919 + i * i * 31) % config.vocab,
      ),
  );
  const { sum, count: tokens } = await model.losses(theta, pages);
  await model.close();
  const loss = sum / tokens;
  const facts = { modelHash: toHex(hash), trainable: trainable.total, frozen: fixed.total, loss };
  writeText(
    json
      ? `${JSON.stringify(facts)}\n`
      : `The judge takes it: model hash ${facts.modelHash}, ${
        count(facts.trainable)
      } trained and ` +
        `${count(facts.frozen)} frozen parameters, ${
          loss.toFixed(4)
        } nats on a pattern of tokens\n`,
  );
}

/** Run the command; its exit status. */
export async function runModel(args: ModelArgs): Promise<number> {
  if (args.action === "fit") {
    const { faults, instance } = await fit(args);
    return faults.length === 0 && instance !== undefined ? 0 : 1;
  }
  if (args.action === "check") {
    await check(args);
  } else {
    const { model, out, seed } = args;
    const flags = ["--model", model, "--out", out, "--seed", `${seed}`, ...exportFlags(args)];
    writeText(`${await runExport(flags, EXPORTS)}\n`);
    await check({ action: "check", folder: out, json: false });
  }
  return 0;
}

/** What `deno task model` does with `argv`; its exit status. */
export async function modelCommand(argv: readonly string[]): Promise<number> {
  const args = parseModelArgs(argv);
  useNativeSha256();
  try {
    return await runModel(args);
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof ExportError)) throw error;
    console.error(`error: ${error.message}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await modelCommand(Deno.args));
