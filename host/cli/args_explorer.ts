/**
 * Arguments of `deno task explorer`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { type ArgsIo, examples, parse } from "./args.ts";

/** Where an explorer listens. */
export const EXPLORER_PORT = 4_322;

/** Arguments of `deno task explorer`. */
export interface ExplorerArgs {
  /** The folder of a dev ledger. */
  readonly dataDir: string | undefined;
  /** A network on Sui. */
  readonly network: string | undefined;
  /** Address to listen at. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

const parser = object({
  dataDir: optional(option("--data-dir", path({ metavar: "DIR", type: "directory" }), {
    description: message`The data directory that the validator printed when it started.`,
  })),
  network: optional(option("--network", string({ metavar: "NAME" }), {
    description: message`A network on Sui, instead of a folder.`,
  })),
  host: withDefault(
    option("--host", string({ metavar: "ADDRESS" }), {
      description:
        message`Listen at this address. Anything but this machine's own lets everybody there look; nobody can change anything.`,
    }),
    "127.0.0.1",
  ),
  port: withDefault(
    option("--port", integer({ metavar: "PORT", min: 0, max: 65_535 }), {
      description: message`The port; ${commandLine("0")} takes a free one.`,
    }),
    EXPLORER_PORT,
  ),
});

/** Parse the arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseExplorerArgs(argv: readonly string[], io?: ArgsIo): ExplorerArgs {
  return parse("deno task explorer", parser, argv, {
    brief:
      message`VRAMScan: the network in a browser. Windows, miners, judges and pay as they happen; each window's page verifies its proof by itself.`,
    examples: examples(
      ["The test network in a folder", "--data-dir ./network"],
      ["A network on Sui", "--network testnet"],
    )("deno task explorer"),
  }, io) as ExplorerArgs;
}
