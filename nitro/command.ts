/**
 * Runs the programs that a build needs, with an environment of its own and an error that names what went wrong.
 *
 * @module
 */

/** What a program gets. */
export interface CommandOptions {
  /** Where it runs. */
  readonly cwd?: string;
  /** Its variables beside PATH and HOME: nothing else of the caller's reaches it. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told each line of output. */
  readonly onLine?: (line: string) => void;
}

/** A program failed or is not installed. */
export class CommandError extends Error {
  /** What is raised. */
  override readonly name = "CommandError";
  /** Whether the program is not installed. */
  readonly missing: boolean;

  /** What went wrong. */
  constructor(message: string, missing = false) {
    super(message);
    this.missing = missing;
  }
}

/** Characters of output that an error repeats. */
const TAIL = 2_000;
/** What builders need to find each other and their registries; a build's result depends on none of them. */
const PASSED = new RegExp(
  "^(PATH|HOME|SSL_CERT_FILE|SSL_CERT_DIR|https?_proxy|no_proxy|CARGO_HOME|RUSTUP_HOME|" +
    "DENO_DIR|NPM_CONFIG_REGISTRY)$",
  "i",
);
/** A date that was set for the whole build reaches its programs too. */
const FAKETIME = /^(LD_PRELOAD|FAKETIME\w*)$/;

/**
 * Run `program` to its end.
 *
 * @returns Its standard output.
 * @throws {CommandError} where it fails, with the end of its output, or where it is not installed.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const faked = Deno.env.get("FAKETIME") !== undefined;
  const inherited = Object.entries(Deno.env.toObject()).filter(([name]) =>
    PASSED.test(name) || (faked && FAKETIME.test(name))
  );
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: [...args],
      clearEnv: true,
      env: { ...Object.fromEntries(inherited), LC_ALL: "C", TZ: "UTC", ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CommandError(`Cannot run '${program}' as it is not installed`, true);
  }
  const [out, err, status] = await Promise.all([
    collect(child.stdout, options.onLine),
    collect(child.stderr, options.onLine),
    child.status,
  ]);
  if (status.success) return out;
  throw new CommandError(
    `'${program} ${args.slice(0, 3).join(" ")}' failed (${status.code}):\n${
      `${out}\n${err}`.slice(-TAIL)
    }`,
  );
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: ((line: string) => void) | undefined,
): Promise<string> {
  let all = "";
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    all += text;
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) onLine?.(line);
  }
  return all;
}
