/**
 * The checks of who signed: attestation documents, reports, outcomes.
 *
 * @module
 */
import {
  type ApprovedSet,
  AttestationError,
  type Policy,
  type RootPolicy,
  verify,
} from "../../../attestation/mod.ts";
import { compare, equal, toHex } from "../../../enclave/protocol/bytes.ts";
import { addressBytes, userDataOf, verifySignature } from "../../../enclave/protocol/identity.ts";
import type { MessageHead } from "../../../enclave/protocol/report.ts";
import { ratedUids } from "../../../enclave/protocol/report.ts";
import type { Receipt } from "../../receipt/mod.ts";
import { CheckError, type Facts, holds, same } from "./facts.ts";

type Key = Receipt["keys"][number];
type SignedRow = Receipt["reports"][number];

/** Every key that signed was attested by a document that the policy accepts. */
export async function checkAttestation(facts: Facts): Promise<string> {
  const { receipt: { keys, reports, outcomes, measurements, snapshot } } = facts;
  for (const [i, { key, validator, owner }] of keys.entries()) {
    const hex = toHex(key);
    holds(i === 0 || compare(keys[i - 1]!.key, key) < 0, `key ${hex} is out of order`);
    const used = [...reports, ...outcomes].some((row) => equal(row.key, key));
    holds(used, `key ${hex} signed nothing here`);
    const seat = snapshot.find(({ uid }) => uid === validator);
    holds(seat?.owner === owner, `key ${hex} is of ${owner}, who is not validator ${validator}`);
  }
  for (const { name } of measurements) {
    holds(keys.some(({ measurement }) => measurement === name), `no key is of build ${name}`);
  }
  for (const key of keys) await checkKey(facts, key);
  if (keys.length === 0) return "nobody signed";
  const { trust } = facts;
  const root = trust.simulatedRoot === undefined ? "AWS's" : "SIMULATED, as named";
  const from = trust.approved === undefined
    ? "as the receipt says its ledger approved"
    : "as given";
  const names = [...new Set(keys.map(({ measurement }) => measurement))].join(", ");
  const many = keys.length === 1 ? "1 key" : `${keys.length} keys`;
  return `${many}, root ${root}; measurement ${names}, ${from}`;
}

async function checkKey({ receipt, context, trust }: Facts, row: Key): Promise<void> {
  const { key, validator, owner, document } = row;
  const who = `the document of validator ${validator}`;
  if (receipt.simulated_root !== null && trust.simulatedRoot === undefined) {
    throw new CheckError(
      `${who} hangs from a SIMULATED root, which proves no hardware: to accept it, name it with --simulated-root`,
    );
  }
  if (receipt.simulated_root !== null) {
    same(receipt.simulated_root, trust.simulatedRoot!, "the SIMULATED root of the receipt");
  }
  const root: RootPolicy = trust.simulatedRoot === undefined
    ? { kind: "aws" }
    : { kind: "simulated", der: trust.simulatedRoot };
  const { chainId, ledgerId } = context;
  const address = addressBytes(owner);
  const policy: Policy = {
    root,
    time: { kind: "archived" },
    measurements: trust.approved ?? approvedBy(receipt),
    publicKey: key,
    userData: userDataOf({ chainId, ledgerId, validator, address }),
    debug: "refuse",
  };
  try {
    const attested = await verify(document, policy);
    holds(attested.timestamp === row.document_ms, `${who} is not of the registered time`);
    const named = trust.approved !== undefined || attested.measurement === row.measurement;
    holds(named, `${who} is of build ${attested.measurement}, not ${row.measurement}`);
    holds(row.simulated === (attested.root === "simulated"), `${who} has another kind of root`);
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error;
    throw new CheckError(`${who} (${error.code}): ${error.message}`);
  }
}

function approvedBy({ measurements }: Receipt): ApprovedSet {
  return measurements.map(({ name, pcrs }) => ({ name, pcrs: new Map(pcrs.entries()) }));
}

/** What both kinds of messages must be; returns the key's row. */
function checkSigned(facts: Facts, rows: readonly SignedRow[], at: number, what: string): Key {
  const { receipt: { keys }, deadlines } = facts;
  const row = rows[at]!;
  const who = `the ${what} of validator ${row.validator}`;
  holds(
    rows.findIndex(({ validator }) => validator === row.validator) === at,
    `${who} is there twice`,
  );
  const key = keys.find((other) => equal(other.key, row.key));
  holds(key !== undefined, `${who} is by key ${toHex(row.key)}, which has no document`);
  holds(key.validator === row.validator, `${who} is by a key of validator ${key.validator}`);
  holds(verifySignature(row.signature, row.message, row.key), `${who} has a wrong signature`);
  const deadline = what === "report" ? deadlines.report : deadlines.outcome;
  holds(
    row.at_ms >= deadlines.end && row.at_ms < deadline,
    `${who} came at ${row.at_ms}, not between ${deadlines.end} and ${deadline}`,
  );
  holds(row.at_ms < key.expires_ms, `${who} came after its key expired`);
  return key;
}

function checkHead(facts: Facts, head: MessageHead, row: SignedRow, what: string): void {
  const { context } = facts;
  holds(
    equal(head.chainId, context.chainId) && equal(head.ledgerId, context.ledgerId) &&
      head.window === context.window && head.validator === row.validator,
    `the ${what} of validator ${row.validator} is about another chain, ledger, window or validator`,
  );
}

/** Each report is signed by an attested key, of this window's digest, with one entry for every reveal. */
export function checkReports(facts: Facts): string {
  const { receipt, deadlines, uids } = facts;
  for (const at of receipt.reports.keys()) {
    const { validator } = receipt.reports[at]!;
    const key = checkSigned(facts, receipt.reports, at, "report");
    holds(
      key.registered_ms < deadlines.reveal,
      `the key of validator ${validator} was registered after the reveals`,
    );
    facts.stakeOf(validator);
  }
  for (const { at, value } of facts.reports) {
    const row = receipt.reports[at]!;
    checkHead(facts, value, row, "report");
    same(value.windowDigest, receipt.digest, `the digest that validator ${row.validator} judged`);
    const told = value.entries.map(({ uid }) => uid);
    holds(
      told.length === uids.length && told.every((uid, i) => uid === uids[i]),
      `validator ${row.validator} did not report exactly the revealed uids`,
    );
  }
  return `${receipt.reports.length} signed, each about the digest and every reveal`;
}

/** Each outcome is signed by an attested key, about this settlement, and rates exactly the rated miners. */
export function checkOutcomes(facts: Facts): string {
  const { receipt, settled } = facts;
  for (const at of receipt.outcomes.keys()) {
    checkSigned(facts, receipt.outcomes, at, "outcome");
    facts.stakeOf(receipt.outcomes[at]!.validator);
  }
  for (const { at, value } of facts.outcomes) {
    const row = receipt.outcomes[at]!;
    checkHead(facts, value, row, "outcome");
    if (settled === null) continue;
    const { digest } = receipt.settlement!;
    same(value.settledDigest, digest, `the settlement that validator ${row.validator} signed`);
    const rated = ratedUids(settled.rows);
    holds(
      rated.length === value.ratings.length &&
        rated.every((uid, i) => uid === value.ratings[i]!.uid),
      `validator ${row.validator} did not rate exactly the rated miners`,
    );
  }
  return `${receipt.outcomes.length} signed, each about the settled digest`;
}
