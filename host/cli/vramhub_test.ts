import assert from "node:assert/strict";
import { Folder } from "../../tests/support/vramhub.ts";

async function vramhub(cwd: string, env: Record<string, string>, ...args: string[]) {
  const script = new URL("./vramhub.ts", import.meta.url).pathname;
  const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", script, ...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stderr: text(stderr), stdout: text(stdout) };
}

Deno.test("vramhub: as a process it reads ./.env, prints one result, and ends with its status", async () => {
  await using folder = await Folder.found();
  await Deno.writeTextFile(`${folder.dir}/.env`, `VRAMHUB_DATA_DIR=${folder.dir}\n`);
  const status = await vramhub(folder.dir, {}, "status", "--json");
  assert.deepEqual([status.code, status.stderr], [0, ""]);
  assert.equal(JSON.parse(status.stdout).model, "tiny");
  assert.equal(status.stdout.trim().split("\n").length, 1);
  const wrong = await vramhub(folder.dir, { VRAMHUB_LEDGER: "dve" }, "status");
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.stderr,
    /^error: Cannot use VRAMHUB_LEDGER in the environment: expected dev or sui/,
  );
  assert.equal(wrong.stdout, "");
});
