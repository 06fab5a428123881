import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat, toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { digest } from "../digest.ts";
import { PCR2_OF_NOTHING, pcrsOf } from "../pcr.ts";
import { wholeOf } from "../source.ts";
import json from "../vectors/eif.json" with { type: "json" };
import { bytesOf, type EifVector, type EifVectors, partsOf } from "../vectors/recipe.ts";
import { crc32 } from "../../enclave/protocol/crc32.ts";
import { CRC_AT, HEADER_BYTES, OFFSETS_AT, SECTION_HEADER_BYTES, SIZES_AT } from "./format.ts";
import { type EifParts, encodeEif, readEif } from "./mod.ts";

const { vectors } = json as EifVectors;

const PARTS: EifParts = {
  kernel: bytesOf({ label: "k", size: 5 }),
  cmdline: "a=b",
  metadata: utf8("{}"),
  ramdisks: [bytesOf({ label: "r0", size: 3 }), bytesOf({ label: "r1", size: 2 })],
};
const SMALL = concat(...encodeEif(PARTS));

/** A copy of `bytes` with a right CRC after `change`. */
function changed(change: (view: DataView, bytes: Bytes) => void, bytes = SMALL): Bytes {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  change(view, copy);
  const crc = crc32(copy.subarray(HEADER_BYTES), crc32(copy.subarray(0, CRC_AT)));
  view.setUint32(CRC_AT, crc);
  return copy;
}

function code(bytes: Uint8Array): string {
  try {
    readEif(bytes);
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "read";
}

function pcrs(parts: EifParts): string[] {
  return pcrsOf({ ...parts, cmdline: utf8(parts.cmdline) }).map(toHex);
}

Deno.test("crc32: the check value of CRC-32/ISO-HDLC, in pieces too", () => {
  assert.equal(crc32(utf8("123456789")), 0xcbf43926);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), (bytes, at) => {
    assert.equal(crc32(bytes.subarray(at), crc32(bytes.subarray(0, at))), crc32(bytes));
  }));
});

for (const vector of vectors as readonly EifVector[]) {
  Deno.test(`encodeEif: equals what eif_build wrote (${vector.name})`, () => {
    const parts = partsOf(vector);
    const eif = concat(...encodeEif(parts));
    assert.equal(eif.length, vector.size);
    assert.equal(toHex(digest("sha256", eif)), vector.sha256);
    assert.deepEqual(pcrs(parts), vector.pcrs);
  });
}

Deno.test("encodeEif: the vectors have one, two and three ramdisks", () => {
  assert.deepEqual(vectors.map(({ ramdisks }) => ramdisks.length), [1, 2, 3]);
  assert.equal(vectors[0]!.pcrs[2], PCR2_OF_NOTHING);
  assert(vectors.slice(1).every(({ pcrs }) => pcrs[2] !== PCR2_OF_NOTHING));
});

Deno.test("encodeEif: refuses parts that no image has", () => {
  const wrong: Partial<EifParts>[] = [
    { kernel: new Uint8Array() },
    { metadata: new Uint8Array() },
    { ramdisks: [] },
    { ramdisks: [new Uint8Array()] },
    { ramdisks: Array.from({ length: 29 }, () => new Uint8Array(1)) },
    { cmdline: "" },
    { cmdline: "a\0" },
    { cmdline: "é" },
    { cmdline: "x".repeat(4_097) },
    { kernel: { size: 268_435_457, read: () => new Uint8Array() } },
  ];
  for (const part of wrong) {
    assert.throws(() => [...encodeEif({ ...PARTS, ...part })], RangeError);
  }
});

Deno.test("pcrsOf: refuses an image without a ramdisk", () => {
  assert.throws(
    () => pcrsOf({ kernel: SMALL, cmdline: SMALL, ramdisks: [] }),
    TypeError,
  );
});

