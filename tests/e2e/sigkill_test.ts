/**
 * SIGKILL for real: of the judge's process, and of the validator's in the middle of a judgement.
 */
import assert from "node:assert/strict";
import type { RunEvent } from "../../host/cli/present/mod.ts";
import { ended, only, startCommand } from "../support/command.ts";

const ARGS = ["--test-mode", "--model", "tiny", "--json", "--window-seconds", "3", "--miners"];

/** A running command whose events can be waited for. */
class Follower {
  readonly events: RunEvent[] = [];
  readonly child: Deno.ChildProcess;
  readonly #stderr: Promise<string>;
  readonly #read: Promise<void>;
  #heard = Promise.withResolvers<void>();
  #over = false;

  constructor(child: Deno.ChildProcess) {
    this.child = child;
    this.#stderr = new Response(child.stderr).text();
    this.#read = this.#follow();
  }

  async #follow(): Promise<void> {
    let rest = "";
    for await (const chunk of this.child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      this.events.push(...lines.map((line) => JSON.parse(line)));
      this.#hear();
    }
    this.#over = true;
    this.#hear();
  }

  #hear(): void {
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }

  /** The first event behind number `from` that `wanted` takes; its number is the result. */
  async until(from: number, wanted: (event: RunEvent) => boolean): Promise<number> {
    for (;;) {
      const found = this.events.findIndex((event, i) => i >= from && wanted(event));
      if (found >= 0) return found;
      if (this.#over) assert.fail(`the command ended too early: ${await this.#stderr}`);
      await this.#heard.promise;
    }
  }

  /** SIGKILL it, where it still runs. */
  async kill(): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await Promise.all([this.child.status, this.#read, this.#stderr]);
  }
}

/** The judge that process `pid` has started. */
async function judgeOf(pid: number): Promise<number> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = await Deno.readTextFile(`/proc/${name}/stat`);
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      const command = await Deno.readTextFile(`/proc/${name}/cmdline`);
      if (parent === pid && command.includes("main_simulated.ts")) return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  assert.fail(`process ${pid} has no judge`);
}

async function isRunning(pid: number): Promise<boolean> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => null);
  return stat !== null && !/\) [ZX] /.test(stat);
}

const isSettled = (event: RunEvent) => event.event === "settled";

Deno.test({
  name:
    "validator --test-mode: goes on after SIGKILL of its judge, and of itself; no judge is left",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const dir = await Deno.makeTempDir();
    const args = [...ARGS, "honest", "--data-dir", dir];
    const run = new Follower(startCommand("validator", args));
    try {
      const first = await run.until(0, isSettled);
      Deno.kill(await judgeOf(run.child.pid), "SIGKILL");
      const died = await run.until(
        first,
        (event) => event.event === "log" && event.message === "Judge ended",
      );
      const again = await run.until(died, ({ event }) => event === "attestation");
      const after = await run.until(again, isSettled);
      const keys = only(run.events, "attestation").map(({ keyHex }) => keyHex);
      assert.equal(new Set(keys).size, 2, "the new judge has a key of its own");
      const judge = await judgeOf(run.child.pid);
      await run.until(after, (event) => event.event === "phase" && event.phase === "judge");
      await run.kill();
      for (let tries = 0; await isRunning(judge); tries++) {
        assert(tries < 100, "the judge outlives its validator");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const windows = only(run.events, "settled").map(({ window }) => window);
      const next = await ended(startCommand("validator", [...args, "--windows", "3"]));
      assert.equal(next.code, 0, next.stderr);
      const later = only(next.events, "settled").map(({ window }) => window);
      assert(later.length > 0, "no window was settled behind the restart");
      const all = [...windows, ...later];
      assert.deepEqual(all, [...new Set(all)].sort((a, b) => a - b), "a window was settled twice");
    } finally {
      await run.kill();
      await Deno.remove(dir, { recursive: true });
    }
  },
});
