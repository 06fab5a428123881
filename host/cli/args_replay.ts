/**
 * Arguments of `deno task audit replay`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { lineBreak, type Message, message, text } from "@optique/core/message";
import { withDefault } from "@optique/core/modifiers";
import { command, option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { type ArgsIo, examples, parse } from "./args.ts";

/** Arguments of `deno task audit replay`. */
export interface ReplayArgs {
  /** The data directory that is audited; nothing in it is changed. */
  readonly dataDir: string;
  /** The window. */
  readonly window: number;
  /** How far a loss may lie off, in 1e-6 nats. */
  readonly tolerance: number;
  /** Print one JSON object. */
  readonly json: boolean;
}

/** What losses differ by between kinds of CPUs, in 1e-6 nats. */
const CPU_TOLERANCE = 2;

/** How the command ends, for scripts. */
const STATUSES: Message = [
  "The status it ends with:",
  "  0  everything holds, and the judge says the same again",
  "  1  something does not: it is named",
  "  2  called wrongly",
  "  3  no verdict: an input is missing, or this machine is too slow for the window's deadline",
].flatMap((line, i): Message => i === 0 ? [text(line)] : [lineBreak(), text(line)]);

const replay = command(
  "replay",
  object({
    dataDir: option("--data-dir", path({ metavar: "DIR", type: "directory" }), {
      description:
        message`The data directory of a test network, yours or a stranger's: ledger, store and data set are read, nothing is changed.`,
    }),
    window: option("--window", integer({ metavar: "N", min: 0 }), {
      description: message`The window: it must have ended, and its gradients must still be kept.`,
    }),
    tolerance: withDefault(
      option("--tolerance", integer({ metavar: "UNITS", min: 0, max: 1_000 }), {
        description:
          message`How far a loss may lie off, in 1e-6 nats. On a CPU with the same features all bytes are the same: ask for 0 there. Other kinds (AVX2 instead of AVX-512) round differently, by at most 2. Verdicts, ratings and hashes have no tolerance.`,
      }),
      CPU_TOLERANCE,
    ),
    json: option("--json", { description: message`Print one JSON object, for other programs.` }),
  }),
  {
    description: message`Judge a window of a stranger's network again, from its inputs.`,
    footer: STATUSES,
  },
);

/** Parse the arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseReplayArgs(argv: readonly string[], io?: ArgsIo): ReplayArgs {
  return parse("deno task audit", replay, argv, {
    brief: [
      ...message`Fetch every input of a window by its hash, run the judge again, and compare.`,
      lineBreak(),
      ...STATUSES,
    ],
    examples: examples(
      ["A window of a network on this machine", "replay --data-dir ./network --window 2"],
      [
        "On the very machine that judged it",
        "replay --data-dir ./network --window 2 --tolerance 0",
      ],
    )("deno task audit"),
  }, io) as ReplayArgs;
}
