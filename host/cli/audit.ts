/**
 * `deno task audit document`: from what an enclave answered to a verdict, in one command;
 * `deno task audit replay`: a window of a stranger's network, judged again;
 * `deno task audit eif`: an image taken apart and measured; and
 * `deno task audit rebuild`: the image built from this source and held against a release.
 *
 * @module
 */
import { AttestationError } from "../../attestation/mod.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import { type AuditArgs, parseAuditArgs } from "./args_audit.ts";
import { parseEifArgs } from "./args_eif.ts";
import { parseRebuildArgs } from "./args_rebuild.ts";
import { parseReplayArgs } from "./args_replay.ts";
import { runEif } from "./audit/eif.ts";
import { readInput } from "./audit/input.ts";
import { policyOf } from "./audit/policy.ts";
import { reportJson, reportText } from "./audit/report.ts";
import { runRebuild } from "./audit/rebuild.ts";
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

/** What the first word asks for, its arguments parsed. Does not return where they are wrong. */
function workOf(argv: readonly string[]): () => Promise<number> {
  if (argv[0] === "eif") {
    const args = parseEifArgs(argv);
    return () => runEif(args);
  }
  if (argv[0] === "rebuild") {
    const args = parseRebuildArgs(argv);
    return async () => {
      // Loaded only here: to check a document takes no builder.
      const { buildImage } = await import("../../nitro/build/build.ts");
      return await runRebuild(args, buildImage);
    };
  }
  const args = parseAuditArgs(argv);
  return () => run(args);
}

if (import.meta.main) {
  useNativeSha256();
  if (Deno.args[0] === "replay") Deno.exit(await runReplay(parseReplayArgs(Deno.args)));
  const work = workOf(Deno.args);
  try {
    Deno.exit(await work());
  } catch (error) {
    // Nothing was said about the document or the image: no verdict's status.
    const misused = error instanceof Refusal || error instanceof TypeError;
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(misused || error instanceof AttestationError ? USAGE_STATUS : 1);
  }
}
