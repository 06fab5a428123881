/**
 * Arguments of `deno task validator`, `miner` and `aggregator` on a network: `--ledger sui --network NAME`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import type { Config } from "../config/mod.ts";
import type { JudgeAddress } from "../courier/transport.ts";
import { type ArgsIo, examples, parse, refuseNoDrand } from "./args.ts";
import { type TrainingArgs, trainingOptions } from "./args_training.ts";
import { beside, type BesideArgs, monitoring, type MonitoringArgs } from "./args_monitoring.ts";
import { judgeAddress, storeName } from "./args_values.ts";

/** A party of a network. What is undefined is the setting's. */
export interface PartyArgs extends MonitoringArgs {
  /** Which kind of ledger: a network on Sui, or the dev ledger of a folder. */
  readonly ledger: "sui" | "dev" | undefined;
  /** Name of the network. */
  readonly network: string | undefined;
  /** Where data set, journals and, for a dev ledger, the network are. */
  readonly dataDir: string | undefined;
  /** Who calls a dev ledger; an address of the wallet on Sui. */
  readonly as: string | undefined;
  /** Where this party's objects lie. */
  readonly store: string | undefined;
  /** Windows before ending; undefined runs until interrupted. */
  readonly windows: number | undefined;
  /** Print one JSON object a line. */
  readonly json: boolean;
}

/** A validator of a network. */
export interface NetworkArgs extends PartyArgs, BesideArgs {
  /** Where the judge listens; undefined takes the setting's. */
  readonly judge: JudgeAddress | undefined;
  /** Any enclave or socket may judge, and it is said aloud; as without `VRAMHUB_NITRO_ENCLAVE`. */
  readonly dev: boolean;
  /** Only this miner's newest gradient is judged, on a SIMULATED judge, and nothing is sent. */
  readonly onlyUid: number | undefined;
  /** A SIMULATED judge was asked for, which no network on Sui takes. */
  readonly testMode: boolean;
}

/** A miner of a network. */
export interface NetworkMinerArgs extends PartyArgs, TrainingArgs {
  /** Work on this training job in place of windows. */
  readonly job: number | undefined;
}

const party = {
  ledger: optional(option("--ledger", choice(["sui", "dev"], { metavar: "KIND" }), {
    description: message`The ledger: sui is a network on Sui, dev that of a data directory.`,
  })),
  network: optional(option("--network", string({ metavar: "NAME" }), {
    description: message`Name of the network: localnet, testnet, mainnet or one of your own.`,
  })),
  dataDir: optional(option("--data-dir", path({ metavar: "DIR", type: "directory" }), {
    description: message`Where data set, store and journals are.`,
  })),
  as: optional(option("--as", string({ metavar: "WHO" }), {
    description:
      message`Who calls: on a dev ledger an address or a name; on Sui an address of the wallet.`,
  })),
  store: optional(option("--store", storeName(), {
    description: message`Where this party's objects lie; VRAMHUB_STORAGE_BACKEND without it.`,
  })),
  json: option("--json", {
    description: message`Print one JSON object a line, for other programs.`,
  }),
  ...monitoring,
};
const windows = optional(option("--windows", integer({ metavar: "N", min: 1, max: 1_000_000 }), {
  description: message`End after this many windows. Without it, run until Ctrl-C.`,
}));

const validator = object({
  ...party,
  judge: optional(option("--judge", judgeAddress(), {
    description: message`Where the judge listens; VRAMHUB_ENCLAVE_URL without it.`,
  })),
  windows,
  dev: option("--dev", {
    description:
      message`Development: any enclave or socket may judge. VRAMHUB_NITRO_ENCLAVE=true is production.`,
  }),
  onlyUid: optional(option("--only-uid", integer({ metavar: "UID", min: 0, max: 65_535 }), {
    description:
      message`Judge the newest revealed gradient of this miner on a SIMULATED judge of this machine, show every check's verdict, and end. Nothing is signed for the ledger or sent; with --test-mode.`,
  })),
  testMode: option("--test-mode", { hidden: true }),
  ...beside,
});
const miner = object({
  ...party,
  ...trainingOptions,
  job: optional(option("--job", integer({ metavar: "ID", min: 0 }), {
    description:
      message`Work on this training job in place of windows: claim it with a bond, train, upload, deliver, and once nobody can dispute it any more be paid. Begun again, it goes on where it was.`,
  })),
  windows,
  testMode: option("--test-mode", { hidden: true }),
});
const aggregator = object(party);

