/**
 * Arguments of `deno task model`.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { type ArgsIo, examples, parse } from "./args.ts";

/** How a model is exported, or would be. */
export interface ExportOptions {
  /** `all`, `last:N` or `lora:R`. */
  readonly trainable: string;
  /** Tokens predicted a page. */
  readonly context: number;
  /** Pages of one forward pass. */
  readonly batch: number;
}

/** Arguments of `deno task model`. */
export type ModelArgs =
  | ({
    readonly action: "export";
    /** A name or a folder. */
    readonly model: string;
    /** The folder to write. */
    readonly out: string;
    /** Of weights that start at random. */
    readonly seed: number;
  } & ExportOptions)
  | ({
    readonly action: "fit";
    /** A preset, a package's folder, or what Python takes. */
    readonly model: string;
    /** Gradients a window that should be judged. */
    readonly miners: number;
    /** Share of entries that a miner keeps; undefined is the default of the hparams. */
    readonly topkBps: number | undefined;
    /** Length of a window; undefined is the default of the hparams. */
    readonly windowSeconds: number | undefined;
    /** Print one JSON object. */
    readonly json: boolean;
  } & ExportOptions)
  | { readonly action: "check"; readonly folder: string; readonly json: boolean };

const exported = {
  trainable: withDefault(
    option("--trainable", string({ metavar: "all|last:N|lora:R" }), {
      description:
        message`What miners train: everything, the last N blocks, or added matrices of rank R.`,
    }),
    "all",
  ),
  context: withDefault(
    option("--context", integer({ metavar: "N", min: 1, max: 1 << 16 }), {
      description: message`Tokens predicted a page.`,
    }),
    256,
  ),
  batch: withDefault(
    option("--batch", integer({ metavar: "N", min: 1, max: 64 }), {
      description: message`Pages of one forward pass.`,
    }),
    4,
  ),
};

const json = option("--json", { description: message`Print one JSON object.` });

const write = command(
  "export",
  object({
    action: constant("export" as const),
    model: option("--model", string({ metavar: "DIR|NAME" }), {
      description:
        message`A causal LM of Hugging Face: a name, a folder (one with only config.json starts at random), or vramhub:tiny.`,
    }),
    out: option("--out", path({ metavar: "DIR" }), {
      description: message`The folder to write; it must not be there yet.`,
    }),
    seed: withDefault(
      option("--seed", integer({ metavar: "SEED", min: 0, max: 2 ** 32 - 1 }), {
        description: message`Seed of weights that start at random.`,
      }),
      0,
    ),
    ...exported,
  }),
  { description: message`Write a model package with PyTorch, and compare its losses.` },
);

const fit = command(
  "fit",
  object({
    action: constant("fit" as const),
    model: argument(string({ metavar: "NAME|DIR" }), {
      description:
        message`A preset (tiny, small, nano-gpt), a package's folder, or a causal LM of Hugging Face, of which only the configuration is read.`,
    }),
    miners: withDefault(
      option("--miners", integer({ metavar: "N", min: 1, max: 256 }), {
        description: message`Gradients that a judge should get through in a window.`,
      }),
      16,
    ),
    topkBps: optional(option("--topk-bps", integer({ metavar: "BPS", min: 1, max: 10_000 }), {
      description: message`Share of entries that a miner keeps, in 1/10,000.`,
    })),
    windowSeconds: optional(
      option("--window-seconds", integer({ metavar: "S", min: 1, max: 604_800 }), {
        description: message`Length of a window.`,
      }),
    ),
    json,
    ...exported,
  }),
  { description: message`Estimate instance, memory, time and gradient size of a model.` },
);

const check = command(
  "check",
  object({
    action: constant("check" as const),
    folder: argument(path({ metavar: "DIR", type: "directory" }), {
      description: message`A package's folder.`,
    }),
    json,
  }),
  { description: message`Open a package as the judge does, and say its hash and loss.` },
);

/** Parse the arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseModelArgs(argv: readonly string[], io?: ArgsIo): ModelArgs {
  return parse("deno task model", or(write, fit, check), argv, {
    brief:
      message`Model packages: any causal LM as a graph, a list of parameters and weights, so that a network's judge can score it.`,
    examples: examples(
      [
        "Train the last two blocks of a model of yours",
        "export --model ./gpt2 --out ./package --trainable last:2",
      ],
      ["What it takes to judge it", "fit ./package --miners 32"],
      ["What the judge says of it", "check ./package"],
    )("deno task model"),
  }, io);
}
