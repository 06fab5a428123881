import assert from "node:assert/strict";
import { files, read } from "../house/sources.ts";

const FOLDER = "tests/adversary/";
const TABLE = read(`${FOLDER}README.md`);

/** Names of the tests in a file; one whose name is a template stands for each key of the file's records. */
function testNames(text: string): string[] {
  const keys = [...text.matchAll(/^ {2}"([^"]+)":/gm)].map(([, key]) => key!);
  return [...text.matchAll(/Deno\.test\(\s*(["`])(.+?)\1,/g)].flatMap(([, quote, name]) =>
    quote === "`" ? keys.map((key) => name!.replace(/\$\{\w+\}/, () => key)) : [name!]
  );
}

/** Names of tests in the table's last columns. */
function named(table: string): string[] {
  return table.split("\n").filter((line) => line.startsWith("| "))
    .flatMap((line) => [...line.split(" | ").at(-1)!.matchAll(/`([^`]+)`/g)])
    .map(([, name]) => name!);
}

const tests = files().filter((path) => path.endsWith("_test.ts"));

Deno.test("README: every test of the adversary suite stands in its table, once", () => {
  const own = tests.filter((path) => path.startsWith(FOLDER) && !path.endsWith("table_test.ts"))
    .flatMap((path) => testNames(read(path)));
  assert.ok(own.length > 80, `${own.length} tests were found`);
  const listed = named(TABLE);
  assert.deepEqual(own.filter((name) => !listed.includes(name)), []);
  assert.equal(new Set(listed).size, listed.length, "a test stands there twice");
});

Deno.test("README: every test in its table exists", () => {
  const all = new Set(tests.flatMap((path) => testNames(read(path))));
  assert.deepEqual(named(TABLE).filter((name) => !all.has(name)), []);
});

Deno.test("README: every file in its table exists", () => {
  const paths = [...TABLE.matchAll(/`((?:enclave|attestation|host)\/[\w./]*)`/g)]
    .map(([, path]) => path!);
  const known = files();
  assert.deepEqual(paths.filter((path) => !known.some((file) => file.startsWith(path))), []);
});
