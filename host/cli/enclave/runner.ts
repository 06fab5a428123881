/**
 * Programs of the host, behind an interface that tests replace.
 *
 * @module
 */

/** An ended program. */
export interface Ended {
  /** Exit status. */
  readonly code: number;
  /** Standard output. */
  readonly stdout: string;
  /** Standard error. */
  readonly stderr: string;
}

/** Runs programs. */
export interface Runner {
  /** Run `program` to its end. @throws {Deno.errors.NotFound} where there is none of that name. */
  run(program: string, args: readonly string[]): Promise<Ended>;
  /** Run it on this terminal. Resolves to its status. */
  attach(program: string, args: readonly string[]): Promise<number>;
}

/** Runs the machine's own programs. */
export const PROCESS_RUNNER: Runner = {
  async run(program, args) {
    const command = new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    const { code, stdout, stderr } = await command.output();
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  },
  async attach(program, args) {
    return (await new Deno.Command(program, { args: [...args] }).spawn().status).code;
  },
};
