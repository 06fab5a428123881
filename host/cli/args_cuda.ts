/**
 * Arguments of `deno task miner cuda:install`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { option } from "@optique/core/primitives";
import { type ArgsIo, examples, parse } from "./args.ts";

/** Arguments of `deno task miner cuda:install`. */
export interface CudaArgs {
  /** Print one JSON object a line. */
  readonly json: boolean;
}

const parser = object({
  json: option("--json", { description: message`Print one JSON object a line.` }),
});

/** Parse the arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseCudaArgs(argv: readonly string[], io?: ArgsIo): CudaArgs {
  return parse("deno task miner cuda:install", parser, argv, {
    brief:
      message`Bring what onnx needs to train on an NVIDIA GPU into the user's cache: onnxruntime's CUDA provider and CUDA's libraries, 1.5 GB of pinned wheels, 2.3 GB unpacked. Linux on x86-64. The driver must be there already. Called again it goes on where it stopped, or does nothing.`,
    examples: examples(["Install, then say which GPUs can be trained on", ""])(
      "deno task miner cuda:install",
    ),
  }, io);
}
