/**
 * AWS's `nitro-cli`: its commands, its JSON (`src/common/json_output.rs`), and its errors explained. It prints
 * progress before the JSON, and grows fields from version to version: unknown ones are left alone.
 *
 * @module
 */
import { explain, NitroCliError } from "./errors.ts";
import type { Runner } from "./runner.ts";

/** A running enclave. */
export interface Enclave {
  /** Its name by AWS. */
  readonly id: string;
  /** Its vsock CID. */
  readonly cid: number;
  /** `RUNNING` or `TERMINATING`. */
  readonly state: string;
  /** Its CPUs. */
  readonly cpus: number;
  /** Its memory in MiB. */
  readonly memoryMib: number;
  /** Whether its PCR0–2 are zero and its console is open. */
  readonly debug: boolean;
}

/** What an enclave is started with. */
export interface RunOptions {
  /** Path of the image. */
  readonly eif: string;
  /** CPUs, an even number: both threads of a core go together. */
  readonly cpus: number;
  /** Memory in MiB. */
  readonly memoryMib: number;
  /** Its vsock CID, 4 or more. */
  readonly cid: number;
  /** Debug mode. */
  readonly debug: boolean;
}

const PROGRAM = "nitro-cli";

/** Calls nitro-cli. Every failure is a {@linkcode NitroCliError}. */
export class NitroCli {
  readonly #runner: Runner;

  /** By way of `runner`. */
  constructor(runner: Runner) {
    this.#runner = runner;
  }

  /** Start an enclave. Resolves to its id. */
  async run({ cid, cpus, debug, eif, memoryMib }: RunOptions): Promise<string> {
    const started = await this.#json("start", [
      "run-enclave",
      ...["--eif-path", eif],
      ...["--cpu-count", String(cpus)],
      ...["--memory", String(memoryMib)],
      ...["--enclave-cid", String(cid)],
      ...(debug ? ["--debug-mode"] : []),
    ]);
    return textOf(started, "EnclaveID");
  }

  /** The enclaves of this instance. */
  async list(): Promise<Enclave[]> {
    const enclaves = await this.#json("list", ["describe-enclaves"]);
    if (!Array.isArray(enclaves)) throw badOutput("its description is no list");
    return enclaves.map((enclave) => ({
      id: textOf(enclave, "EnclaveID"),
      cid: numberOf(enclave, "EnclaveCID"),
      state: textOf(enclave, "State"),
      cpus: numberOf(enclave, "NumberOfCPUs"),
      memoryMib: numberOf(enclave, "MemoryMiB"),
      debug: textOf(enclave, "Flags").includes("DEBUG_MODE"),
    }));
  }

  /** End an enclave. */
  async terminate(id: string): Promise<void> {
    const ended = await this.#json("end", ["terminate-enclave", "--enclave-id", id]);
    if (fieldOf(ended, "Terminated") !== true) throw badOutput("it did not end the enclave");
  }

  /** Show a debug enclave's console on this terminal until it ends. Resolves to nitro-cli's status. */
  console(id: string): Promise<number> {
    return this.#runner.attach(PROGRAM, ["console", "--enclave-id", id]);
  }

  async #json(action: string, args: readonly string[]): Promise<unknown> {
    let ended;
    try {
      ended = await this.#runner.run(PROGRAM, args);
    } catch (cause) {
      const why = cause instanceof Deno.errors.NotFound
        ? "nitro-cli is not installed: run nitro/ec2/setup.sh on an EC2 instance with enclave support"
        : (cause as Error).message;
      throw new NitroCliError("no_program", `Cannot ${action} the enclave: ${why}`, { cause });
    }
    if (ended.code !== 0) throw explain(action, ended.stderr || ended.stdout);
    // Progress may stand before it, on the same stream: the JSON begins at a line's begin.
    const begin = ended.stdout.search(/^[[{]/m);
    try {
      return JSON.parse(begin < 0 ? "" : ended.stdout.slice(begin));
    } catch (cause) {
      throw badOutput("its output is no JSON", cause);
    }
  }
}

function badOutput(why: string, cause?: unknown): NitroCliError {
  return new NitroCliError("bad_output", `Cannot understand nitro-cli: ${why}`, { cause });
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) throw badOutput("an enclave is no object");
  return (value as Readonly<Record<string, unknown>>)[name];
}

function textOf(value: unknown, name: string): string {
  const field = fieldOf(value, name);
  if (typeof field !== "string") throw badOutput(`${name} is no text`);
  return field;
}

function numberOf(value: unknown, name: string): number {
  const field = fieldOf(value, name);
  if (!Number.isSafeInteger(field)) throw badOutput(`${name} is no number`);
  return field as number;
}
