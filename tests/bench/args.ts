/**
 * The arguments of `deno task bench`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { type ArgsIo, examples, parse } from "../../host/cli/args.ts";

/** What is measured, in this order, each in a process of its own. */
export const GROUPS = [
  "loss",
  "training",
  "sidecar",
  "compression",
  "rating",
  "attestation",
  "store",
  "explorer",
  "judge",
  "judge-nano",
  "honest-tiny",
  "honest-small",
] as const;

/** The name of a group of figures. */
export type GroupName = typeof GROUPS[number];

/** Arguments of `deno task bench`. */
export interface BenchArgs {
  /** Groups to measure; none means all of them. */
  only: readonly GroupName[];
  /** Where the record goes; undefined is the user's cache folder, by commit. */
  json: string | undefined;
  /** An earlier record to compare with. */
  against: string | undefined;
  /** The Python that may have PyTorch; undefined is the cache's, else `python3`. */
  python: string | undefined;
}

const parser = object({
  only: multiple(option("--only", choice(GROUPS, { metavar: "GROUP", suggest: "nearest" }), {
    description: message`Measure this group of figures only; may be given several times.`,
  })),
  json: optional(option("--json", path({ metavar: "FILE" }), {
    description:
      message`Write the record here. Without it, into the user's cache folder, named by the commit.`,
  })),
  against: optional(option("--against", path({ metavar: "FILE", mustExist: true }), {
    description: message`Compare with this earlier record, and name what became slower.`,
  })),
  python: optional(option("--python", string({ metavar: "PROGRAM" }), {
    description:
      message`The Python whose PyTorch does the same work beside ours. Without it VRAMHUB_PYTHON, else the one that ${"ci:prepare"} made, else python3.`,
  })),
});

/** Parse the arguments of `deno task bench`. Does not return where help was asked for or they are wrong. */
export function parseBenchArgs(argv: readonly string[], io?: ArgsIo): BenchArgs {
  return parse("deno task bench", parser, argv, {
    brief:
      message`Measure this machine at the project's work: medians, with the processor's name and flags, kept by commit.`,
    examples: examples(
      ["Everything, minutes", ""],
      ["Only what a loss costs", "--only loss"],
      ["Did anything become slower", "--against earlier.json"],
    )("deno task bench"),
  }, io);
}
