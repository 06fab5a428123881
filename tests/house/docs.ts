/**
 * What the guides claim: their commands can be called, their files are there, the tests that they name exist.
 *
 * @module
 */
import {
  type ArgsIo,
  parseAggregatorArgs,
  parseMinerArgs,
  parseValidatorArgs,
} from "../../host/cli/args.ts";
import { parseAuditArgs } from "../../host/cli/args_audit.ts";
import { parseEifArgs } from "../../host/cli/args_eif.ts";
import { parseRebuildArgs } from "../../host/cli/args_rebuild.ts";
import { parseReplayArgs } from "../../host/cli/args_replay.ts";
import { parseDatasetArgs } from "../../host/cli/args_dataset.ts";
import { parseEnclaveArgs } from "../../host/cli/args_enclave.ts";
import { parseExplorerArgs } from "../../host/cli/args_explorer.ts";
import {
  isForNetwork,
  parseNetworkAggregatorArgs,
  parseNetworkArgs,
  parseNetworkMinerArgs,
} from "../../host/cli/args_network.ts";
import { parseReportArgs } from "../../host/cli/args_report.ts";
import { parseSimulateArgs } from "../../host/cli/args_simulate.ts";
import { parseModelArgs } from "../../host/cli/args_model.ts";
import { parseTrainerArgs } from "../../host/cli/args_trainer.ts";
import { parseCall } from "../../host/cli/commands/run.ts";
import { environmentNames, NAMES } from "../../host/config/mod.ts";
import { parseBenchArgs } from "../bench/args.ts";
import { files, read } from "./sources.ts";

/** The guides. */
export const GUIDES = [
  "SECURITY.md",
  "CONTRIBUTING.md",
  "host/docs/INCENTIVES.md",
  "host/docs/ONBOARDING.md",
  "host/install/README.md",
] as const;

type Parser = (argv: readonly string[], io: ArgsIo) => unknown;

const either = (test: Parser, network: Parser): Parser => (argv, io) =>
  isForNetwork(argv) ? network(argv, io) : test(argv, io);
const under = (word: string): Parser => (argv, io) => parseCall([word, ...argv], io);

const AUDITS: Readonly<Record<string, Parser>> = {
  eif: parseEifArgs,
  rebuild: parseRebuildArgs,
  replay: parseReplayArgs,
};

/** The parser of each task that has one; the others are called without options, or by developers. */
const PARSERS: Readonly<Record<string, Parser>> = {
  validator: either(parseValidatorArgs, parseNetworkArgs),
  miner: either(parseMinerArgs, parseNetworkMinerArgs),
  aggregator: either(parseAggregatorArgs, parseNetworkAggregatorArgs),
  explorer: parseExplorerArgs,
  dataset: parseDatasetArgs,
  trainer: parseTrainerArgs,
  model: parseModelArgs,
  vramhub: parseCall,
  backup: under("backup"),
  restore: under("restore"),
  audit: (argv, io) => (AUDITS[argv[0] ?? ""] ?? parseAuditArgs)(argv, io),
  report: parseReportArgs,
  simulate: parseSimulateArgs,
  bench: parseBenchArgs,
  "enclave:run": (argv, io) => parseEnclaveArgs(["run", ...argv], io),
  "enclave:status": (argv, io) => parseEnclaveArgs(["status", ...argv], io),
  "enclave:stop": (argv, io) => parseEnclaveArgs(["stop", ...argv], io),
  "enclave:console": (argv, io) => parseEnclaveArgs(["console", ...argv], io),
};

/** Tasks whose commands install.sh puts on PATH. */
const INSTALLED: Readonly<Record<string, string>> = {
  "vram-validator": "validator",
  "vram-miner": "miner",
  "vram-aggregator": "aggregator",
  "vram-explorer": "explorer",
  "vram-trainer": "trainer",
  "vram-audit": "audit",
  "vram-report": "report",
  "vram-cli": "vramhub",
};

