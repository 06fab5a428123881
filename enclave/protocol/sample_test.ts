import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_JUDGED_BYTES, type Sampled, sampledUids } from "./sample.ts";

const MIB = 2 ** 20;
const BY = {
  maxJudged: 256,
  ledgerId: new Uint8Array(32).fill(1),
  window: 7,
  beacon: new Uint8Array(32).fill(2),
};

function reveals(...sizes: number[]): Sampled[] {
  return sizes.map((size, uid) => ({ uid, size }));
}

Deno.test("sampledUids: all are measured where they fit", () => {
  assert.deepEqual([...sampledUids(reveals(MIB, MIB, MIB), BY)], [0, 1, 2]);
  assert.equal(sampledUids(reveals(MAX_JUDGED_BYTES), BY).size, 1);
  assert.equal(sampledUids([], BY).size, 0);
});

Deno.test("sampledUids: twenty gradients of the seeds' limit leave most of the honest measured", () => {
  const hostile = Array<number>(20).fill(50 * MIB);
  const honest = Array<number>(100).fill(1.5 * MIB);
  for (let window = 0; window < 50; window++) {
    const chosen = sampledUids(reveals(...hostile, ...honest), { ...BY, window });
    const kept = [...chosen].filter((uid) => uid >= hostile.length).length;
    assert.ok(kept >= honest.length / 3, `${kept} in window ${window}`);
  }
});

Deno.test("sampledUids: never above a limit, never by the order of arrival, never fewer than fit", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 2 ** 28 }), { maxLength: 40 });
  fc.assert(fc.property(sizes, fc.integer({ min: 1, max: 20 }), fc.nat(), (sizes, maxJudged, n) => {
    const all = reveals(...sizes);
    const by = { ...BY, maxJudged, window: n };
    const chosen = sampledUids(all, by);
    const bytes = all.filter(({ uid }) => chosen.has(uid)).reduce((sum, { size }) => sum + size, 0);
    assert.ok(chosen.size <= maxJudged && bytes <= MAX_JUDGED_BYTES);
    assert.deepEqual(sampledUids([...all].reverse(), by), chosen);
    const left = all.filter(({ uid }) => !chosen.has(uid));
    const fits = left.some(({ size }) => bytes + size <= MAX_JUDGED_BYTES);
    assert.ok(chosen.size === maxJudged || !fits);
  }));
});

Deno.test("sampledUids: another beacon draws others", () => {
  const all = reveals(...Array<number>(64).fill(1));
  const drawn = [3, 4].map((byte) =>
    sampledUids(all, { ...BY, maxJudged: 8, beacon: new Uint8Array(32).fill(byte) })
  );
  assert.notDeepEqual(drawn[0], drawn[1]);
});
