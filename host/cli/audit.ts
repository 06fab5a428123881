/**
 * `deno task audit document`: from what an enclave answered to a verdict, in one command; and
 * `deno task audit replay`: a window of a stranger's network, judged again.
 *
 * @module
 */
import { AttestationError } from "../../attestation/mod.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import { type AuditArgs, parseAuditArgs } from "./args_audit.ts";
import { parseReplayArgs } from "./args_replay.ts";
import { readInput } from "./audit/input.ts";
import { policyOf } from "./audit/policy.ts";
import { reportJson, reportText } from "./audit/report.ts";
import { auditDocument, STATUS } from "./audit/verdict.ts";
import { useNativeSha256 } from "./native.ts";
import { runReplay } from "./replay/main.ts";

/** Status of a wrong call: measurements that cannot be read, or that approve what is refused. */
const USAGE_STATUS = 2;

async function run(args: AuditArgs): Promise<number> {
  const policy = await policyOf(args, SYSTEM_CLOCK);
  const audit = await auditDocument(() => readInput(args.document), policy);
  console.log(
    args.json
      ? JSON.stringify(reportJson(args.document, policy, audit))
      : reportText(args.document, policy, audit),
  );
  return STATUS[audit.verdict];
}

if (import.meta.main) {
  useNativeSha256();
  if (Deno.args[0] === "replay") Deno.exit(await runReplay(parseReplayArgs(Deno.args)));
  const args = parseAuditArgs(Deno.args);
  try {
    Deno.exit(await run(args));
  } catch (error) {
    // Nothing was said about the document: no verdict's status.
    const misused = error instanceof Refusal || error instanceof TypeError;
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(misused || error instanceof AttestationError ? USAGE_STATUS : 1);
  }
}
