/**
 * `VRAMHUB_MONITORING_BACKEND=wandb`: what each window gave, to Weights & Biases. Its HTTP interface is not published as
 * a stable one, so the numbers go through its own Python client, which reads `WANDB_*` itself; without that client this is
 * refused at the start.
 *
 * @module
 */
import { LineReader } from "../courier/line_reader.ts";
import type { Log } from "../ledger/log.ts";

const TARGET = "vramhub_monitoring";
const SCRIPT = new URL("./report_to_wandb.py", import.meta.url);
/** How long an interpreter may take to find the client. */
const FIND_MS = 60_000;
/** Records that wait for a client that is slow; older ones are dropped. */
const MAX_WAITING = 1_000;
/** How long the client may take to hand over what it holds. */
const FINISH_MS = 20_000;

/** Where records go. */
export interface MonitoringBackend extends AsyncDisposable {
  /** Record the values of window `step`. Never throws and never waits. */
  record(step: number, values: Readonly<Record<string, number>>): void;
}

/** What a run is called and where it goes. */
export interface WandbOptions {
  /** `miner`, `validator` or `aggregator`. */
  readonly role: string;
  /** For people. */
  readonly name: string;
  /** What does not change. */
  readonly config: Readonly<Record<string, string | number>>;
  /** `WANDB_*` of the settings; those of the process's environment hold besides. */
  readonly env: Readonly<Record<string, string>>;
  /** The interpreter; default `python3`. */
  readonly python?: string;
  /** Log lines. */
  readonly log: Log;
}

/** Weights & Biases cannot be reported to: what to do about it. */
export class WandbError extends Error {
  /** An error of this message. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "WandbError";
  }
}

/**
 * Start the client.
 *
 * @throws {WandbError} where there is no interpreter, or it has no client.
 */
export async function openWandb(options: WandbOptions): Promise<MonitoringBackend> {
  const { env, python = "python3" } = options;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(python, {
      args: ["-u", decodeURIComponent(SCRIPT.pathname)],
      env: { ...env, WANDB_SILENT: env.WANDB_SILENT ?? "true" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    throw new WandbError(`${HEAD}: there is no ${python}. ${HELP}`, { cause: error });
  }
  const client = new Client(child, options);
  try {
    await client.found();
  } catch (error) {
    await client.kill();
    throw error;
  }
  return client;
}

const HEAD = "Cannot report to Weights & Biases";
const HELP =
  "Install its client with 'python3 -m pip install wandb', or set VRAMHUB_MONITORING_BACKEND=null";

class Client implements MonitoringBackend {
  readonly #child: Deno.ChildProcess;
  readonly #lines: LineReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #options: WandbOptions;
  readonly #encoder = new TextEncoder();
  #waiting: string[] = [];
  #sending: Promise<void> | undefined;
  #lost = false;
  /** The last line of its complaints. */
  #said = "";

  constructor(child: Deno.ChildProcess, options: WandbOptions) {
    this.#child = child;
    this.#options = options;
    this.#lines = new LineReader(child.stdout);
    this.#writer = child.stdin.getWriter();
    void new LineReader(child.stderr).each((line) => {
      if (line.trim() === "") return;
      this.#said = line.trim();
      options.log("debug", TARGET, this.#said);
    });
  }

  async found(): Promise<void> {
    const { config, name, python = "python3", role } = this.#options;
    const timer = setTimeout(() => this.#signal("SIGKILL"), FIND_MS);
    const line = await this.#lines.next().finally(() => clearTimeout(timer));
    if (line !== "found") {
      const why = line ?? "it ended";
      throw new WandbError(`${HEAD}: ${python} has no client of it (${why}). ${HELP}`);
    }
    this.#put({ role, name, config });
    void this.#lines.each(() => {});
  }

  record(step: number, values: Readonly<Record<string, number>>): void {
    this.#put({ step, values });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#signal("SIGKILL"), FINISH_MS);
    await this.#sending;
    await this.#writer.close().catch(() => {});
    await this.#child.status;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#writer.abort().catch(() => {});
    await this.#lines.each(() => {});
    await this.#child.status;
  }

  #put(value: unknown): void {
    if (this.#lost) return;
    this.#waiting.push(`${JSON.stringify(value)}\n`);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.splice(1, 1); // the first line says what the run is
    this.#sending ??= this.#send().finally(() => this.#sending = undefined);
  }

  async #send(): Promise<void> {
    const { log } = this.#options;
    try {
      for (let next; (next = this.#waiting.shift()) !== undefined;) {
        await this.#writer.write(this.#encoder.encode(next));
      }
    } catch {
      this.#lost = true;
      this.#waiting = [];
      log("warn", TARGET, "Weights & Biases' client ended: nothing more is reported to it", {
        code: (await this.#child.status).code,
        said: this.#said,
      });
    }
  }

  #signal(name: Deno.Signal): void {
    try {
      this.#child.kill(name);
    } catch {
      // It has ended.
    }
  }
}
