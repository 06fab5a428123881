/**
 * The commands' arguments: parsed into typed values, or answered with help (status 0) or a usage error (status 2).
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { commandLine, lineBreak, type Message, message, text } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import type { InferValue, Parser } from "@optique/core/parser";
import { flag, option } from "@optique/core/primitives";
import { choice, float, integer } from "@optique/core/valueparser";
import { path, run } from "@optique/run";
import type { JudgeAddress } from "../courier/transport.ts";
import { beside, type BesideArgs, monitoring, type MonitoringArgs } from "./args_monitoring.ts";
import { judgeAddress, LIARS, MODELS, roleList, ROLES, storeName } from "./args_values.ts";
import { calledAs, completedAs } from "./called_as.ts";
import type { Liar, ModelName, Role } from "./args_values.ts";
import { type TrainingArgs, trainingOptions } from "./args_training.ts";

export { type Liar, type ModelName, type Role } from "./args_values.ts";

/** Arguments of `deno task validator`. */
export interface ValidatorArgs extends MonitoringArgs, BesideArgs {
  /** Always true: a network of others has arguments of its own (`args_network.ts`). */
  testMode: true;
  /** Windows to settle before ending; undefined runs until interrupted. */
  windows: number | undefined;
  /** Print one JSON object a line. */
  json: boolean;
  /** The model to train. */
  model: ModelName;
  /** What each simulated miner does, in uid order. */
  miners: readonly Role[];
  /** How many validators judge, each with a judge of its own. */
  validators: number;
  /** Where the first validator's judge listens; undefined starts one in a process of this machine. */
  judge: JudgeAddress | undefined;
  /** How the last validator's courier lies; undefined is honest. */
  liar: Liar | undefined;
  /** Where ledger, store and keys are kept; undefined means a fresh temporary folder. */
  dataDir: string | undefined;
  /** Length of a window in seconds; undefined measures this machine first. */
  windowSeconds: number | undefined;
  /** Where miners keep their gradients; undefined takes the setting's, which is the data directory by default. */
  store: string | undefined;
}

/** Arguments of `deno task miner`. */
export interface MinerArgs extends TrainingArgs, MonitoringArgs {
  /** Always true: a network of others has arguments of its own (`args_network.ts`). */
  testMode: true;
  /** The data directory of the validator to join. */
  dataDir: string;
  /** What the miner does. */
  role: Role;
  /** Where it keeps its gradients; undefined takes the setting's, which is the data directory by default. */
  store: string | undefined;
  /** Windows to take part in before ending; undefined runs until interrupted. */
  windows: number | undefined;
  /** Print one JSON object a line. */
  json: boolean;
}

/** Arguments of `deno task aggregator`. */
export interface AggregatorArgs extends MonitoringArgs {
  /** The data directory of the network whose checkpoints are published. */
  dataDir: string;
  /** Print one JSON object a line. */
  json: boolean;
}

/** Where the parser writes and how it ends: the process's own, or a test's. */
export interface ArgsIo {
  /** Takes help text. */
  stdout: (text: string) => void;
  /** Takes usage errors. */
  stderr: (text: string) => void;
  /** Ends the command with status 0 (help) or 2 (usage). */
  exit: (status: number) => never;
  /** Whether to colour the text; undefined asks the terminal. */
  colors?: boolean;
  /** Columns to wrap at; undefined asks the terminal. */
  columns?: number;
}

const PROCESS_IO: ArgsIo = {
  stdout: (text) => console.log(calledAs(text)),
  stderr: (text) => console.error(calledAs(text)),
  exit: (status) => Deno.exit(status),
};

/** Judges that one command runs at a time. */
const MAX_VALIDATORS = 5;

/** Status of a command that was called wrongly, as in the shell's own tools. */
const USAGE_STATUS = 2;

const noMode = message`Cannot start without ${commandLine("--test-mode")} or ${
  commandLine("--ledger sui --network NAME")
}: say which mode; the second one has a help of its own.`;

const testModeOr = (missing: Message) =>
  flag("--test-mode", {
    description:
      message`Run against a local ledger with a simulated enclave. No account, no chain, no hardware is needed, and nothing is worth anything.`,
    errors: { missing },
  });

const json = option("--json", {
  description: message`Print one JSON object a line, for other programs.`,
});

