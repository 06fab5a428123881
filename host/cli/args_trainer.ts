/**
 * Arguments of `deno task trainer`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { choice, float, integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { type ArgsIo, examples, parse } from "./args.ts";
import { type ModelName, MODELS } from "./args_values.ts";

/** Arguments of `deno task trainer test`. */
export interface TrainerArgs {
  /** `onnx`, `sidecar`, `templar`, a sidecar's address, or the path of a module. */
  readonly trainer: string;
  /** Where onnx runs; undefined takes the setting's. */
  readonly device: string | undefined;
  /** The model whose pages the trainer is tried on. */
  readonly model: ModelName;
  /** Difference of two losses of equal weights that is none. */
  readonly tolerance: number;
  /** Seconds that one call may take. */
  readonly timeout: number;
  /** What a module may read besides itself. */
  readonly allowRead: readonly string[];
  /** Print one JSON object a line. */
  readonly json: boolean;
}

const test = command(
  "test",
  object({
    trainer: argument(string({ metavar: "TRAINER" }), {
      description:
        message`onnx, sidecar (at VRAMHUB_SIDECAR_URL), templar (at VRAMHUB_TEMPLAR_URL), a sidecar's address such as http://127.0.0.1:7070, or a module of your own such as ./mine.ts.`,
    }),
    device: optional(option("--device", string({ metavar: "DEVICE" }), {
      description: message`Where onnx runs: auto, cpu, webgpu, cuda or cuda:N.`,
    })),
    model: withDefault(
      option("--model", choice(MODELS, { metavar: "MODEL" }), {
        description: message`The model whose pages it is tried on; what onnx trains.`,
      }),
      "tiny",
    ),
    tolerance: withDefault(
      option("--tolerance", float({ metavar: "NATS", min: 0, max: 1 }), {
        description: message`How far two losses of the same weights may lie apart.`,
      }),
      1e-4,
    ),
    timeout: withDefault(
      option("--timeout", integer({ metavar: "SECONDS", min: 1, max: 86_400 }), {
        description: message`How long one call may take.`,
      }),
      600,
    ),
    allowRead: multiple(option("--allow-read", path({ metavar: "PATH" }), {
      description: message`A file or folder that a module of your own may read. Repeatable.`,
    })),
    json: option("--json", { description: message`Print one JSON object a line.` }),
  }),
  {
    description: message`Run the suite that every trainer of ours passes.`,
    errors: {
      notMatched: message`Cannot try a trainer without saying so: the first word is ${"test"}.`,
    },
  },
);

/** Parse the arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseTrainerArgs(argv: readonly string[], io?: ArgsIo): TrainerArgs {
  return parse("deno task trainer", test, argv, {
    brief:
      message`Try a trainer before you mine with it: its checkpoints, losses, steps and gradients, on pages of a pattern. A module of your own runs without network, environment and processes.`,
    examples: examples(
      ["The trainer of this project", "test onnx"],
      ["A sidecar whose arithmetic is bfloat16", "test http://127.0.0.1:7070 --tolerance 0.01"],
      ["The worked example", "test ./miner/adapters/example.ts"],
    )("deno task trainer"),
  }, io);
}
