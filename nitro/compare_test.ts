import assert from "node:assert/strict";
import { concat, utf8 } from "../enclave/protocol/bytes.ts";
import { compareEifs, type Difference, movedPcrs, suspects } from "./compare.ts";
import { contentsOf, overlaps } from "./contents.ts";
import { type CpioEntry, encodeCpio } from "./cpio/mod.ts";
import { type Eif, encodeEif, readEif } from "./eif/mod.ts";
import { encodeManifest, manifestEntries } from "./manifest.ts";

const FILES: readonly CpioEntry[] = [
  { kind: "directory", path: "bin", mode: 0o755 },
  { kind: "file", path: "bin/deno", mode: 0o755, content: utf8("program") },
  { kind: "link", path: "exe", target: "/bin/deno" },
  { kind: "device", path: "tty", mode: 0o600, major: 5, minor: 0 },
];

function cpio(...entries: readonly CpioEntry[]): Uint8Array {
  return concat(...encodeCpio(entries));
}

/** An image of two ramdisks; `change` replaces parts of it. */
function image(change: {
  kernel?: string;
  cmdline?: string;
  metadata?: string;
  ramdisks?: readonly Uint8Array[];
} = {}): Eif {
  const { kernel = "kernel", cmdline = "a=b", metadata = "{}", ramdisks } = change;
  return readEif(concat(...encodeEif({
    kernel: utf8(kernel),
    cmdline,
    metadata: utf8(metadata),
    ramdisks: ramdisks ?? [cpio(...FILES), cpio()],
  })));
}

/** The differences after `entries` took the place of the first ramdisk's. */
function moved(entries: readonly CpioEntry[]): Difference[] {
  return compareEifs(image(), image({ ramdisks: [cpio(...entries), cpio()] }));
}

Deno.test("compareEifs: finds nothing between equal images", () => {
  assert.deepEqual(compareEifs(image(), image()), []);
});

Deno.test("compareEifs: names the section that differs", () => {
  const other = image({ kernel: "other one", cmdline: "a=c", metadata: '{"a":1}' });
  assert.deepEqual(compareEifs(image(), other), [
    { section: "kernel", change: "content", first: "6 bytes", second: "9 bytes" },
    { section: "cmdline", change: "content", first: "a=b", second: "a=c" },
    { section: "metadata", change: "content", first: "{}", second: '{"a":1}' },
  ]);
});

Deno.test("compareEifs: names the file of a ramdisk that differs", () => {
  const [bin, deno, exe, tty] = FILES as [CpioEntry, CpioEntry, CpioEntry, CpioEntry];
  const cases: readonly (readonly [readonly CpioEntry[], string, Difference["change"]])[] = [
    [[bin, { ...deno, content: utf8("Program") } as CpioEntry, exe, tty], "bin/deno", "content"],
    [[bin, { ...deno, mode: 0o555 } as CpioEntry, exe, tty], "bin/deno", "mode"],
    [[{ ...bin, mode: 0o700 } as CpioEntry, deno, exe, tty], "bin", "mode"],
    [[bin, deno, { ...exe, target: "/bin/den0" } as CpioEntry, tty], "exe", "target"],
    [[bin, deno, exe, { ...tty, minor: 1 } as CpioEntry], "tty", "target"],
    [[bin, deno, { kind: "directory", path: "exe", mode: 0o755 }, tty], "exe", "kind"],
    [[bin, deno, tty], "exe", "missing"],
    [[...FILES, { kind: "directory", path: "new", mode: 0o755 }], "new", "added"],
  ];
  for (const [entries, path, change] of cases) {
    const found = moved(entries);
    assert.deepEqual(
      found.map(({ section, path, change }) => [section, path, change]),
      [["ramdisk 0", path, change]],
    );
  }
  const [only] = moved([bin, { ...deno, mode: 0o555 } as CpioEntry, exe, tty]);
  assert.deepEqual([only!.first, only!.second], ["0755", "0555"]);
});

