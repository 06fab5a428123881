/**
 * The protocol: every byte that is hashed, signed or sent between the judge, the courier, the player and the
 * referee. No I/O, no clock, no runtime's API: a browser runs it unchanged. The Move package mirrors it, and
 * `tests/vectors` holds what both must agree on.
 *
 * | subject | files |
 * |---|---|
 * | bytes, SHA-256, the error of every decoder | `bytes.ts` `hash.ts` `refusal.ts` |
 * | encodings | `bcs.ts` (what is hashed or signed) `cbor.ts` (the judge's HTTP bodies) `cose.ts` `f16.ts` |
 * | rules of a window | `hparams.ts` `window.ts` `errors.ts` |
 * | randomness | `drand.ts` (the beacon) `draw.ts` (unbiased integers from it) |
 * | data | `merkle.ts` `dataset.ts` (pages, and who trains on which) |
 * | gradients | `gradient/` (wire formats) `commit.ts` (commit, reveal, the window's digest) |
 * | judgement | `sample.ts` (who is measured) `verdict.ts` `report.ts` (the two signed messages) `settle.ts` (several reports as one) |
 * | bases | `base.ts` (manifests) |
 * | the judge | `identity.ts` (who signs) `judge_messages.ts` (what it is asked and answers) |
 *
 * @example A commitment and what it binds
 * ```ts
 * import assert from "node:assert/strict";
 * import { commitment, equal, sha256, utf8 } from "./mod.ts";
 *
 * const [ledger, content, salt] = ["ledger", "gradient", "salt"].map((text) => sha256(utf8(text)));
 * assert(!equal(commitment(ledger!, 1, 5, content!, salt!), commitment(ledger!, 2, 5, content!, salt!)));
 * ```
 *
 * @module
 */

export * from "./bytes.ts";
export * from "./hash.ts";
export * from "./refusal.ts";

export * from "./bcs.ts";
export * from "./cbor.ts";
export * from "./cose.ts";
export * from "./f16.ts";

export * from "./hparams.ts";
export * from "./window.ts";
export * from "./errors.ts";

export * from "./drand.ts";
export * from "./draw.ts";

export * from "./merkle.ts";
export * from "./dataset.ts";

export * from "./gradient/mod.ts";
export * from "./commit.ts";

export * from "./verdict.ts";
export * from "./report.ts";
export * from "./sample.ts";
export * from "./job_pages.ts";
export * from "./job_verdict.ts";
export * from "./settle.ts";

export * from "./base.ts";

export * from "./identity.ts";
export * from "./judge_messages.ts";
