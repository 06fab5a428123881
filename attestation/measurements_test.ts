import assert from "node:assert/strict";
import { toHex, utf8 } from "../enclave/protocol/bytes.ts";
import {
  AttestationError,
  MAX_MEASUREMENTS_BYTES,
  parseMeasurements,
  parseUtcTime,
} from "./mod.ts";

const hex = (value: number) => toHex(new Uint8Array(48).fill(value));
const PCRS = { "0": hex(1), "1": hex(2), "2": hex(3) };
const ENTRY = { name: "v1.2.0", pcrs: PCRS };

function parse(value: unknown) {
  return parseMeasurements(utf8(typeof value === "string" ? value : JSON.stringify(value)));
}

function refuses(value: unknown, field: string): void {
  assert.throws(() => parse(value), (e) => {
    assert.ok(e instanceof AttestationError, String(e));
    assert.deepEqual([e.code, e.field], ["bad_measurements", field], e.message);
    return true;
  });
}

Deno.test("parseMeasurements: reads names, PCRs by index and inclusive windows", () => {
  const found = parse({
    measurements: [
      {
        name: "v1.2.0",
        pcrs: { ...PCRS, "16": hex(7).toUpperCase(), "31": hex(8) },
        not_before: "2026-01-01T00:00:00Z",
        not_after: "2026-03-31T23:59:59.999Z",
      },
      { ...ENTRY, name: "v1.3.0" },
    ],
  });
  assert.equal(found.length, 2);
  const [first, second] = found;
  assert.deepEqual([first!.name, first!.notBefore, first!.notAfter], [
    "v1.2.0",
    Date.UTC(2026, 0, 1),
    Date.UTC(2026, 2, 31, 23, 59, 59, 999),
  ]);
  assert.deepEqual([...first!.pcrs.keys()].sort((a, b) => a - b), [0, 1, 2, 16, 31]);
  assert.deepEqual(first!.pcrs.get(16), new Uint8Array(48).fill(7));
  assert.deepEqual(Object.keys(second!), ["name", "pcrs"]);
});

Deno.test("parseMeasurements: reads what nitro-cli prints of a build", () => {
  const printed = {
    Measurements: {
      HashAlgorithm: "Sha384 { ... }",
      PCR0: hex(1),
      PCR1: hex(2),
      PCR2: hex(3),
      PCR8: hex(4),
    },
  };
  const [one, ...more] = parse(printed);
  assert.deepEqual([one!.name, [...one!.pcrs.keys()], more.length], ["build", [0, 1, 2, 8], 0]);
  const { PCR2: _, ...two } = printed.Measurements;
  refuses({ Measurements: two }, "Measurements");
  refuses({ Measurements: { ...printed.Measurements, PCR32: hex(1) } }, "Measurements");
  refuses({ Measurements: { ...printed.Measurements, XCR3: hex(1) } }, "Measurements");
  refuses({ Measurements: { ...printed.Measurements, PCR3: "00" } }, "Measurements.PCR3");
  for (const HashAlgorithm of ["Sha256 { ... }", "Not Sha384", 384, ["Sha384 { ... }"]]) {
    refuses({ Measurements: { ...two, HashAlgorithm } }, "Measurements.HashAlgorithm");
  }
  refuses({ ...printed, Sections: [] }, "pcrs.json");
});