Deno.test("compareEifs: compares a ramdisk as a whole where it is no archive", () => {
  const other = image({ ramdisks: [cpio(...FILES), utf8("gzip")] });
  assert.deepEqual(compareEifs(image(), other), [
    { section: "ramdisk 1", change: "content", first: "512 bytes", second: "4 bytes" },
  ]);
});

Deno.test("compareEifs: names a ramdisk that only one image has, and headers", () => {
  const one = image({ ramdisks: [cpio(...FILES)] });
  assert.deepEqual(compareEifs(one, image()), [
    { section: "ramdisk 1", change: "added", second: "512 bytes" },
  ]);
  assert.deepEqual(compareEifs(image(), one).map(({ change }) => change), ["missing"]);
  const arm: Eif = { ...image(), architecture: "aarch64", defaultCpus: 4n, defaultMemory: 1n };
  assert.deepEqual(
    compareEifs(image(), arm).map(({ section, change }) => `${section} ${change}`),
    ["header architecture", "header memory", "header cpus"],
  );
});

Deno.test("suspects: is what the PCRs of each section's change leave as possible", () => {
  for (const section of ["kernel", "cmdline", "ramdisk 0"]) {
    assert.deepEqual(movedPcrs(section), [0, 1]);
    assert(suspects(movedPcrs(section)).includes(section));
  }
  assert.deepEqual(movedPcrs("ramdisk 1"), [0, 2]);
  assert.deepEqual(suspects([0, 2]), ["ramdisk 1 and up"]);
  assert.deepEqual(suspects([0, 1, 2]).length, 4);
  for (const section of ["metadata", "header", "signature"]) {
    assert.deepEqual(movedPcrs(section), []);
  }
  for (const none of [[], [0], [1], [2], [1, 2]]) assert.deepEqual(suspects(none), []);
});

Deno.test("contentsOf: lists a ramdisk, and holds its manifest against it", () => {
  const manifest = encodeManifest(manifestEntries(FILES));
  const withManifest = (content: Uint8Array, ...others: readonly CpioEntry[]) =>
    contentsOf(cpio(
      ...FILES,
      { kind: "directory", path: "manifest", mode: 0o755 },
      { kind: "file", path: "manifest/platform", mode: 0o644, content },
      ...others,
    ));
  const { entries, manifest: check } = withManifest(manifest);
  assert.deepEqual(check, { path: "manifest/platform", problems: [] });
  assert.deepEqual(entries.map(({ kind, path }) => `${kind} ${path}`), [
    "directory bin",
    "file bin/deno",
    "link exe",
    "directory manifest",
    "file manifest/platform",
    "device tty",
  ]);
  const extra: CpioEntry = { kind: "file", path: "x", mode: 0o644, content: utf8("x") };
  assert.deepEqual(withManifest(manifest, extra).manifest.problems, [
    { path: "x", problem: "unlisted" },
  ]);
  const more = encodeManifest(manifestEntries([...FILES, extra]));
  assert.deepEqual(withManifest(more).manifest.problems, [{ path: "x", problem: "missing" }]);
  assert.throws(() => withManifest(utf8("x")), { code: "bad_manifest" });
  const second: CpioEntry = { kind: "file", path: "manifest/x", mode: 0o644, content: manifest };
  assert.equal(withManifest(manifest, second).manifest.path, undefined);
  assert.equal(contentsOf(cpio(...FILES)).manifest.path, undefined);
});

Deno.test("overlaps: names what one ramdisk unpacks over another's, directories apart", () => {
  const bin: CpioEntry = { kind: "directory", path: "bin", mode: 0o755 };
  const file: CpioEntry = { kind: "file", path: "bin/deno", mode: 0o755, content: utf8("evil") };
  const first = contentsOf(cpio(...FILES));
  assert.deepEqual(overlaps([first, contentsOf(cpio(bin))]), []);
  assert.deepEqual(overlaps([first, contentsOf(cpio(bin, file))]), ["bin/deno"]);
  const flat: CpioEntry = { kind: "file", path: "bin", mode: 0o755, content: utf8("x") };
  assert.deepEqual(overlaps([first, contentsOf(cpio(flat))]), ["bin"]);
});
