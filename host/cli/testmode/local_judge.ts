/**
 * A SIMULATED judge as a process of this machine that can be started again: the calls stay, the process, its
 * socket and its key are new.
 *
 * @module
 */
import { basename } from "node:path";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import type { JudgeIdentity } from "../../../enclave/protocol/identity.ts";
import type { JobPayload, Payload, Signed } from "../../../enclave/protocol/judge_messages.ts";
import { JudgeClient, type JudgeHealth } from "../../courier/judge_client.ts";
import type { JobJudge, JudgeLike } from "../../courier/judge_like.ts";
import { type JudgeProcess, startJudge } from "../../courier/judge_process.ts";
import type { SimulatedPcrs } from "../../credentials/measure.ts";
import type { TestRoot } from "../../credentials/test_root.ts";
import type { Clock } from "../../ledger/clock.ts";

/** A judge that ended sooner than this after its start is not started again at once. */
const LEAST_LIFE_MS = 5_000;

/** How its processes are started. */
export interface LocalJudgeOptions {
  /** A file that remembers the folder of the socket, for the start after a crash to remove it. */
  readonly socketNote: string;
  /** Signs a leaf for each of them. */
  readonly root: TestRoot;
  /** PCR0–2. */
  readonly pcrs: SimulatedPcrs;
  /** Time. */
  readonly clock: Clock;
  /** Ends the process, and starts no other. */
  readonly signal: AbortSignal;
  /** Gets what it writes to standard error. */
  readonly onStderr: (line: string) => void;
  /** Hears that it has ended although nobody asked it to. */
  readonly onEnded: (code: number) => void;
}

/** Begins the name of a socket's folder. */
const PREFIX = "vramhub-judge-";

interface Running {
  readonly client: JudgeClient;
  readonly process: JudgeProcess;
  readonly since: number;
  ended: boolean;
}

/** See the module. */
export class LocalJudge implements JudgeLike, JobJudge {
  readonly #options: LocalJudgeOptions;
  #running: Running;
  #closed = false;

  private constructor(options: LocalJudgeOptions, running: Running) {
    this.#options = options;
    this.#running = running;
    this.#watch(running);
  }

  /** Start the first process. */
  static async start(options: LocalJudgeOptions): Promise<LocalJudge> {
    return new LocalJudge(options, await open(options));
  }

  /** What its present process says of itself. */
  health(): Promise<JudgeHealth> {
    return this.#running.client.health();
  }

  /** Its present process. */
  get pid(): number {
    return this.#running.process.pid;
  }

  /** Start another process where the last one has ended. */
  async restart(): Promise<void> {
    const { clock, signal } = this.#options;
    const { client, ended, since } = this.#running;
    if (!ended || this.#closed) return;
    await clock.until(since + LEAST_LIFE_MS, signal);
    const running = await open(this.#options);
    client.close();
    this.#running = running;
    this.#watch(running);
    if (this.#closed) await this.close();
  }

  /** End it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#running.client.close();
    await this.#running.process.stop();
  }

  /** See {@link JudgeLike}. */
  configure(identity: JudgeIdentity): Promise<Bytes> {
    return this.#running.client.configure(identity);
  }
  /** See {@link JudgeLike}. */
  attest(nonce?: Bytes): Promise<Bytes> {
    return this.#running.client.attest(nonce);
  }
  /** See {@link JudgeLike}. */
  hasBlob(hash: Bytes): Promise<boolean> {
    return this.#running.client.hasBlob(hash);
  }
  /** See {@link JudgeLike}. */
  putBlob(hash: Bytes, bytes: Bytes): Promise<void> {
    return this.#running.client.putBlob(hash, bytes);
  }
  /** See {@link JudgeLike}. */
  process(payload: Payload): Promise<Signed> {
    return this.#running.client.process(payload);
  }
  /** See {@link JobJudge}. */
  processJob(payload: JobPayload): Promise<Signed> {
    return this.#running.client.processJob(payload);
  }

  #watch(running: Running): void {
    const { onEnded, signal } = this.#options;
    void running.process.exited.then(({ code }) => {
      running.ended = true;
      if (!this.#closed && !signal.aborted) onEnded(code);
    });
  }
}

async function open(options: LocalJudgeOptions): Promise<Running> {
  const { clock, onStderr, pcrs, root, signal, socketNote } = options;
  await removeLeftover(socketNote);
  // Not in the data directory: a Unix socket's path is at most 107 bytes long.
  const dir = await Deno.makeTempDir({ prefix: PREFIX });
  const remove = () => Deno.remove(dir, { recursive: true }).catch(() => {});
  const socketPath = `${dir}/judge.sock`;
  try {
    await Deno.writeTextFile(socketNote, dir);
    const leaf = await root.issueLeaf();
    const process = await startJudge({ socketPath, leaf, pcrs, signal, onStderr });
    void process.exited.finally(remove);
    const client = JudgeClient.unix(socketPath);
    return { client, process, since: clock.now(), ended: false };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Remove the socket that a killed courier left: nothing but that, and an empty folder of our name. */
async function removeLeftover(note: string): Promise<void> {
  const dir = await Deno.readTextFile(note).catch(() => "");
  if (!basename(dir).startsWith(PREFIX)) return;
  await Deno.remove(`${dir}/judge.sock`).catch(() => {});
  await Deno.remove(dir).catch(() => {});
}
