/**
 * The validators, and what their judges' documents prove.
 *
 * @module
 */
import { toHex } from "../../enclave/protocol/bytes.ts";
import type { AttestationRow, MeasurementRow, NetworkInfo } from "../ledger/ledger.ts";
import type { ApiParts } from "./api.ts";
import { type Expected, inspect, type Inspected } from "./attested.ts";
import type { Badge } from "./network.ts";
import { toWire } from "./wire.ts";

/** Results that are kept: a document's are the same for ever under the same approvals. */
const MAX_KEPT = 256;
const kept = new Map<string, Inspected>();

/** What a document of this network is held against. */
export function expectedOf(
  info: NetworkInfo,
  measurements: readonly MeasurementRow[],
): Expected {
  return {
    chainId: toHex(info.chainId),
    ledgerId: toHex(info.ledgerId),
    simulatedRoot: info.simulatedRoot === null ? null : toHex(info.simulatedRoot),
    measurements: measurements.map(({ name, pcrs }) => ({ name, pcrs: pcrs.map(toHex) })),
  };
}

/** Every validator with its active key, its document and every check's result. */
export async function enclaves({ ledger }: ApiParts) {
  const [info, validators, measurements] = await Promise.all([
    ledger.info(),
    ledger.validators(),
    ledger.measurements(),
  ]);
  const expected = expectedOf(info, measurements);
  const found = [];
  for (const validator of validators) {
    const row = await ledger.enclave(validator.uid);
    const attestation = row === null ? null : await ledger.attestation(row.key);
    found.push({
      ...toWire(validator),
      badge: attestation === null ? null : badgeOf(info, attestation),
      enclave: attestation === null ? null : toWire(attestation),
      inspected: attestation === null ? null : await inspected(attestation, expected),
    });
  }
  const nowMs = ledger.now();
  return { expected, nowMs, validators: found };
}

function badgeOf({ kind }: NetworkInfo, { measurement, simulated }: AttestationRow): Badge {
  if (simulated) return "SIMULATED";
  return kind === "dev" || measurement === "debug" ? "DEV" : "NITRO ENCLAVE";
}

async function inspected(row: AttestationRow, expected: Expected): Promise<Inspected> {
  const wire = toWire(row);
  const name = JSON.stringify([wire.key, wire.documentMs, wire.owner, expected]);
  const known = kept.get(name);
  if (known !== undefined) return known;
  const made = await inspect(wire, expected);
  if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!);
  kept.set(name, made);
  return made;
}
