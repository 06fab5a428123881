/**
 * Calls `vramhub` as its user does, over a dev ledger with a virtual clock; nothing of this machine is looked at.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ArgsIo } from "../../host/cli/args.ts";
import type { Outside } from "../../host/cli/commands/command.ts";
import type { Machine } from "../../host/cli/commands/doctor/machine.ts";
import { parseCall, runCall } from "../../host/cli/commands/run.ts";
import { none } from "../../host/cli/present/style.ts";
import type { Clock } from "../../host/ledger/clock.ts";
import { type NetworkOptions, TestNetwork } from "../../host/ledger/testing.ts";

/** What a call printed, and its status. */
export interface Called {
  /** Exit status. */
  readonly status: number;
  /** Standard output. */
  readonly out: string;
  /** Standard error. */
  readonly err: string;
}

/** What a call finds around it. */
export interface Around {
  /** The environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory. */
  readonly cwd?: string;
  /** The user's folder. */
  readonly home?: string;
  /** Time; stands still at 0 without one. */
  readonly clock?: Clock;
  /** Replaces parts of what is outside. */
  readonly outside?: Partial<Outside>;
}

class Exit extends Error {
  constructor(readonly status: number) {
    super(`exit ${status}`);
  }
}

/** A machine of no particular kind. */
export const SOME_MACHINE: Machine = {
  os: "linux",
  cpus: () => 4,
  availableMemory: () => 8 * 2 ** 30,
  hugePages: () => null,
  exists: () => false,
  mode: () => null,
  text: () => null,
};

const nothing = (what: string) => () => Promise.reject(new Error(`A test reached ${what}`));

/** Call `vramhub` with `words`. */
export async function callVramhub(words: readonly string[], around: Around = {}): Promise<Called> {
  const out: string[] = [];
  const err: string[] = [];
  const io: ArgsIo = {
    stdout: (text) => out.push(text),
    stderr: (text) => err.push(text),
    exit: (status) => {
      throw new Exit(status);
    },
    colors: false,
    columns: 1_000,
  };
  const done = (status: number) => ({ status, out: out.join("\n"), err: err.join("\n") });
  let call;
  try {
    call = parseCall(words, io);
  } catch (error) {
    if (error instanceof Exit) return done(error.status);
    throw error;
  }
  return done(
    await runCall(call, {
      surroundings: {
        env: around.env ?? {},
        cwd: around.cwd ?? "/nowhere",
        home: around.home,
      },
      clock: around.clock ?? { now: () => 0, until: () => Promise.resolve() },
      stdout: io.stdout,
      stderr: io.stderr,
      paint: none,
      width: 200,
      watched: false,
      signal: new AbortController().signal,
      outside: {
        machine: SOME_MACHINE,
        openJudge: nothing("a judge"),
        openStorage: () => Promise.resolve("a test has none"),
        publish: nothing("Sui"),
        ...around.outside,
      },
    }),
  );
}

/** A dev ledger in a folder, and calls on it. */
export class Folder implements AsyncDisposable {
  /** The network in it. */
  readonly network: TestNetwork;
  /** Its path. */
  readonly dir: string;

  private constructor(network: TestNetwork, dir: string) {
    this.network = network;
    this.dir = dir;
  }

  /** Found a network in a temporary folder. */
  static async found(options: NetworkOptions = {}): Promise<Folder> {
    const dir = await Deno.makeTempDir({ prefix: "vramhub-" });
    return new Folder(await TestNetwork.found({ ...options, path: `${dir}/ledger.sqlite` }), dir);
  }

  /** Call with the words of `line` on this ledger. */
  call(line: string, around: Around = {}): Promise<Called> {
    const words = [...line.split(" ").filter((word) => word !== ""), "--data-dir", this.dir];
    return callVramhub(words, { clock: this.network.clock, ...around });
  }

  /** Call; it must succeed. Resolves to its text. */
  async text(line: string, around: Around = {}): Promise<string> {
    const { err, out, status } = await this.call(line, around);
    assert.equal(status, 0, `${line}: ${err}`);
    return out;
  }

  /** Call with `--json`; it must succeed. Resolves to what was printed. */
  // deno-lint-ignore no-explicit-any -- whatever the command prints
  async json(line: string, around: Around = {}): Promise<any> {
    return JSON.parse(await this.text(`${line} --json`, around));
  }

  /** Call; it must be refused with this status and message. */
  async refused(line: string, status: number, message: RegExp, around: Around = {}): Promise<void> {
    const called = await this.call(line, around);
    assert.equal(called.status, status, `${line}: ${called.out}${called.err}`);
    assert.match(called.err, message);
    assert.equal(called.out, "");
  }

  /** Close the ledger, its coins counted, and remove the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.network[Symbol.dispose]();
    } finally {
      await Deno.remove(this.dir, { recursive: true });
    }
  }
}
