/** settle.json, checked by counting heads and by hand-made bytes; `vectors_test.ts` holds it to its generator. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { biased, hex, type Json, le, load, sha256 } from "./by_hand.ts";

/** The lower median of a list, each value as often as there is stake behind it. */
function median(heads: (string | null)[]): string | null {
  const known = heads.filter((value) => value !== null).map(BigInt).sort((a, b) => Number(a - b));
  return known[Math.ceil(known.length / 2) - 1]?.toString() ?? null;
}

/** Settle by counting heads. */
function count(heads: Json[], before: string | null): Json {
  const none = { own_before: null, own_after: null, random_after: null };
  const abstained = heads.filter(({ verdict }) => verdict >= 20);
  const measured = heads.filter(({ verdict }) => verdict < 20);
  if (measured.length * 2 <= heads.length) {
    const skipped = abstained.filter(({ verdict }) => verdict === 21).length;
    return { verdict: skipped * 2 > heads.length ? 21 : 20, ...none };
  }
  const verdict = measured.map((head) => head.verdict).find((code) =>
    measured.filter((head) => head.verdict === code).length * 2 > measured.length
  );
  if (verdict !== 1) return { verdict: verdict ?? 33, ...none };
  const of = (field: string) =>
    median(measured.filter((h) => h.verdict === 1).map((head) => head[field]));
  const random_after = of("random_after");
  const score = BigInt(before!) - BigInt(random_after!);
  const own = { own_before: of("own_before"), own_after: of("own_after") };
  return { verdict: score > 2n ? 30 : score < -2n ? 32 : 31, ...own, random_after };
}

Deno.test("settle.json: agrees with counting heads, digests hold by hand", () => {
  for (const s of load("settle").settlements) {
    // The stakes are multiples of 5 or of 2^62: as few heads as keep their proportions.
    const unit = s.stakes.map(BigInt).every((stake: bigint) => stake % 5n === 0n)
      ? 5n
      : BigInt(s.stakes[0]);
    const heads = <T>(values: T[]): T[] =>
      values.flatMap((value, judge) =>
        new Array<T>(Number(BigInt(s.stakes[judge]) / unit)).fill(value)
      );
    const before = median(heads<string | null>(s.random_before));
    assert.equal(s.settled_random_before, before);
    for (const miner of s.miners) {
      assert.deepEqual(miner.settled, count(heads<Json>(miner.reports), before), miner.what);
      const { own_before, own_after, random_after } = miner.settled;
      const score = random_after === null ? 0n : BigInt(before!) - BigInt(random_after);
      assert.equal(BigInt(miner.score), score);
      if (miner.average_from_zero !== null) {
        const gap = BigInt(own_before) - BigInt(own_after) - score;
        const sign = gap > 0n ? 1 : gap < 0n ? -1 : 0;
        assert.equal(miner.average_from_zero, `${1_000_000 + sign * 50_000}`);
      }
    }
    const rows = s.miners.map(({ uid, settled: row, prior_mu, prior_sigma }: Json) =>
      Buffer.concat([
        le(uid, 2),
        le(row.verdict, 1),
        ...[row.own_before, row.own_after, row.random_after, prior_mu].map(biased),
        le(prior_sigma, 8),
      ])
    );
    const bcs = Buffer.concat([biased(before), le(rows.length, 1), ...rows]);
    assert.equal(s.bcs, bcs.toString("hex"));
    const parts = [hex(s.window_digest), hex(s.next_base), bcs];
    assert.equal(s.digest, sha256("vramhub/settled/v1", ...parts));
  }
});

Deno.test("settle.json: averages follow the moving average, rounded down", () => {
  for (const run of load("settle").averages) {
    let exact = 0;
    run.forEach(({ sign, average, effective }: Json, i: number) => {
      exact = 0.95 * exact + 0.05 * sign;
      const stored = Number(average) - 1_000_000;
      assert(stored <= exact * 1e6 + 1e-6 && stored > exact * 1e6 - 20, `${stored} ${exact}`);
      assert.equal(Number(effective), i < 8 ? Math.max(50_000, stored) : stored);
    });
  }
});
