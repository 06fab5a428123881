/**
 * Every command of `vramhub`, and the parser of them all.
 *
 * @module
 */
import { or } from "@optique/core/constructs";
import { type Message, message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import { ADMIN_COMMANDS } from "./admin.ts";
import { DATASET_COMMANDS, PARAM_COMMANDS } from "./admin_params.ts";
import { backup, restore } from "./backup.ts";
import { checkpoint } from "./checkpoint.ts";
import { type CallParser, type Entry, parserOf } from "./command.ts";
import { setCredentials, showCredentials } from "./credentials.ts";
import { rotateCredentials } from "./credentials_rotate.ts";
import { doctor } from "./doctor/doctor.ts";
import { JOB_COMMANDS } from "./job.ts";
import { LEDGER_COMMANDS } from "./ledger.ts";
import {
  registerEnclave,
  registerMiner,
  registerValidator,
  unregister,
  withdraw,
} from "./register.ts";
import { claimRewards, showRewards } from "./rewards.ts";
import { scores } from "./scores.ts";
import { settings } from "./settings.ts";
import { deposit, pools, stake, unstake } from "./stake.ts";
import { status } from "./status.ts";

/** Commands under a common word. */
export interface Group {
  /** The word. */
  readonly name: string;
  /** What they are about. */
  readonly brief: Message;
  /** Commands and groups. */
  readonly entries: readonly (Entry | Group)[];
}

/** All commands, in the order of the help. */
export const COMMANDS: readonly (Entry | Group)[] = [
  status,
  scores,
  checkpoint,
  doctor,
  settings,
  backup,
  restore,
  registerMiner,
  registerValidator,
  registerEnclave,
  unregister,
  withdraw,
  {
    name: "credentials",
    brief: message`The read key of a miner's bucket, sealed.`,
    entries: [rotateCredentials, setCredentials, showCredentials],
  },
  {
    name: "rewards",
    brief: message`What was earned, and claiming it.`,
    entries: [showRewards, claimRewards],
  },
  stake,
  unstake,
  { name: "pools", brief: message`Pools for locked VRAM.`, entries: [pools, deposit] },
  { name: "job", brief: message`Training jobs, paid in SUI.`, entries: JOB_COMMANDS },
  {
    name: "admin",
    brief: message`Govern the network: builds, hparams, data sets, treasury.`,
    entries: [
      ...ADMIN_COMMANDS,
      ...PARAM_COMMANDS,
      { name: "dataset", brief: message`Anchored data sets.`, entries: DATASET_COMMANDS },
    ],
  },
  {
    name: "ledger",
    brief: message`Networks, publishing, test coins, the log.`,
    entries: LEDGER_COMMANDS,
  },
];

/** Every command by its words, e.g. `job post`. */
export function paths(
  entries: readonly (Entry | Group)[] = COMMANDS,
  before = "",
): [path: string, entry: Entry][] {
  return entries.flatMap((entry) =>
    "entries" in entry
      ? paths(entry.entries, `${before}${entry.name} `)
      : [[`${before}${entry.name}`, entry] as [string, Entry]]
  );
}

function parserOfAll(entries: readonly (Entry | Group)[]): CallParser {
  const parsers = entries.map((entry): CallParser =>
    "entries" in entry
      ? command(entry.name, parserOfAll(entry.entries), { brief: entry.brief })
      : parserOf(entry)
  );
  return or(...parsers as [CallParser, CallParser]);
}

/** The parser of every command. */
export const PARSER: CallParser = parserOfAll(COMMANDS);
