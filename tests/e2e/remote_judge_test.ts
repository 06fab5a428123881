import assert from "node:assert/strict";
import { toHex } from "../../enclave/protocol/bytes.ts";
import type { RunEvent } from "../../host/cli/present/mod.ts";
import { ENCLAVE_DIR } from "../../host/cli/testmode/prepare.ts";
import { LineReader } from "../../host/courier/line_reader.ts";
import { measureSimulated } from "../../host/credentials/measure.ts";
import { openTestRoot } from "../../host/credentials/test_root.ts";
import { ended, only, startCommand } from "../support/command.ts";

const PROGRAM = new URL("../support/rooted_judge.ts", import.meta.url).pathname;

/** A judge of the network whose test root lies in `keys`, by itself at `socket`. */
async function startJudge(socket: string, keys: string): Promise<() => Promise<void>> {
  const pcrs = await measureSimulated(ENCLAVE_DIR);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-prompt", PROGRAM, socket, keys, ...pcrs.map(toHex)],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = new LineReader(child.stdout);
  assert.equal(await output.next(), "judge: ready");
  void output.each(() => {});
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    child.kill("SIGKILL");
    await child.status;
    await child.stdin.close().catch(() => {});
  };
  return () => stopped ??= stop();
}

Deno.test("validator --judge: asks a judge that dwells elsewhere, and attests the one that replaces it", async () => {
  const dir = await Deno.makeTempDir();
  const keys = `${dir}/keys`;
  await openTestRoot(keys);
  const stops: (() => Promise<void>)[] = [];
  for (const name of ["one", "two"]) stops.push(await startJudge(`${dir}/${name}.sock`, keys));
  // Where the judge is reached: the socket of the first one, later that of the second.
  const path = `${dir}/judge.sock`;
  await Deno.symlink(`${dir}/one.sock`, path);
  const validator = startCommand("validator", [
    ...["--test-mode", "--model", "tiny", "--json", "--window-seconds", "6", "--windows", "2"],
    ...["--miners", "honest,idle", "--data-dir", dir, "--judge", `unix:${path}`],
  ]);
  try {
    const events: RunEvent[] = [];
    const stderr = new Response(validator.stderr).text();
    await new LineReader(validator.stdout).each((line) => {
      const event: RunEvent = JSON.parse(line);
      events.push(event);
      if (event.event !== "settled" || event.window !== 1) return;
      Deno.symlinkSync(`${dir}/two.sock`, `${path}.new`);
      Deno.renameSync(`${path}.new`, path);
      void stops[0]!();
    });
    assert.equal((await validator.status).code, 0, await stderr);
    assert.equal(only(events, "network")[0]?.judge, `unix:${path}`);
    const attested = only(events, "attestation");
    assert.deepEqual(attested.map(({ root }) => root), ["simulated", "simulated"]);
    assert.notEqual(attested[0]!.keyHex, attested[1]!.keyHex);
    const settled = only(events, "settled");
    assert.deepEqual(settled.map(({ window }) => window), [1, 2]);
    for (const { rows } of settled) {
      assert.deepEqual(rows.map(({ verdict }) => verdict), ["accepted", "zero"]);
    }
  } finally {
    for (const stop of stops) await stop();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("validator --judge: says where nobody answers", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const { code, stderr } = await ended(startCommand("validator", [
      ...["--test-mode", "--model", "tiny", "--json", "--window-seconds", "6", "--windows", "1"],
      ...["--miners", "idle", "--data-dir", dir, "--judge", `unix:${dir}/none.sock`],
    ]));
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: The judge cannot be reached at unix:.*none\.sock: No such file or directory/,
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
