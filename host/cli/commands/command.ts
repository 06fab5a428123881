/**
 * What a command of `vramhub` is: a name, help with an example, and arguments that parse into the work to do. The work
 * gets all that it may touch as a {@link Context} and gives a {@link Result}, which is shown as text or as JSON.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { commandLine, lineBreak, type Message, message, text } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { command, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import type { Config, Flags, Surroundings } from "../../config/mod.ts";
import type { Clock } from "../../ledger/clock.ts";
import type { OpenLedger } from "../open_ledger.ts";
import type { Paint } from "../present/style.ts";

/** What a command did, or found. */
export interface Result {
  /** For programs; bigint and bytes become strings. */
  readonly json: unknown;
  /** For people: lines of at most `width` cells where they are a table. */
  readonly text: (paint: Paint, width: number) => readonly string[];
  /** Exit status; 0 without it. */
  readonly status?: number;
}

/** What a command may touch. */
export interface Context {
  /** Settings. */
  readonly config: Config;
  /** Where they came from. */
  readonly surroundings: Surroundings;
  /** Time. */
  readonly clock: Clock;
  /** Open the ledger that was asked for; the caller closes it. */
  readonly open: () => Promise<OpenLedger>;
  /** Say how far the work is; never the result. */
  readonly progress: (text: string) => void;
  /** Ends the work early. */
  readonly signal: AbortSignal;
  /** What reaches beyond ledger and files; tests have their own. */
  readonly outside: Outside;
}

/** What of the world a command asks for besides the ledger. */
export interface Outside {
  /** An open judge at the address of `--enclave-url`. */
  readonly openJudge: typeof import("./judge.ts").openJudge;
  /** What `doctor` asks of this machine. */
  readonly machine: import("./doctor/machine.ts").Machine;
  /** The store that settings name, under the key that writes and the one that reads. */
  readonly openStorage: typeof import("./doctor/open_storage.ts").openStorage;
  /** Publish a package; see `ledger publish`. */
  readonly publish: typeof import("./publish.ts").publish;
}

/** The work that arguments ask for. */
export type Work = (context: Context) => Promise<Result>;

/** Arguments that every command takes. */
export interface Common {
  /** Settings that were given as flags. */
  readonly flags: Flags;
  /** Who calls a dev ledger. */
  readonly as: string | undefined;
  /** Print JSON. */
  readonly json: boolean;
}

/** A call, parsed. */
export interface Call {
  /** What all commands take. */
  readonly common: Common;
  /** What is to be done. */
  readonly work: Work;
}

/** A parser of whole calls. */
export type CallParser = Parser<"sync", Call, unknown>;

/** Parser of {@linkcode Common}. */
export const common: Parser<"sync", Common, unknown> = map(
  object({
    ledger: optional(option("--ledger", choice(["dev", "sui"], { metavar: "KIND" }), {
      description: message`Which ledger: dev, a folder's, or sui.`,
      hidden: "usage",
    })),
    network: optional(option("--network", string({ metavar: "NAME" }), {
      description: message`A network on Sui; implies ${commandLine("--ledger sui")}.`,
      hidden: "usage",
    })),
    dataDir: optional(option("--data-dir", path({ metavar: "DIR", type: "directory" }), {
      description: message`The folder of a dev ledger.`,
      hidden: "usage",
    })),
    as: optional(option("--as", string({ metavar: "WHO" }), {
      description:
        message`Who calls: on a dev ledger a name or an address, on Sui an address of the keystore.`,
      hidden: "usage",
    })),
    json: option("--json", {
      description: message`Print one JSON object, for other programs.`,
      hidden: "usage",
    }),
  }),
  ({ as, dataDir, json, ledger, network }): Common => ({
    flags: {
      LEDGER: ledger ?? (network === undefined ? undefined : "sui"),
      NETWORK: network,
      DATA_DIR: dataDir,
      ...(as?.startsWith("0x") ? { WALLET_ADDRESS: as } : {}),
    },
    as,
    json,
  }),
);

/** A command, or a group of them, as it stands in the list. */
export interface Entry {
  /** Its name, one word. */
  readonly name: string;
  /** What it does, in one sentence. */
  readonly brief: Message;
  /** Parser of the words behind its name. */
  readonly parser: CallParser;
  /** Its own help. */
  readonly footer: Message;
}

/** A command whose arguments are `args` and whose example is called by `example`, e.g. `status --uid 3`. */
export function defineCommand<T>(
  name: string,
  brief: Message,
  example: readonly [what: string, call: string],
  args: Parser<"sync", T, unknown>,
  work: (context: Context, args: T) => Promise<Result>,
): Entry {
  const parser = map(
    object({ common, args }),
    ({ args, common }): Call => ({ common, work: (context) => work(context, args as T) }),
  );
  return { name, brief, parser, footer: exampleText(...example) };
}

/** The parser of one entry. */
export function parserOf({ brief, footer, name, parser }: Entry): CallParser {
  return command(name, parser, { brief, footer });
}

function exampleText(what: string, call: string): Message {
  return [text("Example: "), text(what), lineBreak(), text(`  deno task vramhub ${call}`)];
}