Deno.test("readEif: gives back what encodeEif was given", () => {
  const size = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const parts = fc.record({
    kernel: size,
    cmdline: fc.string({ minLength: 1, maxLength: 40, unit: "grapheme-ascii" }),
    metadata: size,
    ramdisks: fc.array(size, { minLength: 1, maxLength: 28 }),
  });
  fc.assert(fc.property(parts, (parts) => {
    const eif = readEif(concat(...encodeEif(parts)));
    const bytes = (content: Uint8Array | typeof eif.kernel) => toHex(wholeOf(content, 40, "part"));
    assert.equal(bytes(eif.kernel), bytes(parts.kernel));
    assert.equal(eif.cmdline, parts.cmdline);
    assert.equal(bytes(eif.metadata), bytes(parts.metadata));
    assert.deepEqual(eif.ramdisks.map(bytes), parts.ramdisks.map(bytes));
    assert.equal(eif.architecture, "x86_64");
    assert.equal(eif.signed, false);
  }));
});

Deno.test("readEif: refuses every truncation and every extension", () => {
  for (let length = 0; length < SMALL.length; length++) {
    assert.equal(code(SMALL.subarray(0, length)), "truncated", `${length} bytes`);
  }
  assert.equal(code(concat(SMALL, new Uint8Array(1))), "trailing_bytes");
});

Deno.test("readEif: refuses every single flipped bit", () => {
  for (let i = 0; i < SMALL.length * 8; i++) {
    const copy = SMALL.slice();
    copy[i >> 3]! ^= 1 << (i & 7);
    assert.notEqual(code(copy), "read", `bit ${i}`);
  }
});

Deno.test("readEif: refuses bytes that are no image with a typed error", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 1_000 }), (bytes) => {
    assert.notEqual(code(bytes), "read");
  }));
  // Mutants whose CRC is right reach the checks behind it: what is read is again an image of those parts.
  const at = fc.oneof(fc.nat(HEADER_BYTES - 1), fc.nat(SMALL.length - 1));
  fc.assert(fc.property(at, fc.nat(255), (at, value) => {
    const bytes = changed((_, bytes) => bytes[at] = value);
    if (code(bytes) !== "read") return;
    const eif = readEif(bytes);
    assert.equal(eif.sections.at(-1)!.offset + eif.sections.at(-1)!.content.size, bytes.length);
  }));
});

const KERNEL_AT = HEADER_BYTES;
const CMDLINE_AT = KERNEL_AT + SECTION_HEADER_BYTES + 5;
const METADATA_AT = CMDLINE_AT + SECTION_HEADER_BYTES + 3;
const RAMDISK_AT = METADATA_AT + SECTION_HEADER_BYTES + 2;
const LAST_AT = RAMDISK_AT + SECTION_HEADER_BYTES + 3;