/** A command of a guide. */
export interface Command {
  /** As it stands there, without its comment. */
  readonly text: string;
  /** Whether the guide says that nobody has tried it. */
  readonly untried: boolean;
}

/** The commands in `sh` blocks of `markdown`; a line that ends with `\` goes on. */
export function commandsOf(markdown: string): Command[] {
  const blocks = [...markdown.matchAll(/^ *```sh\n([^]*?)^ *```$/gm)].map(([, body]) => body!);
  return blocks.flatMap((block) =>
    block.replaceAll(/\\\n\s*/g, "").split("\n").flatMap((line): Command[] => {
      const [text = "", comment = ""] = line.split(/(?:^|\s+)#\s/, 2);
      return text.trim() === "" ? [] : [{ text: text.trim(), untried: /^untried\b/.test(comment) }];
    })
  );
}

/** Why a command cannot be called as it is written, or undefined where it can, or says that it is untried. */
export function refusalOf({ text, untried }: Command): string | undefined {
  const words = text.split(/\s+/);
  while (/^[A-Z_]+=/.test(words[0] ?? "")) {
    const why = settingRefusal(words.shift()!.split("=")[0]!);
    if (why !== undefined) return why;
  }
  if (words[0] === "npx") words.splice(0, 2);
  const [program = "", ...rest] = words;
  if (/^deno(@[\d.]+)?$/.test(program) && rest[0] === "task") {
    return taskRefusal(rest[1] ?? "", rest.slice(2));
  }
  if (program in INSTALLED) {
    return rest[0] === "--version" ? undefined : taskRefusal(INSTALLED[program]!, rest);
  }
  if (/^(\.\/install\.sh|vram-install)$/.test(program)) return installRefusal(rest);
  return untried ? undefined : "no test tries it, and it is not marked untried";
}

function settingRefusal(name: string): string | undefined {
  const known = NAMES.flatMap(environmentNames).includes(name) || name === "VRAM_DENO_MIRROR";
  return known ? undefined : `there is no setting ${name}`;
}

/** Options of install.sh are those of its help. */
function installRefusal(args: readonly string[]): string | undefined {
  const [, usage = ""] = /<<'TEXT'\n([^]*?)\nTEXT/.exec(read("install.sh")) ?? [];
  const wrong = args.find((word) => word.startsWith("--") && !usage.includes(`  ${word} `));
  return wrong === undefined ? undefined : `install.sh has no ${wrong}`;
}

function taskRefusal(task: string, args: readonly string[]): string | undefined {
  if (!(task in JSON.parse(read("deno.json")).tasks)) return `there is no task ${task}`;
  let said = "";
  const note = (text: string) => said += text;
  const io: ArgsIo = {
    stdout: note,
    stderr: note,
    exit: (status) => {
      throw new Error(status === 0 ? "" : said);
    },
    columns: 1_000,
  };
  try {
    PARSERS[task]?.(args, io);
    return undefined;
  } catch (error) {
    return (error as Error).message || undefined;
  }
}

/** Names of all tests: a template's placeholders match anything. */
export function testNames(): (name: string) => boolean {
  const plain = new Set<string>();
  const templates: RegExp[] = [];
  for (const path of files().filter((path) => path.endsWith("_test.ts"))) {
    const text = read(path);
    const named = [
      ...text.matchAll(/Deno\.test\(\s*(["`])(.+?)\1,/g),
      ...text.matchAll(/^\s*name: (["`])(.+?)\1,$/gm),
      ...text.matchAll(/^\s*(?:test|browserTest|step)\(\s*(["`])(.+?)\1,/gm),
    ];
    for (const [, quote, name] of named) {
      if (quote === '"' || !name!.includes("${")) plain.add(name!);
      else {
        const parts = name!.split(/\$\{[^}]*\}/).map((part) => RegExp.escape(part));
        templates.push(new RegExp(`^${parts.join(".+")}$`));
      }
    }
  }
  return (name) => plain.has(name) || templates.some((pattern) => pattern.test(name));
}
