/**
 * A call of `vramhub` from its words to its exit status, over injected surroundings.
 *
 * @module
 */
import { lineBreak, type Message, message, text } from "@optique/core/message";
import { run } from "@optique/run";
import { Config, loadConfig, type Surroundings } from "../../config/mod.ts";
import type { Clock } from "../../ledger/clock.ts";
import { type ArgsIo, examples } from "../args.ts";
import { calledAs, completedAs } from "../called_as.ts";
import { openLedger } from "../open_ledger.ts";
import { jsonLine } from "../present/record.ts";
import type { Paint } from "../present/style.ts";
import type { Call, Outside } from "./command.ts";
import { STATUSES, statusOf } from "./exit.ts";
import { PARSER } from "./mod.ts";
import { nearestOption } from "./suggest.ts";

/** What a call takes of its process, or of a test. */
export interface CallIo {
  /** Settings' sources. */
  readonly surroundings: Surroundings;
  /** Time. */
  readonly clock: Clock;
  /** Takes the result. */
  readonly stdout: (text: string) => void;
  /** Takes errors and progress. */
  readonly stderr: (text: string) => void;
  /** Colours, or none. */
  readonly paint: Paint;
  /** Cells of a line. */
  readonly width: number;
  /** Whether somebody watches: progress is shown. */
  readonly watched: boolean;
  /** Ends the work. */
  readonly signal: AbortSignal;
  /** What reaches beyond ledger and files. */
  readonly outside: Outside;
}

const PROGRAM = "deno task vramhub";
/** The name under which a shell completes: that of the function in host/README.md. */
const INSTALLED = "vramhub";

/** Parse `argv`, or end by `io` with help (status 0) or a usage error (status 2). */
export function parseCall(argv: readonly string[], io: Partial<ArgsIo> = {}): Call {
  return run(PARSER, {
    programName: /^--completion(=|$)/.test(argv[0] ?? "")
      ? completedAs(PROGRAM, INSTALLED)
      : PROGRAM,
    args: argv.length === 0 ? ["--help"] : argv,
    brief: message`Look at a VRAM HUB network, and take part in it.`,
    examples: examples(
      ["The network of a running test mode", "status --data-dir ./network"],
      ["What miner 3 has earned", "scores --uid 3 --data-dir ./network"],
      ["Everything that could be wrong with a validator", "doctor --role validator"],
    )(PROGRAM),
    footer: statusText(),
    commandList: "top-level",
    help: "option",
    completion: { option: { hidden: true } },
    // Of so many commands the usage would push the error off the screen.
    usageLine: [{ type: "argument", metavar: "COMMAND" }],
    aboveError: "none",
    errorExitCode: 2,
    showDefault: true,
    stdout: io.stdout ?? ((text) => console.log(calledAs(text))),
    stderr: (text) => (io.stderr ?? console.error)(calledAs(explained(text, argv))),
    onExit: io.exit ?? ((status) => Deno.exit(status)),
    ...(io.colors === undefined ? {} : { colors: io.colors }),
    ...(io.columns === undefined ? {} : { maxWidth: io.columns }),
  });
}

/** A usage error with what was probably meant, and where to look. */
function explained(error: string, argv: readonly string[]): string {
  const [, wrong] = /Unexpected[^`"]*[`"](--?[\w-]+)[`"]/.exec(error) ?? [];
  const near = wrong === undefined || error.includes("Did you mean")
    ? undefined
    : nearestOption(argv, wrong);
  const meant = near === undefined ? "" : `\n\nDid you mean \`${near}\`?`;
  return `${error}${meant}\n\nFor help: ${PROGRAM} --help`;
}

function statusText(): Message {
  const lines = Object.entries(STATUSES).map(([status, meaning]) =>
    `${status.padStart(5)}  ${meaning}`
  );
  return [text("Exit status:"), ...lines.flatMap((line): Message => [lineBreak(), text(line)])];
}

/** Do what `call` asks for. Resolves to an exit status; every error is one line, without secrets. */
export async function runCall({ common, work }: Call, io: CallIo): Promise<number> {
  let config = new Config([]);
  try {
    config = loadConfig(io.surroundings, common.flags);
    const { clock, outside, signal, surroundings } = io;
    const result = await work({
      config,
      surroundings,
      clock,
      signal,
      outside,
      open: () => openLedger(config, { clock, home: surroundings.home, as: common.as }),
      progress: (text) => {
        if (io.watched && !common.json) io.stderr(`${text} …`);
      },
    });
    const lines = common.json ? [jsonLine(result.json)] : result.text(io.paint, io.width);
    io.stdout(lines.join("\n"));
    return result.status ?? 0;
  } catch (error) {
    if (io.signal.aborted) return 130;
    io.stderr(`error: ${config.redact(error instanceof Error ? error.message : String(error))}`);
    if (config.has("DEBUG") && error instanceof Error) {
      io.stderr(config.redact(error.stack ?? ""));
    }
    return statusOf(error);
  }
}
