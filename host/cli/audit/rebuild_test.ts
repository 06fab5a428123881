import assert from "node:assert/strict";
import { parseMeasurements } from "../../../attestation/mod.ts";
import { concat, toHex, utf8 } from "../../../enclave/protocol/bytes.ts";
import { type CpioEntry, encodeCpio } from "../../../nitro/cpio/mod.ts";
import { type EifParts, encodeEif, readEif } from "../../../nitro/eif/mod.ts";
import { pcrsOf } from "../../../nitro/pcr.ts";
import { writePieces } from "../../../nitro/tool/native.ts";
import type { RebuildArgs } from "../args_rebuild.ts";
import { auditRebuild, openReference, REBUILD_STATUS, runRebuild } from "./rebuild.ts";
import { rebuildText } from "./rebuild_report.ts";

function cpio(content: string): Uint8Array {
  const entry: CpioEntry = { kind: "file", path: "main.ts", mode: 0o644, content: utf8(content) };
  return concat(...encodeCpio([entry]));
}

const PARTS: EifParts = {
  kernel: utf8("kernel"),
  cmdline: "a=b",
  metadata: utf8("{}"),
  ramdisks: [cpio("platform"), cpio("program")],
};

function image(change: Partial<EifParts> = {}): Uint8Array {
  return concat(...encodeEif({ ...PARTS, ...change }));
}

function pcrsJson(change: Partial<EifParts> = {}): Uint8Array {
  const parts = { ...PARTS, ...change };
  const [p0, p1, p2] = pcrsOf({ ...parts, cmdline: utf8(parts.cmdline) }).map(toHex);
  const measurements = [{ name: "v1", pcrs: { 0: p0, 1: p1, 2: p2 } }];
  return utf8(JSON.stringify({ measurements }));
}

const BUILT = readEif(image());
const NONE = {
  program: { ramdisks: [cpio("platform"), cpio("Program")] },
  metadata: { metadata: utf8('{"a":1}') },
};

Deno.test("auditRebuild: is the same as an equal image or its measurements", () => {
  assert.equal(auditRebuild(BUILT, { kind: "eif", eif: BUILT }).verdict, "same");
  const approved = parseMeasurements(pcrsJson());
  assert.equal(auditRebuild(BUILT, { kind: "pcrs", approved }).verdict, "same");
  assert.equal(auditRebuild(BUILT, undefined).verdict, "built");
});

Deno.test("auditRebuild: names the section and the file that moved", () => {
  const audit = auditRebuild(BUILT, { kind: "eif", eif: readEif(image(NONE.program)) });
  assert.equal(audit.verdict, "moved");
  assert.match(
    rebuildText(audit, undefined),
    /^ramdisk 1: \/main\.ts \(PCR0, PCR2\): content: 7 bytes, SHA-256 \w+ → 7 bytes, SHA-256 \w+$/m,
  );
});

Deno.test("auditRebuild: tells a moved measurement from metadata that are in none", () => {
  const audit = auditRebuild(BUILT, { kind: "eif", eif: readEif(image(NONE.metadata)) });
  assert.equal(audit.verdict, "unmeasured");
  assert.match(rebuildText(audit, undefined), /^metadata \(no PCR\): content: /m);
});

Deno.test("auditRebuild: names what can have moved where only measurements are known", () => {
  const approved = parseMeasurements(pcrsJson(NONE.program));
  const audit = auditRebuild(BUILT, { kind: "pcrs", approved });
  assert.equal(audit.verdict, "moved");
  assert.match(rebuildText(audit, undefined), /^NOT as v1: PCR0, PCR2; moved: ramdisk 1 and up\./m);
});

/** The statuses of the command with a build that writes `bytes`, and whether its folder outlived it. */
async function ran(args: Partial<RebuildArgs>, bytes: Uint8Array | Error) {
  const all = { against: undefined, out: undefined, unpinned: false, json: true, ...args };
  const printed: string[] = [];
  const { log, error } = console;
  let folder = "";
  console.log = console.error = (text: string) => void printed.push(text);
  try {
    const status = await runRebuild(all, ({ out, progress }) => {
      folder = out;
      progress("building");
      if (bytes instanceof Error) return Promise.reject(bytes);
      writePieces(`${out}/x.eif`, [bytes]);
      return Promise.resolve({ eif: `${out}/x.eif`, pcrs: "", sbom: "" });
    });
    let kept = true;
    await Deno.stat(folder).catch(() => kept = false);
    return { status, printed, kept };
  } finally {
    Object.assign(console, { log, error });
  }
}

Deno.test("runRebuild: holds the build against a file, and leaves nothing behind", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const write = (name: string, bytes: Uint8Array) => Deno.writeFile(`${dir}/${name}`, bytes);
    await write("same.eif", image());
    await write("other.eif", image(NONE.program));
    await write("metadata.eif", image(NONE.metadata));
    await write("pcrs.json", pcrsJson());
    const cases = [
      [undefined, REBUILD_STATUS.built],
      ["same.eif", REBUILD_STATUS.same],
      ["pcrs.json", REBUILD_STATUS.same],
      ["other.eif", REBUILD_STATUS.moved],
      ["metadata.eif", REBUILD_STATUS.unmeasured],
    ] as const;
    for (const [name, wanted] of cases) {
      const against = name === undefined ? undefined : `${dir}/${name}`;
      const { status, printed, kept } = await ran({ against }, image());
      assert.equal(status, wanted, name);
      assert.equal(printed[0], "… building");
      assert.equal(JSON.parse(printed[1]!).status, wanted);
      assert.equal(kept, false);
    }
    const { kept } = await ran({ out: dir, json: false }, image());
    assert.equal(kept, true);
    assert.equal((await ran({}, new Error("no compiler"))).status, 1);
    // A reference that cannot be read is found before anything is built.
    await write("broken.eif", image().subarray(0, 600));
    for (const [name, code] of [["none", "cannot_read"], ["broken.eif", "truncated"]] as const) {
      await assert.rejects(openReference(`${dir}/${name}`), { code });
    }
    await write("broken.json", utf8("{"));
    await assert.rejects(openReference(`${dir}/broken.json`), { code: "bad_measurements" });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
