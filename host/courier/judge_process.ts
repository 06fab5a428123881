/**
 * Starts the SIMULATED judge as a process of its own, with no permission but those that it gives up before
 * it answers: its one socket, and the model runtime's library.
 *
 * @module
 */
import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { runtimeBinding } from "../../enclave/model/runtime_path.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { encodeStartup, MAX_SOCKET_PATH, READY } from "../../enclave/protocol/judge_startup.ts";
import { LineReader } from "./line_reader.ts";

/** How a judge is started. */
export interface JudgeProcessOptions {
  /**
   * Absolute path of the Unix socket, at most 107 bytes and without a comma, in a folder of mode 0700. A
   * socket that is left there by a judge that has ended is replaced.
   */
  readonly socketPath: string;
  /** What its documents are signed with: a leaf of a test root. */
  readonly leaf: {
    /** P-384 private key, PKCS #8. */
    readonly pkcs8: Bytes;
    /** Certificate, DER. */
    readonly certificate: Bytes;
    /** Issuing certificates, DER, root first. */
    readonly cabundle: readonly Bytes[];
  };
  /** PCR0, PCR1 and PCR2, 48 bytes each. */
  readonly pcrs: readonly [Bytes, Bytes, Bytes];
  /** Bounds; each has a default. */
  readonly limits?: {
    /** Bytes of gradients and base chunks held at a time; default 2 GiB. */
    readonly blobBytes?: number;
    /** Threads of a forward pass; default 0, one a core. */
    readonly threads?: number;
  };
  /** Stops the judge. */
  readonly signal?: AbortSignal;
  /** Gets what it writes to standard error, line by line. */
  readonly onStderr?: (line: string) => void;
  /** Milliseconds in which it must be ready; default 60,000 (a first start downloads its packages). */
  readonly startupMs?: number;
  /** The program; default `enclave/main_simulated.ts`. It gets the same permissions. */
  readonly entry?: URL;
}

/** A judge that is ready. */
export interface JudgeProcess {
  /** Where it listens. */
  readonly socketPath: string;
  /** Its process id. */
  readonly pid: number;
  /** Resolves when it has ended, by itself or not. */
  readonly exited: Promise<Deno.CommandStatus>;
  /** End it and wait until it has ended. May be called again. */
  stop(): Promise<void>;
}

const ENTRY = new URL("../../enclave/main_simulated.ts", import.meta.url);
const BLOB_BYTES = 2 ** 31;
const STARTUP_MS = 60_000;
/** How long a judge whose input has ended may take to end. */
const STOP_MS = 5_000;
/** What is kept of standard error for the message of a failed start. */
const STDERR_LINES = 20;
/** Where a runtime finds its packages; the judge itself may read none of them. */
const ENVIRONMENT = [
  "DENO_DIR",
  "HOME",
  "XDG_CACHE_HOME",
  "NPM_CONFIG_REGISTRY",
  "VRAMHUB_TEST_RUN", // by which a test run finds the processes that it left behind
];

/**
 * Start a judge and wait until it is locked down and answers.
 *
 * @throws {RangeError} where the socket's path cannot be one.
 * @throws {Error} where it does not become ready; the message ends with what it wrote to standard error.
 */
export async function startJudge(options: JudgeProcessOptions): Promise<JudgeProcess> {
  const { socketPath, leaf, pcrs, limits, signal } = options;
  checkSocketPath(socketPath);
  signal?.throwIfAborted();
  const message = encodeStartup({
    socket_path: socketPath,
    pkcs8: leaf.pkcs8,
    certificate: leaf.certificate,
    cabundle: [...leaf.cabundle],
    pcrs: [...pcrs],
    blob_bytes: limits?.blobBytes ?? BLOB_BYTES,
    threads: limits?.threads ?? 0,
  });
  await removeStaleSocket(socketPath);
  const entry = fileURLToPath(options.entry ?? ENTRY);
  await fetchPackages(entry);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...judgeFlags(socketPath), entry],
    clearEnv: true,
    env: { ...environment(), ORT_DISABLE_TELEMETRY: "1", NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr: string[] = [];
  const drained = new LineReader(child.stderr).each((line) => {
    stderr.push(line);
    if (stderr.length > STDERR_LINES) stderr.shift();
    options.onStderr?.(line);
  });
  const input = child.stdin.getWriter();
  const output = new LineReader(child.stdout);
  const exited = child.status;

  let stopping: Promise<void> | undefined;
  const stop = () => stopping ??= end();
  const end = async () => {
    const timer = setTimeout(() => kill(child), STOP_MS);
    await input.close().catch(() => {}); // it ends when its input does
    await exited;
    clearTimeout(timer);
    await Promise.all([drained, output.each(() => {})]);
    await removeSocket(socketPath);
  };
  let ready = false;
  const onAbort = () => {
    if (!ready) kill(child); // it may not look at its input yet, and has nothing to lose
    void stop();
  };
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  exited.finally(() => signal?.removeEventListener("abort", onAbort));

  try {
    await untilReady(input, message, output, options.startupMs ?? STARTUP_MS);
  } catch (error) {
    kill(child);
    await stop();
    signal?.throwIfAborted();
    const said = stderr.length === 0 ? "" : `\n${stderr.join("\n")}`;
    throw new Error(`Cannot start the judge: ${(error as Error).message}${said}`);
  }
  ready = true;
  void output.each(() => {}); // what a judge prints later is nobody's business, but must not block it
  return { socketPath, pid: child.pid, exited, stop };
}

/** The flags of a judge that is to serve at `socketPath`, without the program. */
export function judgeFlags(socketPath: string): string[] {
  return [
    "--quiet",
    "--no-prompt",
    "--cached-only",
    "--frozen",
    `--allow-net=unix:${socketPath}`,
    `--allow-read=${socketPath}`,
    `--allow-write=${socketPath}`,
    `--allow-ffi=${runtimeBinding()}`,
  ];
}

/** Download what `entry` imports: by a process that is not the judge. */
async function fetchPackages(entry: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--quiet", "--frozen", entry],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(`Cannot fetch the judge's packages: ${new TextDecoder().decode(stderr)}`);
  }
}

function environment(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of ENVIRONMENT) {
    const value = Deno.env.get(name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

async function untilReady(
  input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>,
  message: Bytes,
  output: LineReader,
  ms: number,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it was not ready within ${ms} ms`)), ms);
  });
  try {
    input.write(message).catch(() => {}); // a child that is gone shows in its output
    const line = await Promise.race([output.next(), late]);
    if (line === undefined) throw new Error("it ended before it was ready");
    if (line !== READY) throw new Error("it printed something else than that it is ready");
  } finally {
    clearTimeout(timer);
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended.
  }
}

function checkSocketPath(path: string): void {
  const bytes = new TextEncoder().encode(path).length;
  if (!isAbsolute(path) || bytes > MAX_SOCKET_PATH || path.includes(",")) {
    throw new RangeError(
      `Cannot start a judge as 'socketPath' must be absolute, ${MAX_SOCKET_PATH} bytes at most and without ` +
        `a comma: current value is ${path}`,
    );
  }
}

/** Remove a socket at which nobody answers. */
async function removeStaleSocket(path: string): Promise<void> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) await removeSocket(path);
    return;
  }
  throw new Error(`Cannot start the judge: another one answers at ${path}`);
}

async function removeSocket(path: string): Promise<void> {
  try {
    if ((await Deno.lstat(path)).isSocket) await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
