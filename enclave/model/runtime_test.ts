import { deepEqual, equal } from "node:assert/strict";
import { TELEMETRY_OFF } from "./runtime.ts";
import { runtimeBinding } from "./runtime_path.ts";

const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
const PROGRAM = `
import { PRESETS } from ${url("./presets.ts")};
import { LossModel } from ${url("./session.ts")};
const { tiny } = PRESETS;
const model = await LossModel.create(tiny);
for (const name of ["ffi", "read", "write", "net", "env", "sys", "run", "import"]) {
  await Deno.permissions.revoke({ name });
}
let refused = "";
try {
  Deno.dlopen("/lib/libc.so.6", {});
} catch (error) {
  refused = error.name;
}
const pages = Array(tiny.batch).fill(new Uint32Array(tiny.context + 1));
const { sum } = await model.losses(new Float32Array(model.manifest.total), pages);
console.log(JSON.stringify([refused, sum / pages.length / tiny.context]));
`;

Deno.test("LossModel: loads with FFI for one file alone, and runs once that is revoked", async () => {
  const dir = await Deno.makeTempDir();
  try {
    // Beside nothing of ours: the program's own folder gives it no import map, so it is named.
    const file = `${dir}/program.ts`;
    await Deno.writeTextFile(file, PROGRAM);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--cached-only",
        "--config",
        config,
        `--allow-ffi=${runtimeBinding()}`,
        file,
      ],
      env: { [TELEMETRY_OFF]: "1", NO_COLOR: "1" },
    }).output();
    equal(success, true, new TextDecoder().decode(stderr));
    const [refused, loss] = JSON.parse(new TextDecoder().decode(stdout));
    equal(refused, "NotCapable");
    // All weights zero: every token is as likely as any other.
    deepEqual(Math.fround(loss), Math.fround(Math.log(256)));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
