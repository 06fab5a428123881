import assert from "node:assert/strict";
import { CompileError, test } from "./compile.ts";
import { Compiler, DeadlinePassed } from "./compiler.ts";
import { FrameworkUnavailable, loadFramework } from "./framework.ts";
import { extend, filesFor, type MovePackage, only } from "./package.ts";

/** Without the framework's sources nothing compiles: the tests are skipped, by name; CI allows no such skip. */
const framework = await loadFramework().catch((error) => {
  if (!(error instanceof FrameworkUnavailable)) throw error;
  console.warn(error.message);
});
const ignore = framework === undefined;

/** A package of two modules that know each other, one that knows neither, and a test that needs the overlay. */
const move: MovePackage = {
  manifest: '[package]\nname = "vramhub"\nedition = "2024"\n[addresses]\nvramhub = "0x0"\n',
  sources: {
    "sources/a.move": 'module vramhub::a;\n#[error(code = 1)]\nconst EBig: vector<u8> = b"Big";\n' +
      "public fun f(x: u64): u64 { assert!(x < 5, EBig); vramhub::b::g(x) }\n",
    "sources/b.move": "module vramhub::b;\npublic fun g(x: u64): u64 { x + 1 }\n",
    "sources/c.move": "module vramhub::c;\npublic fun broken(): u64 { nonsense }\n",
  },
  tests: {
    "tests/a_tests.move": "#[test_only]\nmodule vramhub::a_tests;\n" +
      "#[test]\nfun passes() { assert!(vramhub::a::f(1) == 2); }\n" +
      "#[test]\nfun fails() { vramhub::a::f(5); }\n",
    "tests/overlay/a_document_tests.move":
      "#[test_only]\nmodule vramhub::a_document_tests;\nuse sui::nitro_attestation as na;\n" +
      '#[test]\nfun overlay() { assert!(na::index(&na::pcr_for_testing(3, b"x")) == 3); }\n',
  },
  extensions: {
    nitro_attestation: "#[test_only]\nextend module sui::nitro_attestation;\n\n" +
      "public fun pcr_for_testing(index: u8, value: vector<u8>): PCREntry { PCREntry { index, value } }\n",
  },
};

Deno.test(
  "only, test: a module with what it imports, past others that do not compile",
  { ignore },
  async () => {
    const part = only(move, ["a"]);
    assert.deepEqual(Object.keys(part.sources), ["sources/a.move", "sources/b.move"]);
    const results = await test(part);
    assert.deepEqual(results.map(({ name, status, abort }) => [name, status, abort]), [
      ["a_document_tests::overlay", "pass", undefined],
      ["a_tests::fails", "fail", "EBig"],
      ["a_tests::passes", "pass", undefined],
    ]);
    assert.deepEqual((await test(part, { filter: "tests::passes" })).map(({ name }) => name), [
      "a_tests::passes",
    ]);
  },
);

Deno.test("only: refuses a module that the package has not", () => {
  assert.throws(() => only(move, ["nothing"]), RangeError);
});

Deno.test("test: an error of the compiler names file and line", { ignore }, async () => {
  await assert.rejects(test(move), (error: Error) => {
    assert(error instanceof CompileError);
    assert.match(error.message, /sources\/c\.move:2:28/);
    return true;
  });
});

Deno.test("extend: members of an extension are for tests alone, so bytecode is the same", {
  ignore,
}, async () => {
  await using plain = new Compiler(framework!);
  await using extended = new Compiler(extend(framework!, move.extensions));
  const files = filesFor(only(move, ["a"]), "build");
  const job = { kind: "build", files } as const;
  assert.deepEqual(await plain.run(job, 60_000), await extended.run(job, 60_000));
});

Deno.test("Compiler: a job past its deadline ends with its process, and the next one runs", {
  ignore,
}, async () => {
  await using compiler = new Compiler(framework!);
  const endless = "module vramhub::a;\n#[test]\nfun endless() { loop {} }\n";
  const files = (text: string) => ({ "Move.toml": move.manifest, "sources/a.move": text });
  await assert.rejects(
    compiler.run({ kind: "test", files: files(endless) }, 3_000),
    DeadlinePassed,
  );
  const answer = await compiler.run(
    { kind: "test", files: files("module vramhub::a;\n#[test]\nfun ends() {}\n") },
    60_000,
  );
  assert.equal(answer.kind, "tested");
});
