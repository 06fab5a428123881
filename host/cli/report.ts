/**
 * `deno task report verify`: a window's receipt, checked offline.
 *
 * @module
 */
import { MAX_MEASUREMENTS_BYTES, parseMeasurements } from "../../attestation/mod.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { decodeReceipt, MAX_RECEIPT_BYTES, type Receipt } from "../receipt/mod.ts";
import { parseReportArgs, type ReportArgs } from "./args_report.ts";
import { readInput } from "./audit/input.ts";
import { useNativeSha256 } from "./native.ts";
import type { Trust } from "./report/facts.ts";
import { printer, receiptJson, receiptText } from "./report/show.ts";
import { verifyReceipt } from "./report/verify.ts";

/** Status of a file that cannot be read. */
const UNREADABLE_STATUS = 3;
/** A certificate of a document is at most this long. */
const MAX_ROOT_BYTES = 1_024;

async function trustOf(args: ReportArgs, receipt: Receipt): Promise<Trust> {
  const approved = args.pcrs === undefined
    ? undefined
    : parseMeasurements(await readInput(args.pcrs, { maxBytes: MAX_MEASUREMENTS_BYTES }));
  const simulatedRoot = await rootOf(args, receipt);
  return {
    ...(approved === undefined ? {} : { approved }),
    ...(simulatedRoot === undefined ? {} : { simulatedRoot }),
  };
}

async function rootOf(
  { simulatedRoot }: ReportArgs,
  receipt: Receipt,
): Promise<Bytes | undefined> {
  if (simulatedRoot === undefined) return undefined;
  if (simulatedRoot !== "bundle") {
    return await readInput(simulatedRoot, { maxBytes: MAX_ROOT_BYTES });
  }
  if (receipt.simulated_root === null) {
    throw new TypeError("Cannot use a SIMULATED root: the receipt has none");
  }
  return receipt.simulated_root;
}

function receiptOf(bytes: Bytes, file: string): Receipt {
  try {
    return decodeReceipt(bytes);
  } catch (error) {
    throw new TypeError(`Cannot read ${file} as a receipt: ${(error as Error).message}`);
  }
}

async function run(args: ReportArgs): Promise<number> {
  const bytes = await readInput(args.file, { maxBytes: MAX_RECEIPT_BYTES });
  const receipt = receiptOf(bytes, args.file);
  const checks = await verifyReceipt(receipt, await trustOf(args, receipt));
  const shown = { file: args.file, size: bytes.length, receipt, checks };
  console.log(args.json ? JSON.stringify(receiptJson(shown)) : receiptText(shown, printer()));
  return checks.every(({ ok }) => ok) ? 0 : 1;
}

if (import.meta.main) {
  const args = parseReportArgs(Deno.args);
  useNativeSha256();
  try {
    Deno.exit(await run(args));
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(UNREADABLE_STATUS);
  }
}
