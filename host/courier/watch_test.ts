import assert from "node:assert/strict";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { JudgeError } from "./judge_error.ts";
import { watchJudge } from "./watch.ts";

const key = (n: number): Bytes => new Uint8Array(32).fill(n);

Deno.test("watchJudge: mends for every key that is not the attested one, until it is", async () => {
  const stop = new AbortController();
  /** What the judge answers, and whether mending succeeds then. */
  const answers: (readonly [publicKey: Bytes | null, mends: boolean])[] = [
    [key(1), true],
    [key(1), true],
    [null, true], // gone
    [key(2), false], // back, but for example the ledger does not answer
    [key(2), true],
    [key(2), true],
    [key(3), true],
  ];
  const mended: number[] = [];
  const asked: number[] = [];
  let now = 0;
  let at = -1;
  let attested: Bytes | undefined = key(1);
  await watchJudge({
    health: () => {
      asked.push(now);
      const [publicKey] = answers[++at]!;
      if (at === answers.length - 1) stop.abort();
      if (publicKey === null) return Promise.reject(new JudgeError("unreachable", 0, "gone"));
      return Promise.resolve({ publicKey });
    },
  }, {
    clock: {
      now: () => now,
      until: (ms, signal) => {
        if (signal?.aborted) return Promise.reject(signal.reason);
        now = ms;
        return Promise.resolve();
      },
    },
    everyMs: 10,
    signal: stop.signal,
    attested: () => attested,
    mend: () => {
      mended.push(at);
      const [publicKey, mends] = answers[at]!;
      if (!mends) return Promise.reject(new Error("not now"));
      attested = publicKey!;
      return Promise.resolve();
    },
  });
  assert.deepEqual(mended, [3, 4, 6]);
  assert.deepEqual(asked, [10, 20, 30, 40, 50, 60, 70]);
  assert.deepEqual(attested, key(3));
});
