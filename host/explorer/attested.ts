/**
 * A judge's attestation document, checked step by step. Pure: the server shows what it found, and the page can
 * make the same checks by itself.
 *
 * @module
 */
import {
  AttestationError,
  type Check,
  CHECKS,
  parseDocument,
  type RootPolicy,
  verify,
} from "../../attestation/mod.ts";
import { type Bytes, equal, fromHex, toHex } from "../../enclave/protocol/bytes.ts";
import { addressBytes, userDataOf } from "../../enclave/protocol/identity.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";

/** A registered key with its document, as JSON has it. */
export interface AttestedKey {
  /** The judge's key, 32 bytes, hexadecimal. */
  readonly key: string;
  /** Its validator. */
  readonly uid: number;
  /** Whose that is. */
  readonly owner: string;
  /** COSE_Sign1, hexadecimal. */
  readonly document: string;
}

/** What a document is held against. */
export interface Expected {
  /** 32 bytes, hexadecimal. */
  readonly chainId: string;
  /** 32 bytes, hexadecimal. */
  readonly ledgerId: string;
  /** DER of a SIMULATED root, hexadecimal; null is AWS's. */
  readonly simulatedRoot: string | null;
  /** Approved builds. */
  readonly measurements: readonly { readonly name: string; readonly pcrs: readonly string[] }[];
}

/** One check of a document. */
export interface CheckResult {
  /** Its name. */
  readonly check: Check;
  /** `unmade` where an earlier one failed. */
  readonly result: "pass" | "fail" | "unmade";
  /** Why it failed. */
  readonly detail: string | null;
}

/** A PCR beside the approved ones. */
export interface PcrResult {
  /** Its index. */
  readonly index: number;
  /** 48 bytes, hexadecimal. */
  readonly value: string;
  /** Names of the approved builds that have it. */
  readonly approvedIn: readonly string[];
}

/** What a document is. */
export interface Inspected {
  /** In the order in which they are made. */
  readonly checks: readonly CheckResult[];
  /** PCR0, 1 and 2 as the document says; empty where it cannot be read. */
  readonly pcrs: readonly PcrResult[];
  /** The approved build that it was found to be, or null. */
  readonly measurement: string | null;
  /** Whether every check passed. */
  readonly isAccepted: boolean;
}

/** Check the document of `row`, at its own time. */
export async function inspect(row: AttestedKey, expected: Expected): Promise<Inspected> {
  const passed: Check[] = [];
  let failure: { code: string; message: string } | null = null;
  let measurement: string | null = null;
  try {
    const { chainId, ledgerId } = expected;
    const attested = await verify(fromHex(row.document), {
      root: rootOf(expected),
      time: { kind: "archived" },
      measurements: expected.measurements.map(({ name, pcrs }) => ({
        name,
        pcrs: new Map(pcrs.map((pcr, i) => [i, fromHex(pcr, 48)])),
      })),
      publicKey: fromHex(row.key, 32),
      userData: userDataOf({
        chainId: fromHex(chainId, 32),
        ledgerId: fromHex(ledgerId, 32),
        validator: row.uid,
        address: addressBytes(row.owner),
      }),
      debug: "refuse",
    }, (check) => passed.push(check));
    measurement = attested.measurement;
  } catch (error) {
    if (!(error instanceof AttestationError || error instanceof Refusal)) throw error;
    failure = error;
  }
  return {
    checks: CHECKS.map((check, i) => {
      if (i < passed.length) return { check, result: "pass", detail: null };
      if (i > passed.length || failure === null) return { check, result: "unmade", detail: null };
      return { check, result: "fail", detail: `${failure.code}: ${failure.message}` };
    }),
    pcrs: pcrsOf(row, expected),
    measurement,
    isAccepted: failure === null,
  };
}

function rootOf(expected: Expected): RootPolicy {
  if (expected.simulatedRoot === null) return { kind: "aws" };
  const simulatedRoot = fromHex(expected.simulatedRoot);
  return { kind: "simulated", der: simulatedRoot };
}

function pcrsOf(row: AttestedKey, { measurements }: Expected): PcrResult[] {
  let pcrs: ReadonlyMap<number, Bytes>;
  try {
    pcrs = parseDocument(fromHex(row.document)).pcrs;
  } catch {
    return []; // the checks say why
  }
  return [0, 1, 2].flatMap((index) => {
    const found = pcrs.get(index);
    if (found === undefined) return [];
    const approvedIn = measurements.filter((one) => equal(fromHex(one.pcrs[index]!, 48), found))
      .map(({ name }) => name);
    return [{ index, value: toHex(found), approvedIn }];
  });
}