/** Words that are a network's alone. A dry run is of the network that a folder or a profile names, SIMULATED or not. */
const NETWORK_WORDS = /^--(dev|dry-run|job(=.*)?|network(=.*)?|only-uid(=.*)?)$/;

/** Whether the words are for a network rather than for test mode, for which `--test-mode --ledger dev` is. */
export function isForNetwork(argv: readonly string[]): boolean {
  const named = argv.some((word) => NETWORK_WORDS.test(word));
  const at = argv.findIndex((word) => /^--ledger(=|$)/.test(word));
  const kind = at < 0 ? undefined : argv[at]!.split("=")[1] ?? argv[at + 1];
  return named || kind === "sui" || (kind === "dev" && !argv.includes("--test-mode"));
}

/**
 * The words with what settings say where they say nothing themselves: `VRAMHUB_TEST_MODE` stands for `--test-mode` of the
 * parties that have it, `VRAMHUB_LEDGER=sui` for `--ledger sui`.
 */
export function withMode(
  argv: readonly string[],
  config: Pick<Config, "get">,
  hasTestMode: boolean,
): readonly string[] {
  const asked = argv.some((word) => /^--(test-mode|help|completion)\b/.test(word));
  if (asked || isForNetwork(argv)) return argv;
  if (hasTestMode && config.get("TEST_MODE")) return ["--test-mode", ...argv];
  return config.get("LEDGER") === "sui" ? [...argv, "--ledger", "sui"] : argv;
}

/** Parse the validator's arguments. Does not return where help was asked for or they are wrong. */
export function parseNetworkArgs(argv: readonly string[], io?: ArgsIo): NetworkArgs {
  return parse("deno task validator", validator, argv, {
    brief: message`Judge a network's gradients in an attested enclave, settle windows and be paid.`,
    examples: examples(
      [
        "The enclave of this instance",
        "--ledger sui --network testnet --data-dir ./validator --judge vsock:16:3000",
      ],
      [
        "What a judge says of one miner's gradient, sent to nobody",
        "--test-mode --network testnet --data-dir ./validator --only-uid 3",
      ],
    )("deno task validator"),
  }, io);
}

/** Parse the miner's arguments. Does not return where help was asked for or they are wrong. */
export function parseNetworkMinerArgs(argv: readonly string[], io?: ArgsIo): NetworkMinerArgs {
  refuseNoDrand(argv, io);
  const { testMode: _, ...args } = parse("deno task miner", miner, argv, {
    brief:
      message`Train on a network's assigned pages; the slot is VRAMHUB_MINER_UID, the saved one, the wallet's, or a new one.`,
    examples: examples(
      ["Mine on testnet", "--ledger sui --network testnet --data-dir ./miner"],
      ["Join the network of a folder", "--ledger dev --data-dir ./network --as alice"],
      [
        "Train in a Python process, and send in Templar's format",
        "--network testnet --data-dir ./miner --trainer sidecar --codec templar",
      ],
      ["What the judge would say, before anything is staked", "--data-dir ./network --dry-run"],
      ["Claim, train and deliver job 7", "--network testnet --data-dir ./miner --job 7"],
    )("deno task miner"),
  }, io);
  return args;
}

/** Parse the aggregator's arguments. Does not return where help was asked for or they are wrong. */
export function parseNetworkAggregatorArgs(argv: readonly string[], io?: ArgsIo): PartyArgs {
  const args = parse("deno task aggregator", aggregator, argv, {
    brief: message`Publish the inputs of every merge of a network, and its checkpoints.`,
    examples: examples(
      ["Publish testnet's", "--ledger sui --network testnet --store r2"],
    )("deno task aggregator"),
  }, io);
  return { ...args, windows: undefined };
}
