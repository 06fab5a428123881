/**
 * Verification of a receipt, offline: every check by its name, in the order in which trust is built.
 *
 * @module
 */
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import type { Receipt } from "../../receipt/mod.ts";
import {
  checkBeacon,
  checkContext,
  checkManifests,
  checkPages,
  checkReveals,
  checkTimes,
} from "./bound.ts";
import { checkEvents } from "./events.ts";
import { CheckError, Facts, type Trust } from "./facts.ts";
import { checkBase, checkPay, checkQuorum, checkRatings, checkSettlement } from "./settled.ts";
import { checkAttestation, checkOutcomes, checkReports } from "./signed.ts";

/** A check: says what held, or throws {@link CheckError} or a Refusal. */
type Check = (facts: Facts) => string | Promise<string>;

/** All checks. */
const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ["context", checkContext],
  ["times", checkTimes],
  ["beacon", checkBeacon],
  ["reveals", checkReveals],
  ["manifests", checkManifests],
  ["pages", checkPages],
  ["attestation", checkAttestation],
  ["reports", checkReports],
  ["settlement", checkSettlement],
  ["outcomes", checkOutcomes],
  ["quorum", checkQuorum],
  ["ratings", checkRatings],
  ["base", checkBase],
  ["pay", checkPay],
  ["events", checkEvents],
];

/** How one check ended. */
export interface Checked {
  /** Its name. */
  readonly name: string;
  /** Whether it holds. */
  readonly ok: boolean;
  /** What held, or what does not. */
  readonly detail: string;
}

/** What no receipt can show, said with every verdict. */
export const UNCHECKED: readonly string[] = [
  "the losses themselves: deno task audit replay measures them again",
  "what the ledger alone says: stakes, owners, miners' records before the window, times, what was issued before",
];

/** Run every check; one that fails does not hide the next. */
export async function verifyReceipt(receipt: Receipt, trust: Trust): Promise<Checked[]> {
  const facts = new Facts(receipt, trust);
  const done: Checked[] = [];
  for (const [name, check] of CHECKS) done.push(await checked(name, () => check(facts)));
  return done;
}

/** Run one check: its errors are its result, others pass through. */
export async function checked(
  name: string,
  run: () => string | Promise<string>,
): Promise<Checked> {
  try {
    return { name, ok: true, detail: await run() };
  } catch (error) {
    if (!(error instanceof CheckError || error instanceof Refusal || error instanceof RangeError)) {
      throw error;
    }
    return { name, ok: false, detail: error.message };
  }
}
