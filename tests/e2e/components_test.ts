import assert from "node:assert/strict";
import { LineReader } from "../../host/courier/line_reader.ts";
import type { RunEvent } from "../../host/cli/present/mod.ts";
import { startCommand } from "../support/command.ts";
import { judgeProcess } from "../support/judge_process.ts";

/** The word: a stop shows within so long, with its reason. */
const SHOWN_MS = 10_000;

interface Told {
  readonly component: string;
  readonly uid: number | null;
  readonly fault: { readonly reason: string } | null;
  readonly last: { readonly reason: string } | null;
}

/** A network with its explorer and metrics in one process, and a miner that joined in another. */
class Running implements AsyncDisposable {
  readonly dir: string;
  readonly #validator: Deno.ChildProcess;
  readonly #events: RunEvent[] = [];
  readonly #ends: Promise<unknown>[] = [];
  miner: Deno.ChildProcess | undefined;

  private constructor(dir: string) {
    this.dir = dir;
    const args = "--test-mode --model tiny --json --window-seconds 6 --miners honest --explorer " +
      "--explorer-port 0 --metrics 127.0.0.1:0";
    this.#validator = startCommand("validator", [...args.split(" "), "--data-dir", dir]);
    const note = (line: string) => void this.#events.push(JSON.parse(line));
    this.#ends.push(new LineReader(this.#validator.stdout).each(note));
    this.#ends.push(this.#validator.stderr.cancel());
  }

  static async start(): Promise<Running> {
    const running = new Running(await Deno.makeTempDir({ prefix: "vramhub-components-" }));
    await running.until(() => Promise.resolve(running.#url("VRAMScan") !== undefined), 60_000);
    return running;
  }

  /** Where a log line says that something is served. */
  #url(begins: string): string | undefined {
    const found = this.#events.find((event) =>
      event.event === "log" && event.message.startsWith(begins)
    );
    return found?.event === "log" ? String(found.fields.url) : undefined;
  }

  async join(): Promise<void> {
    const args = ["--test-mode", "--role", "idle", "--data-dir", this.dir, "--json"];
    this.miner = startCommand("miner", args);
    const lines = new LineReader(this.miner.stdout);
    this.#ends.push(this.miner.stderr.cancel());
    // What stops while a party starts ends its start.
    for (let line = await lines.next(); !line?.includes("Starting window");) {
      assert.ok(line !== undefined, "the miner has ended");
      line = await lines.next();
    }
    this.#ends.push(lines.each(() => {}));
    await this.until(async () => await this.told("miner", 1) !== undefined, 30_000);
  }

  async told(component: string, uid: number | null): Promise<Told | undefined> {
    const answer = await fetch(`${this.#url("VRAMScan")}api/v1/components`);
    const { components } = await answer.json() as { components: Told[] };
    return components.find((one) => one.component === component && one.uid === uid);
  }

  async metrics(): Promise<string> {
    return await (await fetch(this.#url("Metrics")!)).text();
  }

  async until(holds: () => Promise<boolean>, ms: number, what = "it"): Promise<void> {
    const due = Date.now() + ms;
    while (!await holds()) {
      assert.ok(Date.now() < due, `${what} within ${ms} ms`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** A component stopped: within ten seconds API and metrics say so, and why; a short fault stays in the counter. */
  async stopped(component: string, uid: number | null, reason: string): Promise<void> {
    const what = `${component} ${uid} ${reason}`;
    const due = Date.now() + SHOWN_MS;
    await this.until(
      async () => {
        const told = await this.told(component, uid);
        return told?.fault?.reason === reason || told?.last?.reason === reason;
      },
      SHOWN_MS,
      what,
    );
    const labels = `component="${component}",uid="${uid ?? ""}",reason="${reason}"`;
    const line = `vramhub_component_faults_total{${labels}}`;
    const left = Math.max(0, due - Date.now());
    await this.until(async () => (await this.metrics()).includes(line), left, line);
  }

  async works(component: string, uid: number | null): Promise<void> {
    await this.until(
      async () => {
        const told = await this.told(component, uid);
        return told !== undefined && told.fault === null;
      },
      30_000,
      `${component} works again`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [this.miner, this.#validator]) {
      try {
        child?.kill("SIGTERM");
      } catch {
        // It has ended.
      }
      await child?.status;
    }
    await Promise.all(this.#ends);
    await Deno.remove(this.dir, { recursive: true });
  }
}

Deno.test({
  name:
    "components: each one that stops shows in the explorer's API and in /metrics within ten seconds",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using running = await Running.start();
    const { dir } = running;
    await running.join();

    Deno.kill(await judgeProcess(dir), "SIGKILL");
    await running.stopped("judge", 0, "ended");
    await running.works("judge", 0);

    const judge = await judgeProcess(dir);
    Deno.kill(judge, "SIGSTOP");
    await running.stopped("judge", 0, "timeout");
    Deno.kill(judge, "SIGCONT");
    await running.works("judge", 0);

    await Deno.rename(`${dir}/store`, `${dir}/away`);
    await running.stopped("store", null, "unreachable");
    await Deno.rename(`${dir}/away`, `${dir}/store`);
    await running.works("store", null);

    await Deno.rename(`${dir}/ledger.sqlite`, `${dir}/away`);
    await running.stopped("ledger", null, "gone");
    await Deno.rename(`${dir}/away`, `${dir}/ledger.sqlite`);
    await running.works("ledger", null);

    running.miner!.kill("SIGKILL");
    await running.stopped("miner", 1, "silent");
  },
});
