import assert from "node:assert/strict";
import { type ApprovedSet, parseMeasurements } from "../../../attestation/mod.ts";
import { concat, toHex, utf8 } from "../../../enclave/protocol/bytes.ts";
import { type CpioEntry, encodeCpio, withDirectories } from "../../../nitro/cpio/mod.ts";
import { digest } from "../../../nitro/digest.ts";
import { type EifParts, encodeEif } from "../../../nitro/eif/mod.ts";
import { encodeManifest, manifestEntries } from "../../../nitro/manifest.ts";
import { encodeMetadata } from "../../../nitro/metadata.ts";
import { PCR2_OF_NOTHING, pcrsOf } from "../../../nitro/pcr.ts";
import { parseSbom } from "../../../nitro/sbom.ts";
import { auditEif, EIF_STATUS, type HeldAgainst } from "./eif.ts";
import { eifJson, eifText } from "./eif_report.ts";

function file(path: string, content: string): CpioEntry {
  return { kind: "file", path, mode: 0o644, content: utf8(content) };
}

/** A ramdisk with the manifest of `entries`, which may not be those inside. */
function ramdisk(name: string, entries: readonly CpioEntry[], listed = entries): Uint8Array {
  const content = encodeManifest(manifestEntries(listed));
  const manifest: CpioEntry = { kind: "file", path: `manifest/${name}`, mode: 0o644, content };
  return concat(...encodeCpio(withDirectories([...entries, manifest])));
}

const PARTS: EifParts = {
  kernel: utf8("kernel"),
  cmdline: "console=ttyS0",
  metadata: encodeMetadata({
    imageName: "vramhub",
    imageVersion: "1",
    buildTime: "1970-01-01T00:00:00Z",
    buildTool: "build",
    buildToolVersion: "1",
    operatingSystem: "Linux",
    kernelVersion: "6.12",
    dockerInfo: null,
    customMetadata: null,
  }),
  ramdisks: [
    ramdisk("platform", [file("bin/deno", "deno"), {
      kind: "link",
      path: "exe",
      target: "/bin/deno",
    }]),
    ramdisk("program", [file("program/main.ts", "main")]),
  ],
};

function image(change: Partial<EifParts> = {}): Uint8Array {
  return concat(...encodeEif({ ...PARTS, ...change }));
}

function approved(change: Partial<EifParts> = {}, name = "v1"): HeldAgainst {
  const parts = { ...PARTS, ...change };
  const pcrs = pcrsOf({ ...parts, cmdline: utf8(parts.cmdline) }).map(toHex);
  const measurements = [{ name, pcrs: { 0: pcrs[0], 1: pcrs[1], 2: pcrs[2] } }];
  return { approved: parseMeasurements(utf8(JSON.stringify({ measurements }))) };
}

function bill(files: Record<string, string>): HeldAgainst {
  const hash = (text: string) => [
    { alg: "SHA-256", content: toHex(digest("sha256", utf8(text))) },
  ];
  const components = [
    { type: "operating-system", name: "linux", hashes: hash("kernel") },
    ...Object.entries(files).map(([name, text]) => ({ type: "file", name, hashes: hash(text) })),
  ];
  const sbom = { bomFormat: "CycloneDX", specVersion: "1.6", components };
  return { sbom: parseSbom(utf8(JSON.stringify(sbom))) };
}

const FILES = { "/bin/deno": "deno", "program/main.ts": "main" };

Deno.test("auditEif: an image that is as everything says is sound", () => {
  const audit = auditEif(image(), { ...approved(), ...bill(FILES) });
  assert.equal(audit.verdict, "sound");
  const page = eifText("x.eif", audit, true);
  assert.match(page, /^kernel +6 {2}0, 1 +[0-9a-f]{64}$/m);
  assert.match(page, /^metadata +\d+ {2}none +[0-9a-f]{64}$/m);
  assert.match(page, /^ramdisk 1 +\d+ {2}0, 2 +[0-9a-f]{64}$/m);
  assert.match(page, /whole by manifest\/platform$/m);
  assert.match(page, /^ {2}file +0644 +4 {2}\/program\/main\.ts {2}[0-9a-f]{64}$/m);
  assert.match(page, /^ {2}link +0777 +9 {2}\/exe {2}-> \/bin\/deno$/m);
  assert.match(page, /^approved +as v1: PCR0, 1 and 2 are equal$/m);
  assert.match(page, /^SBOM +names the kernel and every file, and nothing else$/m);
  assert.match(page, /verdict: an image, and all that was asked of it holds$/);
  assert.doesNotMatch(eifText("x.eif", audit, false), /main\.ts/);
});

Deno.test("auditEif: a bill may name the manifests, and then they must be right", () => {
  const manifest = new TextDecoder().decode(
    encodeManifest(manifestEntries([file("program/main.ts", "main")])),
  );
  const named = { ...FILES, "manifest/program": manifest };
  assert.equal(auditEif(image(), bill(named)).verdict, "sound");
  assert.equal(auditEif(image(), bill({ ...FILES, "manifest/program": "" })).verdict, "not_billed");
});

