/**
 * `deno task validator`.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import { parseValidatorArgs } from "./args.ts";
import { command, openPresenter, useNativeSha256 } from "./native.ts";
import { runTestMode } from "./testmode/run.ts";

if (import.meta.main) {
  const args = parseValidatorArgs(Deno.args);
  useNativeSha256();
  const presenter = openPresenter(args.json, args.verbose);
  await command(
    presenter,
    (signal) => runTestMode(args, SYSTEM_CLOCK, (event) => presenter.show(event), signal),
  );
}
