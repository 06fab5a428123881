/**
 * Runs a command of the project as its user does, and reads the events that it prints.
 *
 * @module
 */
import type { RunEvent } from "../../host/cli/present/mod.ts";

const ROOT = new URL("../../", import.meta.url);

/** An ended command. */
export interface Ran {
  /** Exit status. */
  readonly code: number;
  /** Its `--json` events. */
  readonly events: readonly RunEvent[];
  /** Standard error. */
  readonly stderr: string;
}

/** Start `host/cli/NAME.ts` with `args`; in the folder `cwd`, where it finds its `.env`. */
export function startCommand(
  name: string,
  args: readonly string[],
  cwd: string | URL = ROOT,
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL(`host/cli/${name}.ts`, ROOT).pathname, ...args],
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Wait for a command that was started with `--json`. */
export async function ended(child: Deno.ChildProcess): Promise<Ran> {
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout);
  return {
    code,
    events: text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line)),
    stderr: new TextDecoder().decode(stderr),
  };
}

/** Events of one kind. */
export function only<K extends RunEvent["event"]>(
  events: readonly RunEvent[],
  kind: K,
): Extract<RunEvent, { event: K }>[] {
  return events.filter((event) => event.event === kind) as Extract<RunEvent, { event: K }>[];
}
