import assert from "node:assert/strict";
import { type Check, CHECKS, parseDocument, type Policy } from "../../../attestation/mod.ts";
import { reportText } from "./report.ts";
import { auditDocument, STATUS } from "./verdict.ts";

const ROOT = new URL("../../../", import.meta.url);
const README = Deno.readTextFileSync(new URL("attestation/README.md", ROOT));
/** What the README shows as printed. */
const SESSION = /^```\n(document {6}[\s\S]*?)\n```$/m.exec(README)![1]!;
const NAME = "aws-2022-10-13";

/** The genuine document, where it lies beside the checkout. */
function genuine(): Uint8Array | undefined {
  try {
    return Deno.readFileSync(new URL(`../shared/vectors/attestation/${NAME}.bin`, ROOT));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

Deno.test("attestation/README: the auditor's session is what the command prints", async () => {
  const shown = [...SESSION.matchAll(/^(\w+) +(?:pass|fail|not reached) /gm)].map(([, c]) => c);
  assert.deepEqual(shown as Check[], CHECKS);
  const document = genuine();
  if (document === undefined) return;
  const { pcrs } = parseDocument(document);
  const policy: Policy = {
    root: { kind: "aws" },
    time: { kind: "archived" },
    measurements: [{ name: NAME, pcrs: new Map([0, 1, 2].map((i) => [i, pcrs.get(i)!])) }],
    fieldBytes: 1_024,
  };
  const audit = await auditDocument(() => Promise.resolve(document), policy);
  assert.equal(SESSION, reportText(`${NAME}.bin`, policy, audit));
});

Deno.test("attestation/README: every test that it names exists", () => {
  const [, table] = /^## How verifiers elsewhere failed$([\s\S]*?)^## /m.exec(README)!;
  const named = [...table!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
  const sources = ["attestation", "tests/house"].flatMap((folder) =>
    [...Deno.readDirSync(new URL(folder, ROOT))].filter(({ name }) => name.endsWith("_test.ts"))
      .map(({ name }) => Deno.readTextFileSync(new URL(`${folder}/${name}`, ROOT)))
  ).join("\n");
  assert.equal(named.length, 10);
  assert.deepEqual(named.filter((name) => !sources.includes(`Deno.test("${name}"`)), []);
});

Deno.test("attestation/README: its table has every status", () => {
  const listed = [...README.matchAll(/^\| (\d) +\| /gm)].map(([, status]) => Number(status));
  assert.deepEqual(listed, [...new Set([...Object.values(STATUS), 2])].sort());
});
