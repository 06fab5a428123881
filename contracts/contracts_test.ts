import assert from "node:assert/strict";
import { LEDGER_ERRORS } from "../enclave/protocol/errors.ts";
import { shapeOf } from "./tool/bytecode.ts";
import { build, type Built, NOT_RUN, test } from "./tool/compile.ts";
import { FrameworkUnavailable, loadFramework } from "./tool/framework.ts";
import { formatFiles, moveFiles } from "./tool/format.ts";
import { parseExploits, withoutGuard } from "./tool/guards.ts";
import { mask, moduleOf, testsIn } from "./tool/move_source.ts";
import { CONTRACTS, filesFor, readPackage } from "./tool/package.ts";
import { reason } from "./tool/results.ts";
import { SNAPSHOT, snapshotOf } from "./tool/snapshot.ts";
import { withVectors } from "./tool/vectors.ts";

/** The package's modules: no more, no less. */
const MODULES = [
  "dataset_registry",
  "enclave_registry",
  "gradient_registry",
  "hparams",
  "peer_registry",
  "reward_distributor",
  "round_state",
  "score_ledger",
  "seal_policy",
  "staking_pool",
  "training_jobs",
  "validator_registry",
  "vram_token",
];
/** A Sui package takes at most 100 KB of bytecode, a module's struct 32 fields; some room is left for upgrades. */
const PACKAGE_BYTES = 90_000;
/** What the dev ledger alone refuses with: in Move the admin's cap is an argument, and nobody else has one. */
const DEV_ONLY = ["enclave_registry::ENotAdmin = 1"];
const STRUCT_FIELDS = 32;
/** The code that every module gives to objects of another version. */
const WRONG_VERSION = 100;

const move = readPackage();

/** Without the framework's sources nothing compiles: the tests are skipped, by name; CI allows no such skip. */
const ignore = await loadFramework().then(() => false, (error) => {
  if (!(error instanceof FrameworkUnavailable)) throw error;
  console.warn(error.message);
  return true;
});

let memory: Promise<Built> | undefined;
/** The package's bytecode, built once. */
const bytecode = () => memory ??= build(move);

Deno.test(
  "contracts: every Move test passes, the shared vectors' among them",
  { ignore },
  async () => {
    const whole = withVectors(move);
    const results = await test(whole);
    // What does not run here is compiled with the rest: without it nothing would have run.
    const files = Object.values(filesFor(whole, "test"));
    const skipped = files.filter((text) => NOT_RUN.includes(moduleOf(text) ?? ""));
    assert.equal(skipped.length, NOT_RUN.length);
    const [declared, left] = [files, skipped].map((texts) => texts.flatMap(testsIn).length);
    const failed = results.filter(({ status }) => status !== "pass");
    const of = `${left} of ${NOT_RUN.join(", ")}`;
    console.log(`${results.length} Move tests, ${failed.length} failed; compiled, not run: ${of}`);
    assert.deepEqual(failed.map((result) => `${result.name}: ${reason(result)}`), []);
    assert.equal(results.length, declared! - left!);
    for (const name of MODULES) {
      assert(results.some((result) => result.name.startsWith(`${name}_`)), `${name} has no test`);
    }
  },
);

Deno.test("contracts: the sources compile without a warning", { ignore }, async () => {
  assert.equal((await bytecode()).warnings, "");
});

Deno.test("contracts: exactly the 13 modules are published", { ignore }, async () => {
  assert.deepEqual((await bytecode()).modules.map(({ name }) => name), MODULES);
});

Deno.test("contracts: bytecode stays within Sui's limits", { ignore }, async () => {
  const built = await bytecode();
  const total = built.modules.reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert(total <= PACKAGE_BYTES, `the package has ${total} bytes`);
  const wide = built.modules.flatMap(({ bytes }) => {
    const { name, structs } = shapeOf(bytes);
    return structs.filter(({ fields }) => fields.length > STRUCT_FIELDS).map(({ declaration }) =>
      `${name}: ${declaration}`
    );
  });
  assert.deepEqual(wide, []);
});

Deno.test("contracts: the digest depends on no path", { ignore }, async () => {
  const { digest } = await bytecode();
  const digests = [];
  for (const prefix of ["vramhub-a-", "vramhub-some-longer-name-"]) {
    const folder = await Deno.makeTempDir({ prefix });
    try {
      await Deno.mkdir(`${folder}/sources`);
      for (const [path, text] of Object.entries(filesFor(move, "build"))) {
        await Deno.writeTextFile(`${folder}/${path}`, text);
      }
      // Past the cache, or the second build would be the first one's answer.
      digests.push((await build(readPackage(folder), { cached: false })).digest);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  assert.deepEqual(digests, [digest, digest]);
});

Deno.test(
  "contracts: what callers rely on is as public_functions.txt says",
  { ignore },
  async () => {
    // Where a change is meant: deno run -A contracts/tool/main.ts snapshot. After the first publication only additions
    // are upgrades; a line that changes or goes is another package.
    assert.equal(snapshotOf(await bytecode()), await Deno.readTextFile(SNAPSHOT));
  },
);

Deno.test("contracts: every error code is the protocol's, and every one of the protocol's is there", () => {
  const table: string[] = [];
  for (const [module, codes] of Object.entries(LEDGER_ERRORS)) {
    for (const [name, code] of Object.entries(codes)) table.push(`${module}::${name} = ${code}`);
  }
  const declared: string[] = [];
  for (const [path, source] of Object.entries(move.sources)) {
    const module = path.slice("sources/".length, -".move".length);
    const constant = /#\[error\(code\s*=\s*(\d+)\)\]\s*const\s+(\w+)/g;
    for (const [, code, name] of mask(source).matchAll(constant)) {
      if (name === "EWrongVersion" && Number(code) === WRONG_VERSION) continue;
      declared.push(`${module}::${name} = ${code}`);
    }
  }
  const only = (of: readonly string[], others: readonly string[]) =>
    of.filter((line) => !others.includes(line)).sort();
  assert.deepEqual(
    { "only in Move": only(declared, table), "only in errors.ts": only(table, declared) },
    { "only in Move": [], "only in errors.ts": DEV_ONLY },
  );
});

Deno.test("contracts: no code stands twice in a module", () => {
  for (const [path, source] of Object.entries(move.sources)) {
    const codes = [...mask(source).matchAll(/#\[error\(code\s*=\s*(\d+)\)\]/g)].map(([, c]) => c);
    assert.equal(new Set(codes).size, codes.length, path);
  }
});

Deno.test("contracts: Move files are formatted as the prettier plugin does", async () => {
  assert.deepEqual(await formatFiles(moveFiles(CONTRACTS.pathname.replace(/\/$/, "")), true), []);
});

Deno.test("EXPLOITS.md: every guard stands once in its file, and every test exists", async () => {
  const exploits = parseExploits(await Deno.readTextFile(new URL("EXPLOITS.md", CONTRACTS)));
  assert(exploits.length > 0);
  assert.equal(new Set(exploits.map(({ id }) => id)).size, exploits.length);
  const names = new Set(
    Object.values(withVectors(move).tests).flatMap((source) =>
      testsIn(source).map((name) => `${moduleOf(source)}::${name}`)
    ),
  );
  const missing = exploits.flatMap(({ id, guard, tests }) => {
    // Throws where the text is not there exactly once.
    if (guard !== undefined) withoutGuard(move, guard);
    return tests.filter((name) => !names.has(name)).map((name) => `${id}: ${name}`);
  });
  assert.deepEqual(missing, []);
});
