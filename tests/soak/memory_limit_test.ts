import assert from "node:assert/strict";
import { limitMemory } from "./memory_limit.ts";

const MIB = 2 ** 20;

/** Takes 64 MiB for each line of standard input, and says how often it did. */
const EATER = `
  const kept = [];
  const line = new Uint8Array(16);
  while (Deno.stdin.readSync(line) !== null) {
    kept.push(new Uint8Array(${64 * MIB}).fill(1));
    console.log(kept.length);
  }
`;

Deno.test("limitMemory: ends a process that takes more, where control groups may be made", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", EATER],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = child.stdin.getWriter();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const more = async () => {
    await input.write(new Uint8Array([10]));
    return (await output.read()).value;
  };
  assert.match((await more())!, /^1\n/);
  using limit = await limitMemory(child.pid, 512 * MIB);
  let reached = 1;
  for (; reached < 16; reached++) if (await more().catch(() => undefined) === undefined) break;
  await input.close().catch(() => {});
  await output.cancel();
  const { signal, success } = await child.status;
  if (limit === undefined) assert.ok(success);
  else {assert.deepEqual({ signal, some: reached > 2, few: reached < 8 }, {
      signal: "SIGKILL",
      some: true,
      few: true,
    });}
});
