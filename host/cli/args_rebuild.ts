/**
 * Arguments of `deno task audit rebuild`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { lineBreak, type Message, message, text } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { command, option } from "@optique/core/primitives";
import { path } from "@optique/run";
import { type ArgsIo, examples, parse } from "./args.ts";

/** Arguments of `deno task audit rebuild`. */
export interface RebuildArgs {
  /** An image or a `pcrs.json` that the build must equal. */
  readonly against: string | undefined;
  /** Where the build is kept; undefined is a temporary folder that is removed. */
  readonly out: string | undefined;
  /** Build with other packages than the pinned ones. */
  readonly unpinned: boolean;
  /** Print one JSON object. */
  readonly json: boolean;
}

/** How the command ends, for scripts. */
const STATUSES: Message = [
  "The status it ends with:",
  "  0  built, and the same as what it is held against, where something is named",
  "  1  the build failed: no verdict",
  "  2  called wrongly, or what it is held against cannot be read: no verdict",
  "  3  built, with other measurements: what moved is named",
  "  4  built with the same measurements, but what is not measured (header, metadata) differs",
].flatMap((line, i): Message => i === 0 ? [text(line)] : [lineBreak(), text(line)]);

const EXAMPLES = examples(
  ["Whether this source makes the release's measurements", "rebuild --against pcrs.json"],
  ["Which file moved, where it does not", "rebuild --against vramhub-enclave.eif"],
)("deno task audit");

const rebuild = command(
  "rebuild",
  object({
    against: optional(option("--against", path({ metavar: "FILE", type: "file" }), {
      description:
        message`What the build must equal: an image (then the section and the file that moved are named), or a release's pcrs.json (then the sections that can have moved are).`,
    })),
    out: optional(option("--out", path({ metavar: "DIR", type: "directory" }), {
      description: message`Keep the image, its pcrs.json and its SBOM here.`,
    })),
    unpinned: option("--unpinned", {
      description:
        message`Build even where a pinned package is gone, with what is offered instead: the image will be another.`,
    }),
    json: option("--json", { description: message`Print one JSON object, for other programs.` }),
  }),
  {
    description: message`Build the image from this source, and compare.`,
    footer: [...STATUSES, lineBreak(), lineBreak(), ...EXAMPLES],
  },
);

/** Parse the arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseRebuildArgs(argv: readonly string[], io?: ArgsIo): RebuildArgs {
  return parse("deno task audit", rebuild, argv, {
    brief: [
      ...message`Build the image from this source and hold it against a release. No account is needed.`,
      lineBreak(),
      ...STATUSES,
    ],
    examples: EXAMPLES,
  }, io) as RebuildArgs;
}
