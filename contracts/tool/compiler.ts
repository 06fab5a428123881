/**
 * The compiler as a process that can be killed: one child that takes jobs one after another, and a new one after a job
 * has passed its deadline, since a Move loop that does not end cannot be stopped from inside.
 *
 * @module
 */
import type { Framework } from "./framework.ts";
import type { Answer, Job } from "./worker.ts";

/** After so many jobs the child is replaced: WebAssembly's memory never shrinks. */
const JOBS_PER_CHILD = 40;

/** A job has passed its deadline. */
export class DeadlinePassed extends Error {
  override name = "DeadlinePassed";
}

/** A child process, its answers by lines. */
interface Child {
  process: Deno.ChildProcess;
  input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  lines: AsyncIterator<string>;
  jobs: number;
}

/** Compiles and tests against one framework. Dispose of it: it keeps a process. */
export class Compiler implements AsyncDisposable {
  readonly #framework: string;
  #child: Child | undefined;

  /** A compiler whose packages see `framework`; its process starts with the first job. */
  constructor(framework: Framework) {
    this.#framework = JSON.stringify(framework);
  }

  /**
   * Do `job`. One at a time.
   *
   * @throws {DeadlinePassed} After `deadline` milliseconds; the process is dead by then
   * @throws {Error} Where the process ended by itself
   */
  async run(job: Job, deadline: number): Promise<Answer> {
    const child = this.#child ??= start(this.#framework);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.process.kill("SIGKILL");
    }, deadline);
    try {
      await child.input.write(line(JSON.stringify(job)));
      const { value, done } = await child.lines.next();
      if (done) throw new Error("the compiler's process ended");
      const answer = JSON.parse(value) as Answer;
      const panicked = answer.kind === "failed" && /^panicked at /m.test(answer.error);
      if (++child.jobs === JOBS_PER_CHILD || panicked) await this[Symbol.asyncDispose]();
      return answer;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw late ? new DeadlinePassed(`No result within ${deadline} ms`) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** End the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    try {
      child.process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await child.input.abort().catch(() => {});
    await child.lines.return?.();
    await child.process.status;
  }
}

function start(framework: string): Child {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--no-check",
      "--allow-read",
      new URL("worker.ts", import.meta.url).href,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = process.stdin.getWriter();
  input.write(line(framework)).catch(() => {});
  return { process, input, lines: linesOf(process.stdout), jobs: 0 };
}

function line(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\n`);
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
