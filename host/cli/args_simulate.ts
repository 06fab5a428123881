/**
 * The arguments of `deno task simulate`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import { type ArgsIo, examples, parse } from "./args.ts";

/** Arguments of `deno task simulate`. */
export interface SimulateArgs {
  /** Honest miners of every scenario; undefined plays 2, 10, 50 and 250. */
  miners: number | undefined;
  /** Windows of every scenario; undefined plays 50 and 200. */
  windows: number | undefined;
  /** Seed of the first run. */
  seed: number;
  /** Runs of each scenario, whose mean is shown. */
  runs: number;
  /** Print one JSON object a line. */
  json: boolean;
}

const parser = object({
  miners: optional(option("--miners", integer({ metavar: "N", min: 2, max: 250 }), {
    description: message`Honest miners of every scenario. Without it, 2, 10, 50 and 250.`,
  })),
  windows: optional(option("--windows", integer({ metavar: "N", min: 2, max: 10_000 }), {
    description: message`Windows of every scenario. Without it, 50 and 200.`,
  })),
  seed: withDefault(
    option("--seed", integer({ metavar: "SEED", min: 0, max: 0xffff_0000 }), {
      description: message`Seed of the first run; each further one takes the next.`,
    }),
    1,
  ),
  runs: withDefault(
    option("--runs", integer({ metavar: "N", min: 1, max: 1_000 }), {
      description: message`Runs of each scenario, whose mean is shown.`,
    }),
    4,
  ),
  json: option("--json", {
    description: message`Print one JSON object a line, for other programs.`,
  }),
});

/** Parse the arguments of `deno task simulate`. Does not return where help was asked for or they are wrong. */
export function parseSimulateArgs(argv: readonly string[], io?: ArgsIo): SimulateArgs {
  return parse("deno task simulate", parser, argv, {
    brief:
      message`Play the pay policy over many windows, with the judge's and the ledger's own code, and show who is paid beside what would be proportional to skill.`,
    examples: examples(
      ["Fifty miners for fifty windows", "--miners 50 --windows 50"],
      ["The same figures on every machine, for another program", "--seed 7 --json"],
    )("deno task simulate"),
  }, io);
}
