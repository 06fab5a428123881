import assert from "node:assert/strict";
import { Refusal } from "../enclave/protocol/refusal.ts";
import type { WindowView } from "../host/ledger/ledger.ts";
import { Pace } from "./pace.ts";

const deadlines = { start: 0, commit: 80_000, reveal: 95_000 };
const VIEW = { window: 3, deadlines } as unknown as WindowView;

function pace(at = 0): { readonly pace: Pace; at: number } {
  const box: { readonly pace: Pace; at: number } = { at, pace: new Pace(() => box.at) };
  return box;
}

const tooLate = (pattern: RegExp) => (error: unknown) =>
  error instanceof Refusal && error.code === "too_late" && pattern.test(error.message);

Deno.test("Pace: an average moves by three tenths, and counts what succeeded alone", async () => {
  const box = pace();
  const work = (ms: number) => () => {
    box.at += ms;
    return Promise.resolve(ms);
  };
  assert.equal(box.pace.average("upload"), 0);
  assert.equal(await box.pace.timed("upload", work(1_000)), 1_000);
  await box.pace.timed("upload", work(2_000));
  assert.equal(box.pace.average("upload"), 1_300);
  await assert.rejects(box.pace.timed("upload", () => Promise.reject(new Error("down"))), /down/);
  assert.equal(box.pace.average("upload"), 1_300);
});

Deno.test("Pace: does not begin what it cannot end, says the figures, and tries again some windows later", () => {
  const box = pace();
  box.pace.checkTrain(VIEW);
  box.pace.add("train", 70_000);
  box.pace.add("commit", 2_000);
  box.pace.checkTrain(VIEW);
  box.at = 20_000;
  const why = /70\.0 s and a commit 2\.0 s on average, and 60\.0 s are left/;
  assert.throws(() => box.pace.checkTrain(VIEW), tooLate(why));
  box.pace.checkTrain(VIEW);
  box.at = 80_000;
  assert.throws(() => box.pace.checkTrain(VIEW), tooLate(/Commits of window 3 are over/));
});

Deno.test("Pace: a gradient behind the commit deadline is refused with how late it is", () => {
  const box = pace(79_999);
  box.pace.checkCommit(VIEW);
  box.at = 82_000;
  assert.throws(
    () => box.pace.checkCommit(VIEW),
    tooLate(/ready 2\.0 s after the commit deadline/),
  );
});

Deno.test("Pace: an upload leaves the reveal its time, and a slow one is said to be", () => {
  const box = pace();
  assert.equal(box.pace.uploadBy(VIEW), 95_000);
  assert.equal(box.pace.slowUploads(VIEW), undefined);
  box.pace.add("reveal", 2_000);
  assert.equal(box.pace.uploadBy(VIEW), 93_000);
  box.pace.add("upload", 10_000);
  assert.match(box.pace.slowUploads(VIEW)!, /take 12\.0 s on average, and there are 15\.0 s/);
  box.pace.add("reveal", 100_000);
  assert.equal(box.pace.uploadBy(VIEW), 95_000 - 3_750, "one slow reveal does not stop uploads");
});
