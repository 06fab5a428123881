import assert from "node:assert/strict";
import fc from "fast-check";
import { utf8 } from "../enclave/protocol/bytes.ts";
import { sha256 } from "../enclave/protocol/hash.ts";
import { Refusal } from "../enclave/protocol/refusal.ts";
import type { CpioEntry } from "./cpio/mod.ts";
import {
  checkManifest,
  encodeManifest,
  type Found,
  manifestEntries,
  parseManifest,
} from "./manifest.ts";

const ENTRIES: readonly CpioEntry[] = [
  { kind: "directory", path: "bin", mode: 0o755 },
  { kind: "link", path: "exe", target: "/bin/deno" },
  { kind: "file", path: "bin/deno", mode: 0o755, content: utf8("program") },
  { kind: "device", path: "console", mode: 0o600, major: 5, minor: 1 },
];
const MANIFEST = encodeManifest(manifestEntries(ENTRIES));
const TEXT = new TextDecoder().decode(MANIFEST);

function refusal(text: string | Uint8Array): string {
  try {
    parseManifest(typeof text === "string" ? utf8(text) : text);
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "read";
}

Deno.test("encodeManifest: is a text of files and links in the order of their paths", () => {
  const lines = TEXT.split("\n");
  assert.equal(lines[0], "vramhub/manifest/v1 2");
  assert.match(lines[1]!, /^file 0755 7 [0-9a-f]{64} bin\/deno$/);
  assert.match(lines[2]!, /^link 0777 9 [0-9a-f]{64} exe$/);
  assert.deepEqual(lines.slice(3), [""]);
});

Deno.test("encodeManifest: refuses two entries of one path, and paths of no archive", () => {
  const [entry] = manifestEntries(ENTRIES);
  assert.throws(() => encodeManifest([entry!, entry!]), RangeError);
  assert.throws(() => encodeManifest([{ ...entry!, path: "../x" }]), RangeError);
});

Deno.test("parseManifest: gives back what was written", () => {
  const path = fc.stringMatching(/^[a-z ]{1,5}$/);
  const entry = fc.record({
    kind: fc.constant("file" as const),
    path,
    mode: fc.nat(0o777),
    size: fc.nat(),
    sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  });
  fc.assert(fc.property(fc.uniqueArray(entry, { selector: ({ path }) => path }), (entries) => {
    const sorted = entries.toSorted((a, b) => a.path < b.path ? -1 : 1);
    const read = parseManifest(encodeManifest(entries));
    assert.deepEqual(
      read.map((entry) => ({ ...entry, sha256: [...entry.sha256] })),
      sorted.map((entry) => ({ ...entry, sha256: [...entry.sha256] })),
    );
  }));
});

Deno.test("parseManifest: refuses every truncation", () => {
  for (let length = 0; length < MANIFEST.length; length++) {
    assert.equal(refusal(MANIFEST.subarray(0, length)), "bad_manifest", `${length} bytes`);
  }
});

Deno.test("parseManifest: refuses what is not as it is written", () => {
  const [head, file, link] = TEXT.split("\n") as [string, string, string];
  const wrong = [
    TEXT.replace("v1 2", "v1 3"),
    TEXT.replace("v1 2", "v1 02"),
    TEXT.replace("v1", "v2"),
    `${TEXT}\n`,
    TEXT.replaceAll("\n", "\r\n"),
    [head, link, file, ""].join("\n"),
    [head, file, file, ""].join("\n"),
    TEXT.replace("0755", "755"),
    TEXT.replace("0755", "0788"),
    TEXT.replace("0755", "4755"),
    TEXT.replace("0777", "0755"),
    TEXT.replace("0755 7 ", "0755 07 "),
    TEXT.replace("0755 7 ", "0755 -7 "),
    TEXT.replace("file", "dir"),
    TEXT.replace("bin/deno", "/bin/deno"),
    TEXT.replace("bin/deno", "bin/../deno"),
    TEXT.replace("bin/deno", "bin/dén"),
    TEXT.replace(/[0-9a-f]{64}/, (hash) => hash.slice(1)),
    TEXT.replace(/[0-9a-f]{64}/, (hash) => "A" + hash.slice(1)),
  ];
  for (const [i, text] of wrong.entries()) assert.equal(refusal(text), "bad_manifest", `${i}`);
  const huge = { size: 16_777_217, read: () => assert.fail("read") };
  assert.throws(() => parseManifest(huge), { code: "too_large" });
});

Deno.test("checkManifest: names what is missing or another, and hashes only what can be right", () => {
  const right: Found = {
    kind: "file",
    mode: 0o755,
    size: 7,
    sha256: () => sha256(utf8("program")),
  };
  const never = { sha256: () => assert.fail("hashed") };
  const cases: readonly (readonly [Found | undefined, string | undefined])[] = [
    [right, undefined],
    [undefined, "missing"],
    [{ ...right, ...never, kind: "link" }, "kind"],
    [{ ...right, ...never, kind: "other" }, "kind"],
    [{ ...right, ...never, mode: 0o644 }, "mode"],
    [{ ...right, ...never, size: 6 }, "size"],
    [{ ...right, sha256: () => sha256(utf8("Program")) }, "sha256"],
  ];
  const link: Found = { kind: "link", mode: 0, size: 9, sha256: () => sha256(utf8("/bin/deno")) };
  for (const [found, problem] of cases) {
    assert.deepEqual(
      checkManifest(parseManifest(MANIFEST), (path) => path === "exe" ? link : found),
      problem === undefined ? [] : [{ path: "bin/deno", problem }],
    );
  }
});
