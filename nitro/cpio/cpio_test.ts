import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat, toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { CHUNK_BYTES, wholeOf } from "../source.ts";
import { type CpioEntry, cpioSize, encodeCpio, readCpio, withDirectories } from "./mod.ts";

const ENTRIES: readonly CpioEntry[] = [
  { kind: "file", path: "bin/a", mode: 0o755, content: utf8("12345") },
  { kind: "directory", path: "bin", mode: 0o755 },
  { kind: "link", path: "bin/b", target: "/bin/a" },
  { kind: "directory", path: "dev", mode: 0o755 },
  { kind: "device", path: "dev/console", mode: 0o600, major: 5, minor: 1 },
  { kind: "file", path: "empty", mode: 0o644, content: new Uint8Array() },
  { kind: "directory", path: "tmp", mode: 0o1777 },
];
const SMALL = concat(...encodeCpio(ENTRIES));

/** An entry as hexadecimal or text, for a comparison that reads well. */
function plain(entry: CpioEntry) {
  return entry.kind === "file"
    ? { ...entry, content: toHex(wholeOf(entry.content, 1_000, "file")) }
    : { ...entry };
}

function code(bytes: Uint8Array): string {
  try {
    readCpio(bytes);
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "read";
}

/** A header with `fields` at their positions, and its name, unpadded. */
function header(name: string, fields: Record<number, string> = {}): string {
  const values = Array.from({ length: 13 }, (_, i) => fields[i] ?? "00000000");
  values[11] = (name.length + 1).toString(16).toUpperCase().padStart(8, "0");
  return `070701${values.join("")}${name}\0`;
}

const TRAILER = header("TRAILER!!!", { 4: "00000001" });
const FILE = { 0: "00000001", 1: "000081A4", 4: "00000001" };

/** Texts, each filled up to 4 bytes, and all to 512. */
function archive(...texts: string[]): Bytes {
  const padded = texts.map((text) => text.padEnd(Math.ceil(text.length / 4) * 4, "\0")).join("");
  return utf8(padded.padEnd(Math.ceil(padded.length / 512) * 512, "\0"));
}

Deno.test("encodeCpio: lays an archive out as the kernel's documentation says", () => {
  const content = { kind: "file", path: "a", mode: 0o644, content: utf8("x") } as const;
  const expected = archive(header("a", { ...FILE, 6: "00000001" }), "x", TRAILER);
  assert.equal(toHex(concat(...encodeCpio([content]))), toHex(expected));
});

Deno.test("encodeCpio: the order of the entries changes nothing", () => {
  fc.assert(fc.property(fc.shuffledSubarray([...ENTRIES], { minLength: 7 }), (entries) => {
    assert.deepEqual(concat(...encodeCpio(entries)), SMALL);
  }));
  assert.equal(cpioSize(ENTRIES), SMALL.length);
});

Deno.test("encodeCpio: never yields a content whole that is larger than a piece", () => {
  const size = 3 * CHUNK_BYTES + 1;
  const content = { size, read: (_: number, length: number) => new Uint8Array(length) };
  const pieces = [...encodeCpio([{ kind: "file", path: "a", mode: 0o644, content }])];
  assert(pieces.every((piece) => piece.length <= CHUNK_BYTES));
  const written = pieces.reduce((sum, piece) => sum + piece.length, 0);
  assert.equal(
    written,
    4 * Math.ceil((112 + size) / 4) + 124 + (512 - (112 + size + 3 + 124) % 512),
  );
});

Deno.test("encodeCpio: refuses what an archive cannot have", () => {
  const file = (path: string, mode = 0o644): CpioEntry => ({
    kind: "file",
    path,
    mode,
    content: utf8("x"),
  });
  const device = { kind: "device", path: "c", mode: 0o600 } as const;
  const wrong: readonly (readonly CpioEntry[])[] = [
    [file("")],
    [file("/a")],
    [file("a/")],
    [file(".")],
    [file("..")],
    [file("a//b")],
    [file("é")],
    [file("a\n")],
    [file("TRAILER!!!")],
    [file("x".repeat(1_025))],
    [file("a", 0o4755)],
    [file("a", -1)],
    [file("a", 0.5)],
    [file("a"), file("a")],
    [file("a"), file("a/b")],
    [file("a/b")],
    [{ kind: "link", path: "a", target: "b" }, file("a/b")],
    [{ kind: "link", path: "a", target: "" }],
    [{ kind: "link", path: "a", target: "x".repeat(1_025) }],
    [{ kind: "directory", path: "a", mode: 0o2755 }],
    [{ ...device, major: 4_096, minor: 0 }],
    [{ ...device, major: 0, minor: 1_048_576 }],
    [{ kind: "file", path: "a", mode: 0, content: { size: 2 ** 32, read: () => utf8("") } }],
  ];
  for (const [i, entries] of wrong.entries()) {
    assert.throws(() => [...encodeCpio(entries)], RangeError, `number ${i}`);
  }
});

Deno.test("withDirectories: adds what is missing, once, and keeps what is there", () => {
  const file = { kind: "file", path: "a/b/c", mode: 0o644, content: utf8("x") } as const;
  const own = { kind: "directory", path: "a", mode: 0o700 } as const;
  assert.deepEqual(withDirectories([file, own, { ...file, path: "a/b/d" }]).slice(3), [
    { kind: "directory", path: "a/b", mode: 0o755 },
  ]);
});

Deno.test("readCpio: gives back what encodeCpio was given", () => {
  const name = fc.stringMatching(/^[a-z .@-]{1,4}$/).filter((name) => !/^\.\.?$/.test(name));
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
  const mode = fc.nat(0o777);
  const entry: fc.Arbitrary<CpioEntry> = fc.oneof(
    fc.record({
      kind: fc.constant("file" as const),
      path,
      mode,
      content: fc.uint8Array({ maxLength: 40 }),
    }),
    fc.record({
      kind: fc.constant("link" as const),
      path,
      target: fc.stringMatching(/^[ -~]{1,9}$/),
    }),
    fc.record({
      kind: fc.constant("device" as const),
      path,
      mode,
      major: fc.nat(4_095),
      minor: fc.nat(1_048_575),
    }),
  );
  fc.assert(fc.property(fc.uniqueArray(entry, { selector: ({ path }) => path }), (some) => {
    // What lies in another that is no directory cannot be archived.
    const paths = new Set(some.map(({ path }) => path));
    const entries = withDirectories(
      some.filter(({ path }) =>
        !path.split("/").some((_, i, names) => i > 0 && paths.has(names.slice(0, i).join("/")))
      ),
    );
    const bytes = concat(...encodeCpio(entries));
    const sorted = entries.toSorted((a, b) => a.path < b.path ? -1 : 1);
    assert.deepEqual(readCpio(bytes).map(plain), sorted.map(plain));
    assert.equal(bytes.length, cpioSize(entries));
    assert.equal(bytes.length % 512, 0);
  }));
});

Deno.test("readCpio: refuses every truncation and every extension", () => {
  for (let length = 0; length < SMALL.length; length++) {
    assert.equal(code(SMALL.subarray(0, length)), "truncated", `${length} bytes`);
  }
  assert.equal(code(concat(SMALL, new Uint8Array(512))), "trailing_bytes");
  assert.equal(code(concat(SMALL, SMALL)), "trailing_bytes");
});

Deno.test("readCpio: reads just what encodeCpio writes, whatever byte is changed", () => {
  const at = fc.nat(SMALL.length - 1);
  fc.assert(
    fc.property(at, fc.nat(255), (at, value) => {
      const bytes = SMALL.slice();
      bytes[at] = value;
      if (code(bytes) === "read") {
        assert.deepEqual(concat(...encodeCpio(readCpio(bytes))), bytes);
      }
    }),
    { numRuns: 3_000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
    assert.notEqual(code(bytes), "read");
  }));
});

