import assert from "node:assert/strict";
import { isPortable, RULES } from "./directions.ts";
import { type Import, imports } from "./graph.ts";
import { isTest, modules, read, withoutComments } from "./sources.ts";

const edges = await imports();

for (const [name, rule] of Object.entries(RULES)) {
  Deno.test(`imports: ${name}`, () => {
    const broken = edges.flatMap((edge) => {
      const why = rule(edge);
      return why === undefined ? [] : [`${edge.from} imports ${edge.specifier}: ${why}`];
    });
    assert.deepEqual(broken, []);
  });
}

/** Names of a runtime that a browser has not. */
const RUNTIME = /(?<![.\w])(Deno|process|Buffer|require|__dirname)\s*[.([]/;

Deno.test("imports: enclave/protocol and attestation name no runtime", () => {
  const broken = modules().filter(isPortable).flatMap((path) => {
    const found = RUNTIME.exec(withoutComments(read(path)))?.[1];
    return found === undefined ? [] : [`${path} names ${found}`];
  });
  assert.deepEqual(broken, []);
});

Deno.test("imports: PID 1 and the commands reach no judge but by its path", () => {
  const broken = edges.filter(({ from, file }) =>
    !isTest(from) && !from.startsWith("enclave/") && /^enclave\/main.*\.ts$/.test(file ?? "")
  );
  assert.deepEqual(broken, []);
});

/** One import that each rule must refuse. */
const FORBIDDEN: readonly Import[] = [
  { from: "host/a.ts", specifier: "npm:left-pad", npm: "left-pad" },
  { from: "enclave/a.ts", specifier: "../attestation/b.ts", file: "attestation/b.ts" },
  { from: "miner/a.ts", specifier: "../host/cli/b.ts", file: "host/cli/b.ts" },
  { from: "enclave/main.ts", specifier: "./nsm/simulated.ts", file: "enclave/nsm/simulated.ts" },
  { from: "enclave/a.ts", specifier: "@peculiar/x509", npm: "@peculiar/x509" },
  { from: "enclave/a.ts", specifier: "openskill", npm: "openskill" },
  { from: "attestation/a.ts", specifier: "node:fs", other: "node:fs" },
  { from: "enclave/a.ts", specifier: "node:net", other: "node:net" },
];

Deno.test("imports: every rule refuses what it is there for", () => {
  const rules = Object.entries(RULES);
  assert.equal(rules.length, FORBIDDEN.length);
  for (const [i, [name, rule]] of rules.entries()) {
    assert.notEqual(rule(FORBIDDEN[i]!), undefined, name);
  }
});

Deno.test("imports: the graph sees type imports, tests and packages", () => {
  const seen = (from: string, to: string) =>
    edges.some((edge) => edge.from === from && (edge.file ?? edge.npm ?? edge.other) === to);
  assert(seen("tests/house/directions.ts", "tests/house/graph.ts"));
  assert(seen("tests/house/imports_test.ts", "node:assert/strict"));
  assert(seen("enclave/protocol/hash.ts", "@noble/hashes"));
});
