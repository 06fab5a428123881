/**
 * What an audit found: how far a document got, and what that makes of it.
 *
 * @module
 */
import {
  type AttestationDocument,
  AttestationError,
  type Attested,
  type Check,
  CHECKS,
  parseDocument,
  type Policy,
  unwrapDocument,
  verify,
} from "../../../attestation/mod.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";

/** What a document is. */
export type Verdict =
  | "approved"
  | "not_approved"
  | "debug"
  | "expired"
  | "not_genuine"
  | "unreadable";

/** The status that an audit ends with. 1 is a defect or an interruption, 2 a wrong call. */
export const STATUS: Readonly<Record<Verdict, number>> = {
  approved: 0,
  not_approved: 3,
  debug: 4,
  expired: 5,
  not_genuine: 6,
  unreadable: 7,
};

/** What it means where a check is the one that fails. From `time` on the signatures hold under the root. */
const FAILURE: Readonly<Record<Check, Verdict>> = {
  envelope: "unreadable",
  payload: "unreadable",
  root: "not_genuine",
  certificates: "not_genuine",
  signature: "not_genuine",
  chain: "not_genuine",
  time: "expired",
  debug: "debug",
  measurement: "not_approved",
  fields: "not_approved",
};

/** The result of one check. */
export interface CheckResult {
  /** Its name. */
  readonly check: Check;
  /** Checks after the one that fails are not made. */
  readonly result: "pass" | "fail" | "not reached";
}

/** What an audit found. */
export interface Audit {
  /** What the document is. */
  readonly verdict: Verdict;
  /** Every check in order. */
  readonly checks: readonly CheckResult[];
  /** What was attested; only where the verdict is `approved`. */
  readonly attested?: Attested;
  /** What an unaccepted document claims, where it can be read: UNVERIFIED unless it is genuine. */
  readonly claims?: AttestationDocument;
  /** Why it was refused. */
  readonly refusal?: Refusal;
}

/**
 * Hold what `read` resolves to against `policy`.
 *
 * @throws {AttestationError} `bad_policy` or `empty_policy`: then nothing was said about the document.
 */
export async function auditDocument(
  read: () => Promise<Uint8Array>,
  policy: Policy,
): Promise<Audit> {
  const passed: Check[] = [];
  let document: Uint8Array | undefined;
  try {
    document = unwrapDocument(await read());
    const attested = await verify(document, policy, (check) => passed.push(check));
    return { verdict: "approved", checks: results(passed), attested };
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    const misused = ["bad_policy", "empty_policy"].includes(refusal.code);
    if (misused && refusal instanceof AttestationError) throw refusal;
    return {
      verdict: document === undefined ? "unreadable" : FAILURE[CHECKS[passed.length]!],
      checks: results(passed, document === undefined ? undefined : CHECKS[passed.length]),
      ...(passed.includes("payload") ? { claims: parseDocument(document!) } : {}),
      refusal,
    };
  }
}

function results(passed: readonly Check[], failed?: Check): CheckResult[] {
  return CHECKS.map((check) => ({
    check,
    result: passed.includes(check) ? "pass" : check === failed ? "fail" : "not reached",
  }));
}