Deno.test("readCpio: every rule has an archive that breaks it alone", () => {
  const a = header("a", FILE);
  const broken: readonly (readonly [code: string, bytes: Bytes])[] = [
    ["read", archive(TRAILER)],
    ["read", archive(a, TRAILER)],
    ["not_a_cpio", archive(a.replace("070701", "070702"), TRAILER)],
    ["not_a_cpio", utf8("gzip".padEnd(512, "x"))],
    ["bad_header", archive(header("a", { ...FILE, 1: "000081a4" }), TRAILER)],
    ["bad_header", archive(header("a", { ...FILE, 1: "0000 1A4" }), TRAILER)],
    ["bad_header", archive(header("a", { ...FILE, 0: "00000002" }), TRAILER)],
    ...[2, 3, 5, 7, 8, 9, 10, 12].map((field) =>
      ["bad_header", archive(header("a", { ...FILE, [field]: "00000001" }), TRAILER)] as const
    ),
    ["bad_header", archive(header("a", { ...FILE, 4: "00000002" }), TRAILER)],
    ["bad_header", archive(header("", FILE), TRAILER)],
    ["bad_header", archive(header("x".repeat(1_025), FILE), TRAILER)],
    ["bad_header", archive(header("a\0b", FILE), TRAILER)],
    ["bad_entry", archive(header("a/b", FILE), TRAILER)],
    ["bad_entry", archive(header("/a", FILE), TRAILER)],
    ["bad_entry", archive(header("..", FILE), TRAILER)],
    ["bad_entry", archive(header("\x01", FILE), TRAILER)],
    ["bad_entry", archive(header("b", FILE), header("a", { ...FILE, 0: "00000002" }), TRAILER)],
    ["bad_entry", archive(a, header("a", { ...FILE, 0: "00000002" }), TRAILER)],
    // setuid; a socket; a block device; a link without a target; another mode of a link
    ["bad_entry", archive(header("a", { ...FILE, 1: "000089ED" }), TRAILER)],
    ["bad_entry", archive(header("a", { ...FILE, 1: "0000C1A4" }), TRAILER)],
    ["bad_entry", archive(header("a", { ...FILE, 1: "000061A4" }), TRAILER)],
    ["bad_entry", archive(header("a", { ...FILE, 1: "0000A1FF" }), TRAILER)],
    ["bad_header", archive(header("a", { ...FILE, 1: "0000A1A4", 6: "00000001" }), "x", TRAILER)],
    [
      "bad_entry",
      archive(header("a", { ...FILE, 1: "0000A1FF", 6: "00000401" }), "x".repeat(1_025), TRAILER),
    ],
    // A directory with a content.
    [
      "bad_header",
      archive(header("a", { ...FILE, 1: "000041ED", 4: "00000002", 6: "00000001" }), "x", TRAILER),
    ],
    ["truncated", archive(header("a", { ...FILE, 6: "FFFFFFFF" }), TRAILER)],
    ["bad_padding", archive(header("a", { ...FILE, 6: "00000001" }), "xy", TRAILER)],
    ["bad_padding", archive(TRAILER, "x")],
    ["bad_header", archive(header("TRAILER!!!", { 4: "00000001", 6: "00000001" }), "x")],
    ["not_a_cpio", archive(a)],
  ];
  for (const [i, [wanted, bytes]] of broken.entries()) {
    assert.equal(code(bytes), wanted, `number ${i}`);
  }
  assert.throws(
    () => readCpio({ size: 2_147_483_649, read: () => assert.fail("read") }),
    { code: "too_large" },
  );
});