const windows = optional(option("--windows", integer({ metavar: "N", min: 1, max: 1_000_000 }), {
  description: message`End after this many windows. Without it, run until Ctrl-C.`,
}));

const store = optional(option("--store", storeName(), {
  description:
    message`Where miners keep their gradients: local, s3 (or r2), walrus, or a module of your own such as ./mine.ts whose default export is a store. Buckets and keys come from the settings; VRAMHUB_STORAGE_BACKEND without it.`,
}));

const whichDir = message`Cannot start without ${
  commandLine("--data-dir DIR")
}: name the directory that the validator printed when it started.`;

const joinedDir = option("--data-dir", path({ metavar: "DIR", type: "directory" }), {
  description: message`The data directory that the validator printed when it started.`,
  errors: { missing: whichDir },
});

const validator = object({
  testMode: testModeOr(noMode),
  ledger: optional(option("--ledger", choice(["dev"], { metavar: "KIND" }), {
    description:
      message`The ledger of test mode is dev, a file of the data directory. For sui there is ${
        commandLine("--ledger sui --help")
      }.`,
  })),
  windows,
  json,
  model: withDefault(
    option("--model", choice(MODELS, { metavar: "MODEL", suggest: "nearest" }), {
      description:
        message`The model to train: tiny (bytes, seconds), small (GPT-4's tokenizer, a laptop) or nano-gpt (49 million parameters).`,
    }),
    "small" as const,
  ),
  miners: withDefault(
    option("--miners", roleList(), {
      description:
        message`What each simulated miner does, separated by commas: honest trains, idle sends zeros, poisoned sends a gradient made to harm, copier sends somebody else's gradient.`,
    }),
    ["honest", "honest", "idle", "poisoned", "copier"] as readonly Role[],
  ),
  validators: withDefault(
    option("--validators", integer({ metavar: "N", min: 1, max: MAX_VALIDATORS }), {
      description:
        message`How many validators judge, each with a judge of its own; more than one share a fifth of the emission.`,
    }),
    1,
  ),
  judge: optional(option("--judge", judgeAddress(), {
    description:
      message`Ask a judge that dwells elsewhere: unix:PATH is a socket, vsock:CID:PORT an enclave, guest:PATH:PORT a guest of QEMU. Without it, each validator starts one of its own. It is the first validator's, must measure as this network's judges do, and its documents must be signed under the test root in the data directory's keys folder: those of real hardware need another ledger.`,
  })),
  liar: optional(option("--liar", choice(LIARS, { metavar: "HOW", suggest: "nearest" }), {
    description:
      message`The last validator's courier lies: abstain says that no gradient is to be had, swap exchanges two of them, stale sends the report of the window before, forge alters the scores. Needs three validators.`,
  })),
  dataDir: optional(option("--data-dir", path({ metavar: "DIR", type: "directory" }), {
    description:
      message`Keep the ledger, the store and the keys here, and go on from what is there. Without it, a fresh temporary directory, which the output names at its start.`,
  })),
  windowSeconds: optional(
    option("--window-seconds", float({ metavar: "S", min: 0.1, max: 86_400 }), {
      description:
        message`Length of a window. Without it, a training step and a judgement are measured first and the window is sized to fit them.`,
    }),
  ),
  store,
  ...beside,
  ...monitoring,
}, { errors: { endOfInput: noMode } });

const miner = object({
  testMode: testModeOr(noMode),
  dataDir: joinedDir,
  role: withDefault(
    option("--role", choice(ROLES, { metavar: "ROLE", suggest: "nearest" }), {
      description: message`What this miner does; anything but honest is there to be caught.`,
    }),
    "honest" as const,
  ),
  ...trainingOptions,
  store,
  windows,
  json,
  ...monitoring,
}, { errors: { endOfInput: noMode } });

const aggregator = object({ dataDir: joinedDir, json, ...monitoring }, {
  errors: { endOfInput: whichDir },
});

