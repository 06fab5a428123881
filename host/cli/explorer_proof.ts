/**
 * The explorer's proof, as the browser runs it: the checks of `deno task report verify`, and that the page shows
 * nothing else than what the receipt proves. It is bundled when a page first asks for it.
 *
 * @module
 */
import { parseMeasurements } from "../../attestation/mod.ts";
import { type Bytes, toHex } from "../../enclave/protocol/bytes.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { BIAS } from "../../enclave/protocol/report.ts";
import { type DetailSource, windowDetail } from "../explorer/detail.ts";
import type { ProofInput, WindowProof } from "../explorer/proof_types.ts";
import { toWire } from "../explorer/wire.ts";
import type { SignedRow } from "../ledger/ledger.ts";
import { decodeReceipt, type Receipt } from "../receipt/format.ts";
import { CheckError, Facts, holds, type Trust } from "./report/facts.ts";
import { checked, UNCHECKED, verifyReceipt } from "./report/verify.ts";

export { inspect } from "../explorer/attested.ts";

/** Verify a window's receipt, and that the page shows what it proves. */
export async function verifyWindow(input: ProofInput): Promise<WindowProof> {
  const { acceptSimulated, pcrs } = input;
  let receipt: Receipt;
  try {
    receipt = decodeReceipt(input.receipt);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const check = { name: "receipt", ok: false, detail: error.message };
    return { checks: [check], ok: false, simulated: false, unchecked: UNCHECKED };
  }
  const simulatedRoot = acceptSimulated ? receipt.simulated_root : null;
  const trust: Trust = {
    ...(simulatedRoot === null ? {} : { simulatedRoot }),
    ...(pcrs === null ? {} : { approved: parseMeasurements(new Uint8Array(pcrs)) }),
  };
  const checks = [
    ...await verifyReceipt(receipt, trust),
    await checked("page", () => checkPage(new Facts(receipt, trust), input)),
  ];
  const simulated = receipt.simulated_root !== null;
  return { checks, ok: checks.every(({ ok }) => ok), simulated, unchecked: UNCHECKED };
}

/** The page shows what the receipt says, value by value. */
function checkPage(facts: Facts, { ledgerId, shown }: ProofInput): string {
  const { context } = facts;
  const found = toHex(context.ledgerId);
  holds(found === ledgerId, `the receipt is of ledger ${found}, the page of ${ledgerId}`);
  const told = toWire(windowDetail(sourceOf(facts), messagesOf(facts.receipt)));
  return `all ${compare(told, shown, "")} values on the page are the receipt's`;
}

/** How many values are the same. @throws {CheckError} at the first that is not. */
function compare(told: unknown, shown: unknown, path: string): number {
  if (typeof told !== "object" || told === null) {
    if (Object.is(told, shown)) return 1;
    const [here, there] = [JSON.stringify(shown), JSON.stringify(told)];
    throw new CheckError(`the page shows ${here} as ${path}, the receipt says ${there}`);
  }
  holds(typeof shown === "object" && shown !== null, `the page shows no ${path}`);
  const names = new Set([...Object.keys(told), ...Object.keys(shown)]);
  let count = 0;
  for (const name of names) {
    const [a, b] = [told, shown].map((value) => (value as Record<string, unknown>)[name]);
    count += compare(a, b, path === "" ? name : `${path}.${name}`);
  }
  return count;
}

function sourceOf(facts: Facts): DetailSource {
  const { context, deadlines, receipt, settled, window } = facts;
  const { payout, settlement } = receipt;
  return {
    window,
    status: receipt.status,
    skipReason: receipt.skip_reason,
    deadlines,
    context,
    digest: receipt.digest,
    reveals: receipt.reveals.map((row) => ({
      uid: row.uid,
      owner: row.owner,
      commitSeq: row.commit_seq,
      contentHash: row.content_hash,
      size: row.size,
      codec: row.codec,
      ref: row.ref,
    })),
    snapshot: receipt.snapshot.map(({ owner, stake, uid }) => ({
      uid,
      owner,
      stake: BigInt(stake),
    })),
    settled: settlement === null ? null : {
      ...settled!,
      digest: settlement.digest,
      records: settlement.records.map((row) => ({
        uid: row.uid,
        average: row.average,
        priorAverage: row.prior_average,
        priorMeasured: row.prior_measured,
        priorAccepted: row.prior_accepted,
      })),
    },
    payout: payout === null ? null : {
      miners: payout.miners.map(({ mu_biased, owner, reward, sigma, uid, weight }) => ({
        uid,
        owner,
        weight: BigInt(weight),
        reward: BigInt(reward),
        mu: Number(BigInt(mu_biased) - BIAS),
        sigma,
      })),
      validators: payout.validators.map(({ counted, owner, reward, uid }) => ({
        uid,
        owner,
        counted,
        reward: BigInt(reward),
      })),
      issued: BigInt(payout.issued),
      mergedHash: payout.merged_hash,
      currentLoss: payout.current_loss,
      mergedLoss: payout.merged_loss,
    },
  };
}

function messagesOf({ outcomes, reports }: Receipt) {
  const rows = (signed: Receipt["reports"]): SignedRow[] =>
    signed.map(({ at_ms, key, message, signature, validator }) => ({
      validator,
      message: message as Bytes,
      signature,
      key,
      atMs: at_ms,
    }));
  return { reports: rows(reports), outcomes: rows(outcomes) };
}
