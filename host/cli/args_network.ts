/**
 * Arguments of `deno task validator` on a network: `--ledger sui --network NAME`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import type { JudgeAddress } from "../courier/transport.ts";
import { type ArgsIo, examples, parse } from "./args.ts";
import { judgeAddress } from "./args_values.ts";

/** A validator of a network. */
export interface NetworkArgs {
  /** Name of the network; undefined takes the setting's. */
  readonly network: string | undefined;
  /** Where data set, store and journals are; undefined takes the setting's. */
  readonly dataDir: string | undefined;
  /** Where the judge listens; undefined takes the setting's. */
  readonly judge: JudgeAddress | undefined;
  /** Windows before ending; undefined runs until interrupted. */
  readonly windows: number | undefined;
  /** Print one JSON object a line. */
  readonly json: boolean;
  /** A SIMULATED judge was asked for, which no network on Sui takes. */
  readonly testMode: boolean;
}

const parser = object({
  ledger: optional(option("--ledger", choice(["sui"], { metavar: "KIND" }), {
    description: message`The ledger: a network on Sui.`,
  })),
  network: optional(option("--network", string({ metavar: "NAME" }), {
    description: message`Name of the network: localnet, testnet, mainnet or one of your own.`,
  })),
  dataDir: optional(option("--data-dir", path({ metavar: "DIR", type: "directory" }), {
    description: message`Where data set, store and journals are.`,
  })),
  judge: optional(option("--judge", judgeAddress(), {
    description: message`Where the judge listens; VRAMHUB_ENCLAVE_URL without it.`,
  })),
  windows: optional(option("--windows", integer({ metavar: "N", min: 1, max: 1_000_000 }), {
    description: message`End after this many windows. Without it, run until Ctrl-C.`,
  })),
  json: option("--json", {
    description: message`Print one JSON object a line, for other programs.`,
  }),
  testMode: option("--test-mode", { hidden: true }),
});

/** Whether the words are for a network rather than for test mode. */
export function isForNetwork(argv: readonly string[]): boolean {
  return argv.some((word, i) =>
    /^--network(=|$)/.test(word) || word === "--ledger=sui" ||
    (word === "--ledger" && argv[i + 1] === "sui")
  );
}

/** Parse the arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseNetworkArgs(argv: readonly string[], io?: ArgsIo): NetworkArgs {
  const { ledger: _, ...args } = parse("deno task validator", parser, argv, {
    brief: message`Judge a network's gradients in an attested enclave, settle windows and be paid.`,
    examples: examples(
      [
        "The enclave of this instance",
        "--ledger sui --network testnet --data-dir ./validator --judge vsock:16:3000",
      ],
    )("deno task validator"),
  }, io);
  return args;
}
