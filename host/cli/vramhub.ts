/**
 * `deno task vramhub …`: the operator's commands.
 *
 * @module
 */
import { processSurroundings } from "../config/mod.ts";
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import { calledAs } from "./called_as.ts";
import { openStorage } from "./commands/doctor/open_storage.ts";
import { THIS_MACHINE } from "./commands/doctor/machine.ts";
import { openJudge } from "./commands/judge.ts";
import { publish } from "./commands/publish.ts";
import { parseCall, runCall } from "./commands/run.ts";
import { interruptSignal, useNativeSha256 } from "./native.ts";
import { ansi, none } from "./present/style.ts";

/** Width of a table in a pipe. */
const PIPE_COLUMNS = 120;

if (import.meta.main) {
  const call = parseCall(Deno.args);
  useNativeSha256();
  const isTerminal = Deno.stdout.isTerminal();
  Deno.exit(
    await runCall(call, {
      surroundings: processSurroundings(),
      clock: SYSTEM_CLOCK,
      stdout: (text) => console.log(call.common.json ? text : calledAs(text)),
      stderr: (text) => console.error(calledAs(text)),
      paint: isTerminal && !Deno.noColor ? ansi : none,
      width: isTerminal ? Deno.consoleSize().columns : PIPE_COLUMNS,
      watched: Deno.stderr.isTerminal(),
      signal: interruptSignal(),
      outside: { machine: THIS_MACHINE, openJudge, openStorage, publish },
    }),
  );
}
