import assert from "node:assert/strict";
import fc from "fast-check";
import { trainingPages } from "./dataset.ts";
import { jobPages, type JobSubject, MAX_JOB_PAGES } from "./job_pages.ts";

const bytes = (value: number) => new Uint8Array(32).fill(value);
const dataset = (pageCount: number) => ({
  pageCount,
  pageTokens: 65,
  tokenizerHash: bytes(1),
  merkleRoot: bytes(2),
});
const SUBJECT: JobSubject = {
  ledgerId: bytes(3),
  job: 7,
  baseHash: bytes(4),
  resultHash: bytes(5),
};

Deno.test("jobPages: whole batches of different held-out pages, at most 128", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 100_000 }),
      fc.integer({ min: 1, max: 64 }),
      (n, batch) => {
        const heldOut = n - trainingPages(n);
        if (heldOut < batch) {
          assert.throws(() => jobPages(dataset(n), SUBJECT, batch), { code: "too_few_pages" });
          return;
        }
        const pages = jobPages(dataset(n), SUBJECT, batch);
        assert.equal(pages.length, Math.floor(Math.min(heldOut, MAX_JOB_PAGES) / batch) * batch);
        assert.equal(new Set(pages).size, pages.length);
        assert.ok(pages.every((page) => page >= trainingPages(n) && page < n));
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("jobPages: everything that a verdict says draws others", () => {
  const drawn = (subject: JobSubject, data = dataset(100_000)) => jobPages(data, subject, 4).join();
  const changes: Partial<JobSubject>[] = [
    {},
    { ledgerId: bytes(9) },
    { job: 8 },
    { baseHash: bytes(9) },
    { resultHash: bytes(9) },
  ];
  const all = changes.map((change) => drawn({ ...SUBJECT, ...change }));
  all.push(drawn(SUBJECT, { ...dataset(100_000), merkleRoot: bytes(9) }));
  assert.equal(new Set(all).size, all.length);
  assert.equal(drawn(SUBJECT), all[0]);
});
