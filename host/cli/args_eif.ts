/**
 * Arguments of `deno task audit eif`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { lineBreak, type Message, message, text } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { path } from "@optique/run";
import { type ArgsIo, examples, parse } from "./args.ts";

/** Arguments of `deno task audit eif`. */
export interface EifArgs {
  /** The image. */
  readonly image: string;
  /** A `pcrs.json` that its measurements are held against. */
  readonly against: string | undefined;
  /** A CycloneDX bill that its files are held against. */
  readonly sbom: string | undefined;
  /** Name every file inside. */
  readonly list: boolean;
  /** Print one JSON object. */
  readonly json: boolean;
}

/** How the command ends, for scripts. */
const STATUSES: Message = [
  "The status it ends with:",
  "  0  an image, and all that was asked of it holds",
  "  2  called wrongly, or what it is held against cannot be read: no verdict",
  "  3  its measurements are not approved",
  "  4  a ramdisk's files are not those of its manifest, or one ramdisk covers another's",
  "  5  its files are not those of the SBOM",
  "  6  a ramdisk that cannot be looked into",
  "  7  unreadable: not an image, or a damaged one",
].flatMap((line, i): Message => i === 0 ? [text(line)] : [lineBreak(), text(line)]);

const EXAMPLES = examples(
  [
    "Whether this is the release's image",
    "eif vramhub-enclave.eif --against pcrs.json --sbom vramhub-enclave.sbom.json",
  ],
  ["What is inside", "eif vramhub-enclave.eif --list"],
)("deno task audit");

const eif = command(
  "eif",
  object({
    image: argument(path({ metavar: "IMAGE", type: "file" }), {
      description: message`The image, an EIF of version 4.`,
    }),
    against: optional(option("--against", path({ metavar: "FILE", type: "file" }), {
      description:
        message`Approved measurements: a release's pcrs.json, or what nitro-cli printed of your own build. PCR0, 1 and 2 are compared; when an approval is valid is not looked at.`,
    })),
    sbom: optional(option("--sbom", path({ metavar: "FILE", type: "file" }), {
      description:
        message`A bill of materials (CycloneDX, JSON): its files and their hashes must be those inside, none left out.`,
    })),
    list: option("--list", {
      description: message`Name every file inside, with size and SHA-256.`,
    }),
    json: option("--json", { description: message`Print one JSON object, for other programs.` }),
  }),
  {
    description: message`Take an image apart, and measure it as Nitro does.`,
    footer: [...STATUSES, lineBreak(), lineBreak(), ...EXAMPLES],
  },
);

/** Parse the arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseEifArgs(argv: readonly string[], io?: ArgsIo): EifArgs {
  return parse("deno task audit", eif, argv, {
    brief: [
      ...message`Recompute an image's measurements from its bytes, and see what is inside. No account is needed.`,
      lineBreak(),
      ...STATUSES,
    ],
    examples: EXAMPLES,
  }, io) as EifArgs;
}
