/**
 * Arguments of `deno task report`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { lineBreak, type Message, message, text } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { path } from "@optique/run";
import { type ArgsIo, examples, parse } from "./args.ts";

/** Arguments of `deno task report verify`. */
export interface ReportArgs {
  /** The receipt. */
  readonly file: string;
  /** A `pcrs.json`; undefined takes the measurements that the receipt's ledger approved. */
  readonly pcrs: string | undefined;
  /** `bundle`, or a file with the DER of a SIMULATED root; undefined is AWS's root. */
  readonly simulatedRoot: string | undefined;
  /** Print one JSON object. */
  readonly json: boolean;
}

/** How the command ends, for scripts. */
const STATUSES: Message = [
  "The status it ends with:",
  "  0  every check holds",
  "  1  a check does not hold: it is named",
  "  2  called wrongly",
  "  3  a file cannot be read, or is no receipt",
].flatMap((line, i): Message => i === 0 ? [text(line)] : [lineBreak(), text(line)]);

const verify = command(
  "verify",
  object({
    file: argument(path({ metavar: "FILE", type: "file" }), {
      description: message`A receipt: receipts/window-N.cbor of a validator's data directory.`,
    }),
    pcrs: optional(option("--pcrs", path({ metavar: "FILE", type: "file" }), {
      description:
        message`Approved measurements: a release's pcrs.json. Without it, those that the receipt says its ledger approved.`,
    })),
    simulatedRoot: optional(option("--simulated-root", path({ metavar: "FILE", type: "file" }), {
      description:
        message`Accept documents under this SIMULATED root (a DER file, or the word bundle for the one in the receipt). It proves no hardware.`,
    })),
    json: option("--json", { description: message`Print one JSON object, for other programs.` }),
  }),
  {
    description:
      message`Check a window's receipt offline and compute again all that follows from it.`,
    footer: STATUSES,
    errors: {
      notMatched: message`Cannot check without saying what: the first word is ${"verify"}.`,
    },
  },
);

/** Parse the arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseReportArgs(argv: readonly string[], io?: ArgsIo): ReportArgs {
  return parse("deno task report", verify, argv, {
    brief: [
      ...message`Check what a window was decided by, offline: everything but the losses.`,
      lineBreak(),
      ...STATUSES,
    ],
    examples: examples(
      ["A receipt against a release", "verify window-12.cbor --pcrs pcrs.json"],
      [
        "A receipt of a test network, SIMULATED",
        "verify ./network/receipts/window-2.cbor --simulated-root bundle",
      ],
    )("deno task report"),
  }, io) as ReportArgs;
}
