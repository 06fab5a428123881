import assert from "node:assert/strict";
import { bcs } from "@mysten/bcs";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { concat, toHex } from "./bytes.ts";
import {
  checkHparams,
  decodeHparams,
  DEFAULT_HPARAMS,
  encodeHparams,
  HPARAM_FIELDS,
  type HparamName,
  type Hparams,
  hparamsDigest,
  share,
} from "./hparams.ts";
import { Refusal } from "./refusal.ts";

const refuses = (change: Partial<Hparams>, field: HparamName, periodMs = 0) =>
  assert.throws(
    () => checkHparams({ ...DEFAULT_HPARAMS, ...change }, periodMs),
    (e) => e instanceof Refusal && e.code === "bad_hparam" && e.field === field,
    `${JSON.stringify(change)} is not refused for ${field}`,
  );

Deno.test("DEFAULT_HPARAMS: can be lived by, with quicknet's period", () => {
  checkHparams(DEFAULT_HPARAMS, 3_000);
  assert.equal(DEFAULT_HPARAMS.window_ms, 600_000);
  assert.equal(new Set(HPARAM_FIELDS.map(([name]) => name)).size, HPARAM_FIELDS.length);
});

Deno.test("encodeHparams: is the BCS of the declared fields, as @mysten/bcs writes them", () => {
  // A BCS struct is its fields, one after the other.
  const expected = concat(
    ...HPARAM_FIELDS.map(([, width, value]) => bcs[width]().serialize(value).toBytes()),
  );
  assert.equal(toHex(encodeHparams(DEFAULT_HPARAMS)), toHex(expected));
  const digest = createHash("sha256").update("vramhub/hparams/v1").update(expected).digest("hex");
  assert.equal(toHex(hparamsDigest(DEFAULT_HPARAMS)), digest);
});

Deno.test("hparamsDigest: every field moves it", () => {
  const digests = HPARAM_FIELDS.map(([name, , value, min]) =>
    toHex(hparamsDigest({ ...DEFAULT_HPARAMS, [name]: value > min ? value - 1 : value + 1 }))
  );
  const distinct = new Set([...digests, toHex(hparamsDigest(DEFAULT_HPARAMS))]);
  assert.equal(distinct.size, HPARAM_FIELDS.length + 1);
});

Deno.test("checkHparams: each field is bounded on both sides, and an integer", () => {
  for (const [name, width, value, min, max] of HPARAM_FIELDS) {
    assert(min <= value && value <= max, `${name}'s default lies outside its bounds`);
    assert(
      max <= Number.MAX_SAFE_INTEGER && (width === "u64" || max < 2 ** Number(width.slice(1))),
    );
    for (const wrong of [min - 1, max + 1, value + 0.5, NaN, Infinity, -Infinity]) {
      refuses({ [name]: wrong }, name);
    }
    refuses({ [name]: `${value}` as unknown as number }, name);
  }
});

Deno.test("checkHparams: deadlines follow each other and shares make a whole", () => {
  refuses({ commit_bps: 9_500 }, "commit_bps");
  refuses({ commit_bps: 9_501 }, "commit_bps");
  checkHparams({ ...DEFAULT_HPARAMS, commit_bps: 9_499 });
  refuses({ report_bps: 9_000 }, "report_bps");
  checkHparams({ ...DEFAULT_HPARAMS, report_bps: 8_999 });
  refuses({ miner_bps: 9_999 }, "miner_bps");
  refuses({ miner_bps: 5_000, validator_bps: 2_000, treasury_bps: 3_001 }, "miner_bps");
  checkHparams({ ...DEFAULT_HPARAMS, miner_bps: 5_000, validator_bps: 2_000, treasury_bps: 3_000 });
});

Deno.test("checkHparams: from reveals to reports there is time for beacon and judge, to the millisecond", () => {
  // 600,000 − 570,000 + 360,000 = 390,000 ms; margin 30,000 and one round of 3,000 leave 357,000.
  checkHparams({ ...DEFAULT_HPARAMS, min_judge_ms: 357_000 }, 3_000);
  refuses({ min_judge_ms: 357_001 }, "window_ms", 3_000);
  refuses({ min_judge_ms: 357_000 }, "window_ms", 3_001);
  refuses({ min_judge_ms: 357_000, beacon_margin_ms: 30_001 }, "window_ms", 3_000);
  checkHparams({ ...DEFAULT_HPARAMS, min_judge_ms: 360_000 });
  refuses({ min_judge_ms: 360_001 }, "window_ms");
  refuses({ window_ms: 1_000 }, "window_ms");
});

Deno.test("decodeHparams: refuses values out of bounds, also counts above 2^53", () => {
  const wire = encodeHparams(DEFAULT_HPARAMS);
  let at = 0;
  for (const [name, width] of HPARAM_FIELDS) {
    const length = Number(width.slice(1)) / 8;
    const changed = wire.slice();
    changed.fill(0xff, at, at + length);
    assert.throws(
      () => decodeHparams(changed),
      (e) =>
        e instanceof Refusal && (width === "u64" ? e.code === "out_of_range" : e.field === name),
      name,
    );
    at += length;
  }
  assert.equal(at, wire.length);
});

Deno.test("share: floors exactly, also where a float64 product would round", () => {
  assert.equal(share(600_000, 8_000), 480_000);
  assert.equal(share(9_999, 1), 0);
  assert.equal(share(10_001, 9_999), 9_999);
  assert.equal(share(Number.MAX_SAFE_INTEGER, 10_000), Number.MAX_SAFE_INTEGER);
  const value = fc.maxSafeNat();
  fc.assert(
    fc.property(value, fc.nat(10_000), (amount, bps) => {
      const part = BigInt(share(amount, bps));
      const exact = BigInt(amount) * BigInt(bps);
      assert(part * 10_000n <= exact && exact < (part + 1n) * 10_000n);
    }),
    { seed: 3 },
  );
});
