import assert from "node:assert/strict";
import {
  hasMetrics,
  isMeasured,
  isRated,
  isSettled,
  isVerdict,
  SETTLED,
  VERDICT,
  verdictName,
} from "./verdict.ts";

const every = Array.from({ length: 256 }, (_, code) => code);
const which = (holds: (code: number) => boolean) =>
  every.filter(holds).map((code) => verdictName(code));

Deno.test("verdicts: codes are distinct bytes and never 0", () => {
  const codes = [...Object.values(VERDICT), ...Object.values(SETTLED)];
  assert.equal(new Set(codes).size, codes.length);
  assert(codes.every((code) => Number.isInteger(code) && code > 0 && code < 256));
});

Deno.test("verdictName: names every code and nothing else", () => {
  for (const [name, code] of Object.entries({ ...VERDICT, ...SETTLED })) {
    assert.equal(verdictName(code), name);
  }
  assert.equal(every.filter((code) => verdictName(code) !== undefined).length, 16);
  assert.equal(verdictName(NaN), undefined);
});

Deno.test("isVerdict, isMeasured, isSettled, isRated, hasMetrics: of all 256 codes, exactly these", () => {
  const refusals = [
    "undecodable",
    "wrong_size",
    "wrong_model",
    "non_finite",
    "norm",
    "diverged",
    "zero",
    "duplicate",
    "overlap",
  ];
  const abstentions = ["unavailable", "not_sampled"];
  const scored = ["accepted", "not_better", "harmful"];
  assert.deepEqual(which(isVerdict), ["ok", ...refusals, ...abstentions]);
  assert.deepEqual(which(isMeasured), ["ok", ...refusals]);
  assert.deepEqual(which(isSettled), [...refusals, ...abstentions, ...scored, "disputed"]);
  assert.deepEqual(which(isRated), [...refusals, ...scored]);
  assert.deepEqual(which(hasMetrics), scored);
});
