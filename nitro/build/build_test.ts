import assert from "node:assert/strict";
import {
  serveArchive,
  type SmallArchive,
  smallLock,
  smallPackage,
} from "../../tests/support/small_sources.ts";
import { compareEifs } from "../compare.ts";
import { sha256Of } from "../fetch.ts";
import { readEif } from "../eif/mod.ts";
import { type Lock, pinOf, readLock, writeLock } from "../lock.ts";
import { PCR2_OF_NOTHING } from "../pcr.ts";
import { readCpio } from "../cpio/mod.ts";
import { strangersIn } from "./strangers.ts";
import { copyTree, runIn, TWO_BUILDERS } from "../tool/clones.ts";
import { openSource } from "../tool/native.ts";
import { OUTPUTS } from "../tool/reproduce.ts";

/** Of the tree what an image is built from, and what the workspace needs to be one. */
const PARTS = [
  "deno.json",
  "deno.lock",
  "enclave",
  "attestation",
  "host",
  "miner",
  "nitro",
  "tests",
];
const [HERE] = TWO_BUILDERS;

/** A builder's folder: a copy of the tree with a cache of its own. */
class Builder {
  #built = 0;

  constructor(
    readonly folder: string,
    readonly conditions = HERE,
  ) {}

  get tree(): string {
    return `${this.folder}/tree`;
  }

  /** Build an image of `lock`; the folder of what came out. */
  async build(lock: Lock): Promise<string> {
    if (this.#built === 0) await copyTree(this.tree, PARTS);
    const out = `${this.folder}/out${this.#built++}`;
    await Deno.writeTextFile(`${out}.json`, writeLock(lock));
    const script = "tests/support/assemble.ts";
    const args = ["run", "-A", "--quiet", "--no-check", script, `${out}.json`, out];
    await runIn(this.tree, `${this.folder}/cache`, this.conditions, args);
    return out;
  }
}

async function withBuilders(
  body: (folder: string, lock: Lock, archive: SmallArchive) => Promise<void>,
): Promise<void> {
  await using archive = serveArchive();
  const folder = await Deno.makeTempDir({ prefix: "vramhub-build-" });
  try {
    await body(folder, await smallLock(readLock(), archive), archive);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function pcrsIn(out: string): Promise<string[]> {
  const { measurements: [{ pcrs }] } = JSON.parse(await Deno.readTextFile(`${out}/pcrs.json`));
  return [pcrs[0], pcrs[1], pcrs[2]];
}

/** Which of PCR0, 1 and 2 differ between two builds. */
async function moved(a: string, b: string): Promise<number[]> {
  const [first, second] = [await pcrsIn(a), await pcrsIn(b)];
  return [0, 1, 2].filter((index) => first[index] !== second[index]);
}

Deno.test("assembleImage: two builders under different paths, umasks, zones, locales, CPUs and dates agree", () =>
  withBuilders(async (folder, lock) => {
    const [first, second] = await Promise.all(
      [`${folder}/a`, `${folder}/the-second/builder`].map((folder, i) =>
        new Builder(folder, TWO_BUILDERS[i]!).build(lock)
      ),
    );
    for (const name of OUTPUTS) {
      const [a, b] = await Promise.all([first, second].map((out) => sha256Of(`${out}/${name}`)));
      assert.equal(a, b, name);
    }
    assert.notEqual((await pcrsIn(first!))[2], PCR2_OF_NOTHING);
    using eif = openSource(`${first}/${OUTPUTS[0]}`);
    const files = readEif(eif).ramdisks.map((ramdisk) => readCpio(ramdisk));
    assert.deepEqual(files.flatMap(strangersIn), []);
    assert.ok(files[1]!.some(({ path }) => path === "app/enclave/judge.ts"));
  }));

Deno.test("assembleImage: a comment in enclave/ moves PCR2 and PCR0, another Deno PCR1 and PCR0", () =>
  withBuilders(async (folder, lock, archive) => {
    const builder = new Builder(folder);
    const before = await builder.build(lock);
    const otherDeno = await smallPackage(pinOf(lock, "deno"), archive, "another");
    assert.deepEqual(await moved(before, await builder.build({ ...lock, deno: otherDeno })), [
      0,
      1,
    ]);
    const judge = `${builder.tree}/enclave/judge.ts`;
    await Deno.writeTextFile(judge, `${await Deno.readTextFile(judge)}// a comment\n`);
    const after = await builder.build(lock);
    assert.deepEqual(await moved(before, after), [0, 2]);
    using first = openSource(`${before}/${OUTPUTS[0]}`);
    using second = openSource(`${after}/${OUTPUTS[0]}`);
    assert.deepEqual(
      compareEifs(readEif(first), readEif(second)).map(({ path }) => path),
      ["app/enclave/judge.ts", "manifest/program"],
    );
  }));

Deno.test("strangersIn: finds the simulated module and tests by path or text, and nothing else", () => {
  const file = (path: string, text = "") =>
    ({ kind: "file", path, mode: 0o644, content: new TextEncoder().encode(text) }) as const;
  const bad = [
    file("app/enclave/nsm/simulated.ts"),
    file("app/enclave/main_simulated.ts"),
    file("app/enclave/judge_test.ts"),
    file("app/enclave/x_bench.ts"),
    file("app/node_modules/cbor-x/tests/test.js"),
    file("app/node_modules/x/a.spec.js"),
    file("app/node_modules/fast-check/package.json"),
    file("app/a.ts", 'Deno.test("x", () => {})'),
    file("app/a.ts", 'import fc from "fast-check";'),
    file("app/a.ts", "import assert from 'node:assert/strict';"),
    file("app/a.ts", 'await import("./simulated.ts")'),
    file("app/a.js", "export class SimulatedNsm implements Nsm {}"),
  ];
  assert.deepEqual(strangersIn(bad).map(({ path }) => path), bad.map(({ path }) => path));
  const good = [
    file("bin/deno", 'Deno.test("x")'),
    file("app/node_modules/x/package.json", '{"devDependencies":{"fast-check":"1"}}'),
    file("app/enclave/nsm/nsm.ts", "// `SimulatedNsm` in the local process"),
    file("app/enclave/latest.ts", "contest(x)"),
    { kind: "link", path: "proc/self/exe", target: "/bin/deno" } as const,
  ];
  assert.deepEqual(strangersIn(good), []);
});
