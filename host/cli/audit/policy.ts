/**
 * From arguments to the policy that a document is held to.
 *
 * @module
 */
import {
  type ApprovedSet,
  DEBUG_MEASUREMENT,
  MAX_MEASUREMENTS_BYTES,
  parseMeasurements,
  type Policy,
  type RootPolicy,
} from "../../../attestation/mod.ts";
import type { Clock } from "../../ledger/clock.ts";
import { DevLedger } from "../../ledger/dev/dev_ledger.ts";
import type { ApprovedSource, AuditArgs } from "../args_audit.ts";
import { readInput } from "./input.ts";

/** The ledger's file in a test network's data directory. */
const LEDGER_FILE = "ledger.sqlite";

/**
 * The policy that `args` ask for.
 *
 * @throws {Refusal} where the measurements cannot be read; {TypeError} where the ledger has none, or no
 * simulated root.
 */
export async function policyOf(args: AuditArgs, clock: Clock): Promise<Policy> {
  const { root, measurements } = await approvals(args.approved, clock);
  return {
    root,
    time: args.at === "document"
      ? { kind: "archived" }
      : { kind: "live", now: args.at === "now" ? clock.now() : args.at },
    measurements: args.allowDebug ? [...measurements, DEBUG_MEASUREMENT] : measurements,
    ...(args.nonce === undefined ? {} : { nonce: args.nonce }),
    ...(args.allowDebug ? { debug: "allow-by-name" } : {}),
    fieldBytes: 1_024,
  };
}

async function approvals(
  source: ApprovedSource,
  clock: Clock,
): Promise<{ readonly root: RootPolicy; readonly measurements: ApprovedSet }> {
  if (source.kind === "ledger") return await fromLedger(source.dir, source.simulatedRoot, clock);
  const root: RootPolicy = { kind: "aws" };
  if (source.kind === "pcrs") {
    return { root, measurements: [{ name: "command line", pcrs: new Map(source.pcrs.entries()) }] };
  }
  const json = await readInput(source.path, { maxBytes: MAX_MEASUREMENTS_BYTES });
  return { root, measurements: parseMeasurements(json) };
}

async function fromLedger(dir: string, simulated: boolean, clock: Clock) {
  const path = `${dir}/${LEDGER_FILE}`;
  if (!DevLedger.exists(path)) throw new TypeError(`Cannot audit: there is no network in ${dir}`);
  using ledger = DevLedger.open(path, clock);
  const rows = await ledger.measurements();
  const { simulatedRoot } = await ledger.info();
  if (simulated && simulatedRoot === null) {
    throw new TypeError(`Cannot audit: the network in ${dir} has no simulated root`);
  }
  const root: RootPolicy = simulated && simulatedRoot !== null
    ? { kind: "simulated", der: simulatedRoot }
    : { kind: "aws" };
  const measurements: ApprovedSet = rows.map(({ name, pcrs, activeFrom }) => ({
    name,
    pcrs: new Map(pcrs.entries()),
    notBefore: activeFrom,
  }));
  return { root, measurements };
}
