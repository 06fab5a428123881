/**
 * `deno task audit replay`: what it prints and how it ends.
 *
 * @module
 */
import type { ReplayArgs } from "../args_replay.ts";
import { interruptSignal } from "../native.ts";
import { checkLine, printer, verdictLines } from "../report/show.ts";
import type { Checked } from "../report/verify.ts";
import { replay } from "./replay.ts";

/** Status of an audit without a verdict. */
const NO_VERDICT_STATUS = 3;

/** Run the command; resolves to its status. */
export async function runReplay(args: ReplayArgs): Promise<number> {
  const { dataDir, window, tolerance, json } = args;
  const signal = interruptSignal();
  const paint = printer();
  const checks: Checked[] = [];
  if (!json) console.log(`replay of window ${window}  ${paint("badge", " SIMULATED ")}\n`);
  try {
    const ok = await replay(args, {
      signal,
      show: (checked) => {
        checks.push(checked);
        if (!json) console.log(checkLine(checked, paint));
      },
      progress: (detail) => console.error(`… ${detail}`),
    });
    if (json) {
      const about = { data_dir: dataDir, window, simulated: true, tolerance };
      console.log(JSON.stringify({ ...about, ok, checks }));
    } else console.log(verdictLines(checks, paint).join("\n"));
    return ok ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return 130;
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    if (Deno.env.get("VRAMHUB_DEBUG") !== undefined) console.error(error);
    return NO_VERDICT_STATUS;
  }
}
