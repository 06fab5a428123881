/**
 * What a judge's process takes for windows of nano-GPT gradients: its peak memory, which must stay below an
 * enclave's and must not grow with the number of miners by more than their gradients' own bytes, and the time, from
 * which follows how many a window of ten minutes can judge. Minutes of both cores: a task, not part of the gate.
 *
 * The judge runs in a control group with that limit, where this user may make one.
 *
 *     deno task soak:judge --miners 4,256 --held 1     # all of a full window: some 12 minutes of two quiet cores
 *     deno task soak:judge --miners 4,12 --held 256    # judges few of what it holds: a minute
 *
 * `--miners` are windows, judged one after another by the same judge; `--held` hands over as many gradients more.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { paramManifest } from "../../enclave/model/params.ts";
import { PRESETS } from "../../enclave/model/presets.ts";
import { encodeV2 } from "../../enclave/protocol/gradient/mod.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS } from "../../enclave/protocol/hparams.ts";
import { decodeEnvelope } from "../../enclave/protocol/judge_messages.ts";
import { decodeReport } from "../../enclave/protocol/report.ts";
import { VERDICT } from "../../enclave/protocol/verdict.ts";
import { useNativeSha256 } from "../../host/cli/native.ts";
import { JudgeClient } from "../../host/courier/judge_client.ts";
import { startJudge } from "../../host/courier/judge_process.ts";
import { createTestRoot } from "../../host/credentials/test_root.ts";
import { judgeMs, minersPerWindow } from "../bench/capacity.ts";
import { groundOf, judgedWindow } from "../bench/judged_window.ts";
import { mobyDick } from "../bench/moby_dick.ts";
import { randomUpdate } from "../bench/updates.ts";
import { identityOf } from "../support/window.ts";
import { limitMemory } from "./memory_limit.ts";

/** What `enclave/main.ts` holds at most. */
const BLOB_BYTES = 2 ** 30;
/** An enclave of 4 GiB; the image's ramdisks and the kernel take of it what is left out here. */
const LIMIT = 4 * 2 ** 30 - 512 * 2 ** 20;
/**
 * What more miners may take besides their gradients' bytes: one copy of the weights. V8 lets 130 MiB of dead arrays
 * wait before it collects them, which a window of 64 fills and one of 4 does not.
 */
const SLACK = 188 * 2 ** 20;
const MODEL = PRESETS["nano-gpt"];

const { values } = parseArgs({
  args: Deno.args,
  options: {
    miners: { type: "string", default: "4,12" },
    held: { type: "string", default: "256" },
  },
});
const sizes = values.miners.split(",").map(Number);
const held = Number(values.held);
if (![...sizes, held].every((n) => Number.isInteger(n) && n > 0 && n <= 256)) {
  console.error("error: --miners and --held must be from 1 to 256");
  Deno.exit(2);
}

useNativeSha256();
const dir = await Deno.makeTempDir({ prefix: "vramhub-soak-" });
try {
  await soak();
} finally {
  await Deno.remove(dir, { recursive: true });
}
Deno.exit();

async function soak(): Promise<void> {
  const root = await createTestRoot(`${dir}/root`);
  const pcr = new Uint8Array(48).fill(1);
  const judge = await startJudge({
    socketPath: `${dir}/judge.sock`,
    leaf: await root.issueLeaf(),
    pcrs: [pcr, pcr, pcr],
    limits: { blobBytes: BLOB_BYTES },
  });
  const limit = await limitMemory(judge.pid, LIMIT);
  console.log(`limit ${mib(LIMIT)}: ${limit?.said ?? "no right to set one, the peak is measured"}`);
  const client = JudgeClient.unix(judge.socketPath, { processMs: 3_600_000 });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => client.close());
  }
  try {
    await client.configure(identityOf(0));
    const ground = groundOf(MODEL, await mobyDick(MODEL));
    const peaks: { readonly miners: number; readonly peak: number; readonly held: number }[] = [];
    let perMiner = 0;
    let kept = 0;
    for (const [n, miners] of [2, ...sizes].entries()) {
      const { blobs, body } = judgedWindow(ground, n + 1, miners);
      for (const blob of blobs) await client.putBlob(sha256(blob), blob);
      const started = performance.now();
      const { message } = await client.process(decodeEnvelope(body));
      const taken = performance.now() - started;
      const ok = decodeReport(message).entries.filter(({ verdict }) => verdict === VERDICT.ok);
      assert.equal(ok.length, miners);
      const bytes = blobs.at(-1)!.length;
      kept += miners * bytes; // also those of the windows before
      const peak = await peakOf(judge.pid);
      if (n > 0) { // the first window loads the graph and the base
        perMiner = taken / miners;
        peaks.push({ miners, peak, held: kept });
      }
      console.log(`${miners} gradients of ${mib(bytes)}: ${seconds(taken)}, peak ${mib(peak)}`);
    }
    await holdMany(client, held);
    const last = await peakOf(judge.pid);
    console.log(`${held} gradients held besides: peak ${mib(last)}`);
    assert.ok(last < LIMIT, `${mib(last)} are more than an enclave of 4 GiB has for its judge`);
    const [first, ...more] = peaks;
    for (const { miners, peak, held: bytes } of more) {
      const grown = peak - first!.peak - (bytes - first!.held);
      assert.ok(grown < SLACK, `${mib(grown)} more for ${miners} miners than for ${first!.miners}`);
    }
    console.log(`a miner takes ${seconds(perMiner)} on ${navigator.hardwareConcurrency} CPUs here`);
    console.log(
      `a window of ${seconds(DEFAULT_HPARAMS.window_ms)} leaves ${seconds(judgeMs())}: ` +
        `max_judged of at most ${minersPerWindow(perMiner)}`,
    );
  } finally {
    client.close();
    await judge.stop();
    limit?.[Symbol.dispose]();
  }
}

/** Hand over gradients that are in no window. */
async function holdMany(client: JudgeClient, count: number): Promise<void> {
  const { total } = paramManifest(MODEL);
  for (let uid = 0; uid < count; uid++) {
    const update = randomUpdate(total, Math.ceil(total / 100), 1_000_000 + uid);
    const blob = encodeV2(update, { uid, window: 999, baseHash: new Uint8Array(32) });
    await client.putBlob(sha256(blob), blob);
  }
}

/** The largest resident set that process `pid` has had, in bytes. */
async function peakOf(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1_024;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
