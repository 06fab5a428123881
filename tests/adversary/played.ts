/**
 * Where most of the tests begin: two miners have revealed real gradients in window 0, which waits for reports.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { encodeV1 } from "../../enclave/protocol/gradient/mod.ts";
import type { Payload } from "../../enclave/protocol/judge_messages.ts";
import type { Refusal } from "../../enclave/protocol/refusal.ts";
import { TestNet } from "../support/window.ts";
import { Arena } from "./arena.ts";

/** Trains on the pages of a ledger that nobody plays on. */
export const TRAINING: TestNet = new TestNet();
/** Of miners 0 and 1. */
export const GRADIENTS: readonly [Bytes, Bytes] = [
  encodeV1(await TRAINING.train(0, 0)),
  encodeV1(await TRAINING.train(0, 1, 0.2)),
];
/** As they are played. */
export const SUBMISSIONS = GRADIENTS.map((bytes, uid) => ({ uid, bytes }));

/** A network whose window 0 waits for reports. */
export async function played(validators = 1): Promise<Arena> {
  const arena = await Arena.found({ validators });
  await arena.play(0, SUBMISSIONS);
  return arena;
}

/** Assert that the judge of `arena` refuses `payload` with this code. */
export async function judgeRefuses(
  arena: Arena,
  payload: Payload,
  code: string,
  field?: string,
): Promise<void> {
  await assert.rejects(arena.ask(payload, GRADIENTS), (error: Refusal) => {
    assert.deepEqual([error.code, error.field], [code, field ?? error.field], error.message);
    return true;
  });
}
