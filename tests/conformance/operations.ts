/**
 * Everything that a trace may do.
 *
 * @module
 */
import { GOVERNANCE, TIMES } from "./governance.ts";
import { JOBS } from "./jobs.ts";
import { JUDGING } from "./judging.ts";
import { type Operation, SLOTS } from "./slots.ts";
import { TOKENS } from "./tokens.ts";

/** By name. */
export const OPERATIONS = {
  ...SLOTS,
  ...JUDGING,
  ...JOBS,
  ...TOKENS,
  ...TIMES,
  ...GOVERNANCE,
} satisfies Record<string, Operation>;

/** A name in {@link OPERATIONS}. */
export type OperationName = keyof typeof OPERATIONS;