Deno.test("parseMeasurements: refuses whatever is not exactly the format", () => {
  const list = (change: Record<string, unknown>) => ({ measurements: [{ ...ENTRY, ...change }] });
  refuses("{", "pcrs.json");
  refuses("null", "pcrs.json");
  refuses([ENTRY], "pcrs.json");
  refuses({}, "measurements");
  refuses({ measurements: [] }, "measurements");
  refuses({ measurements: ENTRY }, "measurements");
  refuses({ measurements: [ENTRY], more: 1 }, "pcrs.json");
  refuses({ measurements: [null] }, "measurements[0]");
  refuses({ measurements: [ENTRY, ENTRY] }, "measurements");
  refuses(list({ comment: "x" }), "measurements[0]");
  for (const name of ["", "V1", ".x", "a b", "x".repeat(65), 1, undefined]) {
    refuses(list({ name }), "measurements[0].name");
  }
  parse(list({ name: "x".repeat(64) }));
  for (const index of ["32", "-1", "00", "1e0", "", "x"]) {
    refuses(list({ pcrs: { ...PCRS, [index]: hex(1) } }), "measurements[0].pcrs");
  }
  for (const missing of ["0", "1", "2"]) {
    refuses(list({ pcrs: { ...PCRS, [missing]: undefined } }), "measurements[0].pcrs");
  }
  refuses(list({ pcrs: [hex(1), hex(2), hex(3)].join() }), "measurements[0].pcrs");
  const long = hex(1) + "00";
  for (const pcr of [hex(1).slice(2), long, "0x" + hex(1).slice(2), "g".repeat(96), 0, [hex(1)]]) {
    refuses(list({ pcrs: { ...PCRS, "1": pcr } }), "measurements[0].pcrs.1");
  }
  refuses(list({ not_before: 0 }), "measurements[0].not_before");
  refuses(list({ not_after: "2026-01-01" }), "measurements[0].not_after");
  refuses(list({ not_after: ["2026-01-01T00:00:00Z"] }), "measurements[0].not_after");
  const [early, late] = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"];
  refuses(list({ not_before: late, not_after: early }), "measurements[0]");
  parse(list({ not_before: early, not_after: early }));
  const [open] = parse(list({ not_after: early }));
  assert.deepEqual([open!.notBefore, open!.notAfter], [undefined, Date.UTC(2026, 0, 1)]);
});

Deno.test("parseMeasurements: refuses repeated keys, which readers resolve differently", () => {
  const twice = JSON.stringify({ measurements: [ENTRY] }).replace('"1":', `"0":"${hex(9)}","1":`);
  assert.equal(JSON.parse(twice).measurements[0].pcrs[0], hex(9)); // the later one, silently
  refuses(twice, "pcrs.json");
  refuses('{"a:\\":b":1,"a:\\":b":2}', "pcrs.json");
});

Deno.test("parseMeasurements: bounds size, count and depth", () => {
  const text = JSON.stringify({ measurements: [ENTRY] });
  parse(text.padEnd(MAX_MEASUREMENTS_BYTES));
  refuses(text.padEnd(MAX_MEASUREMENTS_BYTES + 1), "pcrs.json");
  const many = (n: number) => ({
    measurements: Array.from({ length: n }, (_, i) => ({ ...ENTRY, name: `v${i}` })),
  });
  assert.equal(parse(many(64)).length, 64);
  refuses(many(65), "measurements");
  refuses("[".repeat(30_000) + "]".repeat(30_000), "pcrs.json");
  const deep = (n: number) => "[".repeat(n) + "]".repeat(n);
  assert.throws(() => parse(deep(9)), /it must be an object/);
  assert.throws(() => parse(deep(10)), /nested too deep/);
  assert.throws(() => parseMeasurements(new Uint8Array([0x22, 0xff, 0x22])), /UTF-8/);
});

Deno.test("parseUtcTime: takes one form of a time that exists", () => {
  for (const text of ["2026-02-28T23:59:59Z", "2026-02-28T23:59:59.000Z"]) {
    assert.equal(parseUtcTime(text), Date.UTC(2026, 1, 28, 23, 59, 59));
  }
  assert.equal(parseUtcTime("2026-02-28T23:59:59.250Z"), Date.UTC(2026, 1, 28, 23, 59, 59, 250));
  for (
    const text of [
      "2026-02-28",
      "2026-02-28T23:59:59",
      "2026-02-28T23:59:59+00:00",
      "2026-02-28T23:59:59.25Z",
      "2026-02-30T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-02-28T24:00:00Z",
      "x2026-02-28T23:59:59Z",
      "2026-02-28T23:59:59Zx",
      "2026-02-28T23:59:59Z (x)",
      "+010000-01-01T00:00:00.000Z",
    ]
  ) assert.equal(parseUtcTime(text), undefined, text);
});
