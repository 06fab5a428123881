import assert from "node:assert/strict";
import { utf8 } from "../enclave/protocol/bytes.ts";
import { Refusal } from "../enclave/protocol/refusal.ts";
import { checkSbom, parseSbom } from "./sbom.ts";

const [A, B, K] = ["a", "b", "c"].map((digit) => digit.repeat(64)) as [string, string, string];

function file(name: string, sha256: string, more: Record<string, unknown> = {}) {
  return { type: "file", name, hashes: [{ alg: "SHA-256", content: sha256 }], ...more };
}

function bill(components: unknown, more: Record<string, unknown> = {}): Uint8Array {
  const root = { bomFormat: "CycloneDX", specVersion: "1.6", components, ...more };
  return utf8(JSON.stringify(root));
}

const COMPONENTS = [
  { ...file("linux", K), type: "operating-system" },
  { type: "library", name: "left", version: "1", components: [file("/lib/a", A)] },
  {
    type: "file",
    name: "b",
    hashes: [{ alg: "SHA-1", content: "00" }, { alg: "SHA-256", content: B.toUpperCase() }],
  },
];
const FILES = [{ path: "lib/a", sha256: A }, { path: "b", sha256: B }];

Deno.test("parseSbom: reads the files and the kernel, nested components too", () => {
  assert.deepEqual(parseSbom(bill(COMPONENTS)), [
    { type: "operating-system", name: "linux", sha256: K },
    { type: "file", name: "lib/a", sha256: A },
    { type: "file", name: "b", sha256: B },
  ]);
  assert.deepEqual(parseSbom(bill(undefined)), []);
});

Deno.test("parseSbom: refuses what is no bill, or names a file without its one SHA-256", () => {
  let deep: unknown = [];
  for (let i = 0; i < 40; i++) deep = [{ type: "library", name: "x", components: deep }];
  const wrong = [
    utf8("{"),
    utf8("[]"),
    new Uint8Array([0xff]),
    bill([], { bomFormat: "SPDX" }),
    bill([], { specVersion: "1.3" }),
    bill({}),
    bill([1]),
    bill([{ type: "file" }]),
    bill([{ name: "x" }]),
    bill([{ type: "file", name: "x" }]),
    bill([{ type: "file", name: "x", hashes: [1] }]),
    bill([file("x", "00")]),
    bill([file("x", A, { hashes: [...file("x", A).hashes, ...file("x", A).hashes] })]),
    bill([file("x", A), file("/x", A)]),
    bill([COMPONENTS[0], { ...file("other", K), type: "operating-system" }]),
    bill(deep),
  ];
  for (const [i, bytes] of wrong.entries()) {
    assert.throws(() => parseSbom(bytes), (error) => {
      return error instanceof Refusal && error.code === "bad_sbom";
    }, `number ${i}`);
  }
  const huge = { size: 33_554_433, read: () => assert.fail("read") };
  assert.throws(() => parseSbom(huge), { code: "too_large" });
});

Deno.test("checkSbom: names every file and the kernel that the two do not agree in", () => {
  const components = parseSbom(bill(COMPONENTS));
  assert.deepEqual(checkSbom(components, FILES, K), []);
  assert.deepEqual(checkSbom(components, FILES, A), [{ path: "kernel", problem: "sha256" }]);
  assert.deepEqual(checkSbom(components.slice(1), FILES, K), [
    { path: "kernel", problem: "unlisted" },
  ]);
  assert.deepEqual(checkSbom(components, FILES.slice(1), K), [
    { path: "lib/a", problem: "missing" },
  ]);
  assert.deepEqual(checkSbom(components, [{ path: "lib/a", sha256: B }, FILES[1]!], K), [
    { path: "lib/a", problem: "sha256" },
  ]);
  assert.deepEqual(checkSbom(components, [...FILES, { path: "c", sha256: A }], K), [
    { path: "c", problem: "unlisted" },
  ]);
  assert.notEqual(checkSbom([], [], K).length, 0);
});