/** Every verdict but `sound`, by what makes it, and what the page says of it. */
const CASES: readonly (readonly [
  verdict: keyof typeof EIF_STATUS,
  image: Uint8Array,
  against: HeldAgainst,
  says: RegExp,
])[] = [
  [
    "not_approved",
    image(),
    approved({ ramdisks: [PARTS.ramdisks[0]!, ramdisk("program", [])] }),
    /NOT as v1: PCR0, PCR2 differ; moved: ramdisk 1 and up$/m,
  ],
  [
    "not_approved",
    image(),
    approved({ kernel: utf8("other") }),
    /NOT as v1: PCR0, PCR1 differ; moved: kernel or cmdline or ramdisk 0$/m,
  ],
  [
    "not_whole",
    image({
      ramdisks: [PARTS.ramdisks[0]!, ramdisk("program", [file("a", "b")], [file("a", "c")])],
    }),
    {},
    /NOT whole: manifest\/program disagrees\n {2}sha256: a$/m,
  ],
  [
    "not_whole",
    image({ ramdisks: [concat(...encodeCpio([file("a", "b")]))] }),
    {},
    /NOT whole: it has no manifest, or more than one$/m,
  ],
  [
    "not_whole",
    image({ ramdisks: [PARTS.ramdisks[0]!, ramdisk("program", [file("exe", "evil")])] }),
    {},
    /in two ramdisks: exe$/m,
  ],
  ["not_billed", image(), bill({ "bin/deno": "deno" }), /unlisted: program\/main\.ts$/m],
  ["not_billed", image(), bill({ ...FILES, more: "" }), /missing: more$/m],
  ["not_billed", image(), bill({ ...FILES, "/bin/deno": "den0" }), /sha256: bin\/deno$/m],
  ["not_billed", image({ kernel: utf8("other") }), bill(FILES), /sha256: kernel$/m],
  ["opaque", image({ ramdisks: [utf8("\x1f gzip")] }), {}, /cannot be looked into: /],
  ["unreadable", image().subarray(1), {}, /refused: not_an_eif: /],
  ["unreadable", image().subarray(0, 700), {}, /refused: truncated: /],
];

Deno.test("auditEif: every verdict, with its reason on the page and its status in the object", () => {
  for (const [i, [verdict, image, against, says]] of CASES.entries()) {
    const audit = auditEif(image, against);
    assert.equal(audit.verdict, verdict, `number ${i}`);
    assert.match(eifText("x.eif", audit, false), says, `number ${i}`);
    const { status } = eifJson("x.eif", audit, false);
    assert.equal(status, EIF_STATUS[verdict]);
  }
  const seen = new Set(CASES.map(([verdict]) => verdict));
  assert.equal(seen.size + 1, Object.keys(EIF_STATUS).length);
  assert.equal(new Set(Object.values(EIF_STATUS)).size, Object.keys(EIF_STATUS).length);
});

Deno.test("auditEif: one of several approved measurements is enough", () => {
  const [other] = approved({ kernel: utf8("other") }, "v0").approved!;
  const both: ApprovedSet = [other!, ...approved().approved!];
  const audit = auditEif(image(), { approved: both });
  assert.equal(audit.verdict, "sound");
});

Deno.test("eifText: says that PCR2 says nothing where there is one ramdisk", () => {
  const one = auditEif(image({ ramdisks: [PARTS.ramdisks[0]!] }));
  assert.match(eifText("x.eif", one, false), /PCR2 is that of nothing/);
  assert.match(eifText("x.eif", one, false), new RegExp(PCR2_OF_NOTHING));
});

Deno.test("eifText: metadata write nothing to the terminal, and decide nothing", () => {
  const metadata = utf8('{"ImageName":"\x1b[2J"}');
  const audit = auditEif(image({ metadata }), approved());
  assert.equal(audit.verdict, "sound");
  assert.match(eifText("x\x1b.eif", audit, true), /^metadata +unreadable: /m);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(eifText("x\x1b.eif", audit, true), /\x1b/);
});

Deno.test("eifJson: is JSON with every file where they are asked for", () => {
  const audit = auditEif(image(), { ...approved(), ...bill(FILES) });
  const json = JSON.parse(JSON.stringify(eifJson("x.eif", audit, true)));
  assert.deepEqual([json.verdict, json.status, json.sbom], ["sound", 0, []]);
  assert.deepEqual(json.approved, [{ name: "v1", moved: [], suspects: [] }]);
  assert.equal(json.ramdisks[1].files[2].path, "program");
  assert.equal(json.metadata.imageName, "vramhub");
  assert.equal(JSON.parse(JSON.stringify(eifJson("x", audit, false))).ramdisks[0].files, undefined);
});