/** Parse the validator's arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseValidatorArgs(argv: readonly string[], io?: ArgsIo): ValidatorArgs {
  const { ledger: _dev, ...args } = parse("deno task validator", validator, argv, {
    brief:
      message`Judge miners' gradients in a (simulated) enclave, settle windows and pay for what lowered the loss. With ${
        commandLine("--test-mode --only-uid N --data-dir DIR")
      }, say what a judge makes of one miner's newest gradient, and send nothing.`,
    examples: examples(
      ["The whole network on this machine, five windows", "--test-mode --windows 5"],
      [
        "Two honest miners and a thief, on the smallest model",
        [
          "--test-mode --model tiny --miners honest,honest,copier",
        ].join(" "),
      ],
      ["A line of JSON for each event", "--test-mode --windows 3 --json"],
      ["Three validators, one of which forges scores", "--test-mode --validators 3 --liar forge"],
      ["A network that outlives the command", "--test-mode --data-dir ./network"],
      ["With the explorer and metrics", "--test-mode --explorer --metrics 9464"],
    )("deno task validator"),
  }, io);
  if (args.liar !== undefined && args.validators < 3) {
    refuse("--liar needs --validators 3 or more: a majority must be honest", io);
  }
  if (args.miners.includes("copier") && !args.miners.includes("honest")) {
    refuse("a copier in --miners needs an honest miner to copy from", io);
  }
  return args;
}

/** Parse the miner's arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseMinerArgs(argv: readonly string[], io?: ArgsIo): MinerArgs {
  refuseNoDrand(argv, io);
  return parse("deno task miner", miner, argv, {
    brief: message`Train on the assigned pages of every window and submit the compressed update. ${
      commandLine("deno task miner trainer --help")
    } tries a trainer, ${commandLine("cuda:install")} brings CUDA, ${
      commandLine("model")
    } exports a model. For a network on Sui, and for training jobs, there is ${
      commandLine("--ledger sui --help")
    }.`,
    examples: examples(
      ["Join a running validator", "--test-mode --data-dir ./network"],
      [
        "Send poison for two windows",
        "--test-mode --data-dir ./network --role poisoned --windows 2",
      ],
    )("deno task miner"),
  }, io);
}

/** Parse the aggregator's arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseAggregatorArgs(argv: readonly string[], io?: ArgsIo): AggregatorArgs {
  return parse("deno task aggregator", aggregator, argv, {
    brief: message`Publish the inputs of every merge and the merged checkpoints.`,
    examples: examples(
      ["Publish what a running validator settles", "--data-dir ./network"],
    )("deno task aggregator"),
  }, io);
}

/** Examples of a command, each with what it is for. */
export function examples(...lines: readonly (readonly [what: string, args: string])[]) {
  return (program: string): Message =>
    lines.flatMap(([what, args], i): Message => [
      ...(i === 0 ? [] : [lineBreak()]),
      text(`${what}:`),
      lineBreak(),
      text(`  ${program} ${args}`),
    ]);
}

/** The seeds' `--no-drand` is refused with its reason, whatever network a miner takes part in. */
export function refuseNoDrand(argv: readonly string[], io?: ArgsIo): void {
  if (!argv.some((word) => /^--no-drand(=|$)/.test(word))) return;
  refuse(
    "where a window's randomness comes from is the ledger's rule (randomness_kind), the same for everybody, and no " +
      "miner's flag: the judge measures on the pages that it assigns. Where drand does not answer, the window is skipped",
    io,
  );
}

/** Options that do not go together: a usage error. */
function refuse(why: string, io: ArgsIo = PROCESS_IO): never {
  io.stderr(`Error: ${why}.`);
  return io.exit(USAGE_STATUS);
}

/** Parse `args`, or end by `io` with help or a usage error. */
export function parse<P extends Parser<"sync", unknown, unknown>>(
  programName: string,
  parser: P,
  args: readonly string[],
  texts: { brief: Message; examples: Message },
  io: ArgsIo = PROCESS_IO,
): InferValue<P> {
  // A shell completes the names of commands, so a completion script is for the installed one:
  // `deno install -g -A -n vramhub-validator host/cli/validator.ts`.
  const completes = /^--completion(=|$)/.test(args[0] ?? "");
  return run(parser, {
    ...texts,
    programName: completes
      ? completedAs(programName, programName.replace("deno task ", "vramhub-"))
      : programName,
    args,
    help: "option",
    completion: { option: { hidden: true } },
    aboveError: "usage",
    errorExitCode: USAGE_STATUS,
    showDefault: true,
    stdout: io.stdout,
    stderr: io.stderr,
    onExit: io.exit,
    ...(io.colors === undefined ? {} : { colors: io.colors }),
    ...(io.columns === undefined ? {} : { maxWidth: io.columns }),
  }) as InferValue<P>;
}
