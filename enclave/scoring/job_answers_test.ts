import assert from "node:assert/strict";
import { JobAnswers } from "./job_answers.ts";

const bytes = (value: number) => new Uint8Array(32).fill(value);
const answer = (value: number) => ({
  message: bytes(value),
  signature: bytes(value),
  manifest: null,
});

Deno.test("JobAnswers: gives the same answer to the same input, and none to another", () => {
  const answers = new JobAnswers(2);
  assert.equal(answers.find(7, bytes(1)), undefined);
  answers.keep(7, bytes(1), answer(1));
  assert.deepEqual(answers.find(7, bytes(1)), answer(1));
  assert.throws(() => answers.find(7, bytes(2)), { code: "already_signed" });
});

Deno.test("JobAnswers: forgets nothing; behind its capacity it says that a restart is needed", () => {
  const answers = new JobAnswers(2);
  answers.keep(9, bytes(1), answer(1));
  answers.keep(3, bytes(2), answer(2));
  assert.throws(() => answers.find(4, bytes(3)), { code: "too_many_jobs" });
  assert.deepEqual(answers.find(9, bytes(1)), answer(1));
  assert.throws(() => answers.find(3, bytes(3)), { code: "already_signed" });
});
