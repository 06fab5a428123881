import assert from "node:assert/strict";
import type { Figure } from "./figures.ts";
import type { Machine } from "./machine.ts";
import {
  type BenchRecord,
  compareRecords,
  describeChanges,
  number,
  parseRecord,
} from "./record.ts";

const MACHINE: Machine = {
  cpu: "Example",
  cores: 2,
  flags: ["avx2"],
  memoryGib: 8,
  system: "linux x86_64",
  deno: "2.9.6",
  onnxruntime: "1.30.0",
};

function record(figures: readonly Figure[], machine: Partial<Machine> = {}): BenchRecord {
  return {
    version: 1,
    commit: "c0ffee",
    date: "2026-01-01T00:00:00.000Z",
    machine: { ...MACHINE, ...machine },
    load: [0, 0],
    beside: null,
    figures,
  };
}

const time = (value: number): Figure => ({ name: "time", value, unit: "ms", better: "less" });
const rate = (value: number): Figure => ({ name: "rate", value, unit: "1/s", better: "more" });
const fact = (value: number): Figure => ({ name: "fact", value, unit: "%", better: "neither" });

Deno.test("compareRecords: worse by more than a tenth is a regression, in either direction", () => {
  const before = record([time(100), rate(100), fact(100)]);
  const regressed = (...figures: Figure[]) =>
    compareRecords(record(figures), before).filter((change) => change.regressed)
      .map(({ name }) => name);
  assert.deepEqual(regressed(time(112), rate(88), fact(10)), ["time", "rate"]);
  assert.deepEqual(regressed(time(109), rate(91)), []);
  assert.deepEqual(regressed(time(50), rate(200)), []);
});

Deno.test("compareRecords: figures that only one record has are left out, zero is no divisor", () => {
  assert.deepEqual(compareRecords(record([time(1)]), record([rate(1)])), []);
  const [change] = compareRecords(record([time(1)]), record([time(0)]));
  assert.deepEqual([change!.gain, change!.regressed], [-1, true]);
});

Deno.test("describeChanges: names regressions, and another machine", () => {
  const text = describeChanges(record([time(150)]), record([time(100)], { cpu: "Other" }));
  assert.match(text, /another machine \(Other\)/);
  assert.match(text, /Regressions: 1\n {2}time: 100 → 150 \(-50 %\)/);
  assert.match(describeChanges(record([time(100)]), record([time(100)])), /No regression/);
});

Deno.test("parseRecord: reads what was written, and refuses all else", () => {
  const written = record([time(1.5)]);
  assert.deepEqual(parseRecord(JSON.stringify(written)), written);
  const broken = [
    "",
    "null",
    "{}",
    JSON.stringify({ ...written, version: 2 }),
    JSON.stringify({ ...written, figures: [{ name: 1, value: "2" }] }),
    JSON.stringify({ ...written, machine: {} }),
  ];
  for (const text of broken) assert.throws(() => parseRecord(text), TypeError, text);
});

Deno.test("number: shows three digits and groups thousands", () => {
  assert.deepEqual([0.1234, 1.234, 12.34, 123.4, 12_345, 12_345.6].map(number), [
    "0.123",
    "1.23",
    "12.3",
    "123",
    "12,345",
    "12,346",
  ]);
});
