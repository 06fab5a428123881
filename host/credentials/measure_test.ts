import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { measureSimulated } from "./measure.ts";

/** Runs in a folder with `enclave/` (two sources, a test, a text) and `deno` (a stand-in executable). */
async function inFixture(run: (enclave: string, executable: string) => Promise<void>) {
  const dir = await Deno.makeTempDir();
  try {
    const enclave = join(dir, "enclave");
    await Deno.mkdir(join(enclave, "b"), { recursive: true });
    await Deno.writeTextFile(join(enclave, "b", "x.ts"), "one");
    await Deno.writeTextFile(join(enclave, "b.ts"), "two");
    await Deno.writeTextFile(join(enclave, "b_test.ts"), "test");
    await Deno.writeTextFile(join(enclave, "README.md"), "text");
    await Deno.writeTextFile(join(dir, "deno"), "executable");
    await run(enclave, join(dir, "deno"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const sha384 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash("sha384");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};
const prefixed = (text: string) => `${String.fromCharCode(text.length)}${"\0".repeat(7)}${text}`;

Deno.test("measureSimulated: is the documented digest of runtime and sources", async () => {
  await inFixture(async (enclave, executable) => {
    const versions = { v8: "14", deno: "2" };
    const [pcr0, pcr1, pcr2] = await measureSimulated(enclave, { executable, versions });
    const runtime = ["deno", "2", "v8", "14"].map(prefixed).join("");
    const expected1 = sha384("vramhub/simulated-pcr1/v1", runtime, sha384("executable"));
    // "b.ts" sorts before "b/x.ts": 2e before 2f.
    const sources = ["b.ts", "two", "b/x.ts", "one"].map(prefixed).join("");
    const expected2 = sha384("vramhub/simulated-pcr2/v1", sources);
    assert.deepEqual([pcr1, pcr2], [expected1, expected2]);
    assert.deepEqual(pcr0, sha384("vramhub/simulated-pcr0/v1", pcr1, pcr2));
  });
});

Deno.test("measureSimulated: sources move PCR0 and PCR2, the runtime PCR0 and PCR1, tests nothing", async () => {
  await inFixture(async (enclave, executable) => {
    const measure = async (deno = "2") =>
      (await measureSimulated(enclave, { executable, versions: { deno } })).map(toHex);
    const first = await measure();
    await Deno.writeTextFile(join(enclave, "b_test.ts"), "changed");
    await Deno.writeTextFile(join(enclave, "b_bench.ts"), "new");
    assert.deepEqual(await measure(), first);
    const moved = (now: string[]) => now.map((pcr, i) => pcr !== first[i]);
    assert.deepEqual(moved(await measure("3")), [true, true, false]);
    await Deno.writeTextFile(join(enclave, "b", "x.ts"), "oneone");
    assert.deepEqual(moved(await measure()), [true, false, true]);
    await Deno.writeTextFile(join(enclave, "b", "x.ts"), "one");
    assert.deepEqual(await measure(), first);
    await Deno.rename(join(enclave, "b.ts"), join(enclave, "c.ts"));
    assert.deepEqual(moved(await measure()), [true, false, true]);
    await Deno.writeTextFile(executable, "another");
    assert.deepEqual(moved(await measure()), [true, true, true]);
  });
});

Deno.test("measureSimulated: refuses symbolic links, giant files and folders without sources", async () => {
  await inFixture(async (enclave, executable) => {
    await Deno.symlink(join(enclave, "b.ts"), join(enclave, "link.ts"));
    await assert.rejects(measureSimulated(enclave, { executable }), /symbolic link/);
    await Deno.remove(join(enclave, "link.ts"));
    await Deno.writeFile(join(enclave, "giant.ts"), new Uint8Array(1_048_577));
    await assert.rejects(measureSimulated(enclave, { executable }), /more than/);
    const empty = join(enclave, "empty");
    await Deno.mkdir(empty);
    await assert.rejects(measureSimulated(empty, { executable }), /no source/);
  });
});

Deno.test("measureSimulated: measures this runtime and this judge", async () => {
  const enclave = new URL("../../enclave", import.meta.url).pathname;
  const pcrs = await measureSimulated(enclave);
  assert.deepEqual(pcrs.map((pcr) => pcr.length), [48, 48, 48]);
  assert.equal(new Set(pcrs.map(toHex)).size, 3);
});
