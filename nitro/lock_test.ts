import assert from "node:assert/strict";
import { INIT, packagesOf, PROGRAM } from "./build/ramdisk.ts";
import { BARRED } from "./build/strangers.ts";
import { moduleGraph } from "./build/graph.ts";
import { keeps, readLock } from "./lock.ts";

const read = (path: string) => JSON.parse(Deno.readTextFileSync(new URL(path, import.meta.url)));

Deno.test("readLock: npm packages of the image are those of deno.lock, byte for byte", () => {
  const { npm } = read("../deno.lock");
  const pins = Object.values(readLock()).filter(({ kind }) => kind === "npm");
  for (const pin of pins.filter(({ name }) => !name.startsWith("@deno/"))) {
    assert.equal(pin.integrity, npm[`${pin.name}@${pin.version}`]?.integrity, pin.name);
  }
});

Deno.test("readLock: every image source has an origin, and Debian's also the archive of record", () => {
  for (const [name, pin] of Object.entries(readLock())) {
    for (const url of pin.urls) assert.match(url, /^https?:\/\/[a-z.]+\/[\w@./+~-]+$/, name);
    if (pin.kind === "deb") assert.match(pin.urls.at(-1)!, /^https:\/\/snapshot\.debian\.org\//);
  }
});

Deno.test("readLock: a pin without a hash is refused by its name", () => {
  const pin = { ...Object.values(readLock())[0], sha256: "" };
  assert.throws(
    () => readLock(JSON.stringify({ version: 1, sources: { somebody: pin } })),
    /'somebody' is not whole/,
  );
  assert.throws(() => readLock(JSON.stringify({ version: 2, sources: {} })), /version is 2/);
});

Deno.test("keeps: a star stands for no slash", () => {
  const pin = { ...Object.values(readLock())[0]!, keep: ["a/*.js"] };
  assert.deepEqual(["a/b.js", "a/b/c.js", "a/bxjs", "b.js"].map((path) => keeps(pin, path)), [
    true,
    false,
    false,
    false,
  ]);
});

Deno.test("packagesOf: what the judge and PID 1 import is pinned, with what it loads", async () => {
  const lock = readLock();
  const names = async (entry: string) =>
    packagesOf(lock, (await moduleGraph(entry)).packages).map(({ name }) => name).sort();
  assert.deepEqual(await names(INIT), ["@noble/hashes"]);
  assert.deepEqual(await names(PROGRAM), [
    "@noble/curves",
    "@noble/ed25519",
    "@noble/hashes",
    "cbor-x",
    "onnxruntime-common",
    "onnxruntime-node",
  ]);
  assert.throws(() => packagesOf(lock, ["left-pad@1.0.0"]), /does not pin npm:left-pad@1\.0\.0/);
});

Deno.test("moduleGraph: the image holds no simulated module, test or bench", async () => {
  const { modules } = await moduleGraph(PROGRAM);
  assert.ok(modules.includes("enclave/judge.ts"));
  assert.deepEqual(modules.filter((module) => BARRED.test(module)), []);
  assert.ok(BARRED.test("enclave/nsm/simulated.ts") && BARRED.test("enclave/judge_test.ts"));
});
