/**
 * `deno task enclave:run`, `:status`, `:stop`, `:console` and `:spot`: the judge's enclave on an EC2 instance.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import { parseEnclaveArgs } from "./args_enclave.ts";
import {
  type EnclaveIo,
  showConsole,
  start,
  status,
  stop,
  untilSpotEnds,
  watch,
} from "./enclave/commands.ts";
import { NitroCliError } from "./enclave/errors.ts";
import { PROCESS_RUNNER } from "./enclave/runner.ts";
import { SpotWatch } from "./enclave/spot.ts";

/** Resolves to an exit status. */
async function main(io: EnclaveIo): Promise<number> {
  const args = parseEnclaveArgs(Deno.args);
  const ending = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => ending.abort());
  }
  switch (args.action) {
    case "run":
      if (args.watch) await watch(io, args.options, ending.signal);
      else await start(io, args.options);
      return 0;
    case "status":
      return await status(io) ? 0 : 1;
    case "stop":
      await stop(io, args.cid);
      return 0;
    case "console":
      return await showConsole(io, args.cid);
    case "spot":
      await untilSpotEnds(io, args.cid, args.service, ending.signal);
      return 0;
  }
}

if (import.meta.main) {
  try {
    const say = (line: string) => console.log(line);
    const io = { runner: PROCESS_RUNNER, clock: SYSTEM_CLOCK, spot: new SpotWatch(), say };
    Deno.exit(await main(io));
  } catch (error) {
    if (!(error instanceof NitroCliError)) throw error;
    console.error(`error: ${error.message}`);
    Deno.exit(1);
  }
}