/** Every rule of the reader, and an image with a right CRC that breaks it alone. */
const BROKEN: readonly (readonly [code: string, change: (view: DataView) => void])[] = [
  ["not_an_eif", (view) => view.setUint8(0, 0x2f)],
  ["bad_version", (view) => view.setUint16(4, 3)],
  ["bad_version", (view) => view.setUint16(4, 5)],
  ["bad_flags", (view) => view.setUint16(6, 2)],
  ["bad_reserved", (view) => view.setUint16(24, 1)],
  ["bad_reserved", (view) => view.setUint32(540, 1)],
  ["bad_section_count", (view) => view.setUint16(26, 0)],
  ["bad_section_count", (view) => view.setUint16(26, 3)],
  ["bad_section_count", (view) => view.setUint16(26, 33)],
  ["bad_section_count", (view) => view.setUint16(26, 4)],
  ["bad_section_count", (view) => view.setBigUint64(OFFSETS_AT + 8 * 31, 1n)],
  ["bad_section_count", (view) => view.setBigUint64(SIZES_AT + 8 * 5, 1n)],
  ["bad_section_offset", (view) => view.setUint16(26, 6)],
  ["bad_section_offset", (view) => view.setBigUint64(OFFSETS_AT, 0n)],
  ["bad_section_offset", (view) => view.setBigUint64(OFFSETS_AT, 549n)],
  ["bad_section_offset", (view) => view.setBigUint64(OFFSETS_AT, 2n ** 63n)],
  // The second section begins within the first, or out of order.
  ["bad_section_offset", (view) => view.setBigUint64(OFFSETS_AT + 8, BigInt(CMDLINE_AT - 1))],
  ["bad_section_offset", (view) => view.setBigUint64(OFFSETS_AT + 8, BigInt(RAMDISK_AT))],
  ["bad_section_size", (view) => view.setBigUint64(SIZES_AT, 6n)],
  ["bad_section_size", (view) => view.setBigUint64(KERNEL_AT + 4, 6n)],
  ["bad_section_size", (view) => sized(view, 0, KERNEL_AT, 0n)],
  ["bad_section_offset", (view) => sized(view, 0, KERNEL_AT, 4n)],
  ["too_large", (view) => sized(view, 0, KERNEL_AT, 2n ** 64n - 1n)],
  ["too_large", (view) => sized(view, 0, KERNEL_AT, 268_435_457n)],
  ["too_large", (view) => sized(view, 1, CMDLINE_AT, 4_097n)],
  ["truncated", (view) => sized(view, 4, LAST_AT, 3n)],
  ["trailing_bytes", (view) => sized(view, 4, LAST_AT, 1n)],
  ["bad_flags", (view) => view.setUint16(KERNEL_AT + 2, 1)],
  ["bad_section_type", (view) => view.setUint16(KERNEL_AT, 0)],
  ["bad_section_type", (view) => view.setUint16(KERNEL_AT, 6)],
  ["bad_section_order", (view) => view.setUint16(KERNEL_AT, 2)],
  ["bad_section_order", (view) => view.setUint16(METADATA_AT, 3)],
  ["bad_section_order", (view) => view.setUint16(RAMDISK_AT, 4)],
  ["bad_section_order", (view) => view.setUint16(LAST_AT, 1)],
  ["bad_cmdline", (view) => view.setUint8(CMDLINE_AT + SECTION_HEADER_BYTES, 0)],
  ["bad_cmdline", (view) => view.setUint8(CMDLINE_AT + SECTION_HEADER_BYTES, 0xe9)],
];

/** State another size in both places. */
function sized(view: DataView, index: number, at: number, size: bigint): void {
  view.setBigUint64(SIZES_AT + 8 * index, size);
  view.setBigUint64(at + 4, size);
}

Deno.test("readEif: every rule has an image that breaks it alone", () => {
  for (const [i, [wanted, change]] of BROKEN.entries()) {
    assert.equal(code(changed(change)), wanted, `number ${i}`);
  }
  const copy = SMALL.slice();
  copy[CRC_AT]! ^= 1;
  assert.equal(code(copy), "bad_crc");
});

Deno.test("readEif: refuses a file that is too large before it reads it", () => {
  const huge = {
    size: 2_147_483_649,
    read: () => assert.fail("read"),
  };
  assert.throws(() => readEif(huge), { code: "too_large" });
});

Deno.test("readEif: reads a signature behind the ramdisks, and images for aarch64", () => {
  const signed = readEif(changed((view) => view.setUint16(LAST_AT, 4)));
  assert.equal(signed.signed, true);
  assert.deepEqual(signed.sections.map(({ name }) => name), [
    "kernel",
    "cmdline",
    "metadata",
    "ramdisk 0",
    "signature",
  ]);
  assert.equal(readEif(changed((view) => view.setUint16(6, 1))).architecture, "aarch64");
});

Deno.test("pcrsOf: one flipped byte of a section changes just the PCRs that are over it", () => {
  const before = pcrs(PARTS);
  const flip = (content: EifParts["kernel"]) => {
    const copy = (content as Uint8Array).slice();
    copy[0]! ^= 1;
    return copy;
  };
  const [first, second] = PARTS.ramdisks;
  const changes: readonly (readonly [Partial<EifParts>, readonly number[]])[] = [
    [{ kernel: flip(PARTS.kernel) }, [0, 1]],
    [{ cmdline: "b=b" }, [0, 1]],
    [{ metadata: flip(PARTS.metadata) }, []],
    [{ ramdisks: [flip(first!), second!] }, [0, 1]],
    [{ ramdisks: [first!, flip(second!)] }, [0, 2]],
  ];
  for (const [change, moved] of changes) {
    const after = pcrs({ ...PARTS, ...change });
    assert.deepEqual([0, 1, 2].filter((index) => before[index] !== after[index]), moved);
  }
});
