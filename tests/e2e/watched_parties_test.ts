/**
 * The parties of a network, each a process of its own, say how they are: over HTTP, in their log, on the explorer's page.
 *
 * @module
 */
import assert from "node:assert/strict";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { ENCLAVE_DIR } from "../../host/cli/testmode/prepare.ts";
import { LineReader } from "../../host/courier/line_reader.ts";
import { measureSimulated } from "../../host/credentials/measure.ts";
import { ended, startCommand } from "../support/command.ts";

const PROGRAM = new URL("../support/rooted_judge.ts", import.meta.url).pathname;
const PATIENCE_MS = 60_000;
const SHOWN_MS = 10_000;

/** A running party, whose log is JSON. */
class Party {
  readonly #child: Deno.ChildProcess;
  readonly #lines: Record<string, unknown>[] = [];
  readonly #errors: string[] = [];
  readonly #ends: Promise<unknown>;

  constructor(command: string, ...args: string[]) {
    const watched = ["--metrics", "127.0.0.1:0", "--log-format", "json"];
    this.#child = startCommand(command, [...args, ...watched]);
    this.#ends = Promise.all([
      new LineReader(this.#child.stdout).each((line) => void this.#lines.push(JSON.parse(line))),
      new LineReader(this.#child.stderr).each((line) => void this.#errors.push(line)),
    ]);
  }

  /** The address that the log names for what is served. */
  async url(message: string): Promise<string> {
    const find = () => this.#lines.find((line) => line.message === message);
    await until(() => Promise.resolve(find() !== undefined), PATIENCE_MS, message);
    return (find()!.fields as { url: string }).url;
  }

  async get(path: string): Promise<string> {
    const url = new URL(path, await this.url("Metrics served"));
    const response = await fetch(url).catch(() => assert.fail(this.#errors.join("\n")));
    return await response.text();
  }

  /** Lines of the log, with what was being done as they were written. */
  get lines(): readonly Record<string, unknown>[] {
    return this.#lines;
  }

  async stop(): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#ends;
  }
}

async function until(holds: () => Promise<boolean>, ms: number, what: string): Promise<void> {
  const due = Date.now() + ms;
  while (!await holds()) {
    assert.ok(Date.now() < due, `${what} within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

Deno.test("validator, miner and aggregator: /metrics, /readyz and a log in JSON; a judge that stops is named", async () => {
  const dir = await Deno.makeTempDir({ prefix: "vramhub-watched-" });
  const found = "--test-mode --model tiny --json --miners honest --window-seconds 6 --windows 1";
  assert.equal(
    (await ended(startCommand("validator", [...found.split(" "), "--data-dir", dir]))).code,
    0,
  );
  const pcrs = (await measureSimulated(ENCLAVE_DIR)).map(toHex);
  const judge = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", PROGRAM, `${dir}/judge.sock`, `${dir}/keys`, ...pcrs],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = new LineReader(judge.stdout);
  assert.equal(await output.next(), "judge: ready");
  const rest = output.each(() => {});
  const on = ["--ledger", "dev", "--data-dir", dir];
  const validator = new Party(
    "validator",
    ...["--dev", ...on, "--as", "validator-0", "--judge", `unix:${dir}/judge.sock`],
    ...["--explorer", "--explorer-port", "0"],
  );
  const miner = new Party("miner", ...on, "--as", "alice", "--device", "cpu");
  const aggregator = new Party("aggregator", ...on);
  try {
    for (const party of [validator, miner, aggregator]) {
      const ready = async () => JSON.parse(await party.get("readyz")).ready === true;
      await until(ready, PATIENCE_MS, "ready");
      assert.deepEqual(JSON.parse(await party.get("healthz")), { ok: true, why: null });
      const metrics = await party.get("metrics");
      for (const component of ["store", "ledger"]) {
        assert.ok(
          metrics.includes(`vramhub_component_up{component="${component}",uid="",reason=""} 1`),
          metrics,
        );
      }
      assert.match(metrics, /process_resident_memory_bytes \d+/);
    }
    const uploaded = () =>
      Promise.resolve(miner.lines.some(({ message }) => message === "Gradient uploaded"));
    await until(uploaded, PATIENCE_MS, "a gradient");
    const line = miner.lines.find(({ message }) => message === "Gradient uploaded")!;
    const fields = line.fields as Record<string, unknown>;
    assert.deepEqual([fields.uid, fields.phase, typeof fields.window], [1, "reveal", "number"]);

    judge.kill("SIGKILL");
    const down = `vramhub_component_up{component="judge",uid="0",reason="unreachable"} 0`;
    await until(async () => (await validator.get("metrics")).includes(down), SHOWN_MS, down);
    const explorer = await validator.url("VRAMScan shows the network");
    const { components } = await (await fetch(`${explorer}api/v1/components`)).json();
    const states = components.map((
      { by, component, fault }: { by: string; component: string; fault: { reason: string } | null },
    ) => `${by}: ${component} ${fault?.reason ?? "works"}`);
    for (
      const told of [
        "validator-0: judge unreachable",
        "miner-1: miner works",
        "aggregator: aggregator works",
      ]
    ) assert.ok(states.includes(told), `${told} in ${states}`);
    const { waitsFor } = JSON.parse(await validator.get("readyz"));
    assert.match(waitsFor[0], /^judge 0: unreachable: The judge cannot be reached/);
  } finally {
    for (const party of [miner, aggregator, validator]) await party.stop();
    try {
      judge.kill("SIGKILL");
    } catch {
      // It was killed before.
    }
    await judge.status;
    await rest;
    await judge.stdin.close().catch(() => {});
    await Deno.remove(dir, { recursive: true });
  }
});
