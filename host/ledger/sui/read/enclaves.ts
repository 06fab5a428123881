/**
 * Builds, keys, and the documents that attested them.
 *
 * @module
 */
import type { SuiGrpcClient } from "@mysten/sui/grpc";
import { type Bytes, toHex } from "../../../../enclave/protocol/bytes.ts";
import type { AttestationRow, EnclaveRow, MeasurementRow } from "../../ledger.ts";
import { SuiError } from "../errors.ts";
import { bytes, decode, type Of } from "../layout/layout.ts";
import { type Enclave, EnclaveRegistryInner } from "../layout/scores.ts";
import { readError } from "../rpc_error.ts";
import type { StateReader } from "../state_reader.ts";
import type { Head } from "./head.ts";
import { seatedValidators } from "./head.ts";

/** The state of `enclave_registry`. */
export async function readEnclaves(
  reader: StateReader,
): Promise<Of<typeof EnclaveRegistryInner>> {
  return (await reader.inners(["enclaveRegistry", EnclaveRegistryInner]))[0];
}

/** All approved builds, by name. */
export async function readMeasurements(reader: StateReader): Promise<MeasurementRow[]> {
  const { measurements } = await readEnclaves(reader);
  return measurements
    .map(({ active_from, name, pcr0, pcr1, pcr2 }): MeasurementRow => ({
      name,
      pcrs: [pcr0, pcr1, pcr2],
      activeFrom: active_from,
    }))
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

function toEnclave(key: Bytes, row: Of<typeof Enclave>): EnclaveRow {
  return {
    key,
    uid: row.uid,
    documentMs: row.document_ms,
    registeredMs: row.registered_ms,
    expiresMs: row.expires_ms,
    measurement: row.measurement,
    simulated: false, // Sui's verifier knows AWS's root alone
  };
}

/** The active key of a validator: of who is seated, or else of who will be. */
export async function readEnclave(
  reader: StateReader,
  head: Head,
  uid: number,
): Promise<EnclaveRow | null> {
  const owner = seatedValidators(head).find((seat) => seat.uid === uid)?.owner ??
    head.validators.pending.find((change) => change.uid === uid)?.owner ?? null;
  if (owner === null) return null;
  const inner = await readEnclaves(reader);
  const key = (await reader.entry(inner.holders, { uid, owner }))?.active ?? null;
  if (key === null) return null;
  const row = await reader.entry(inner.keys, key);
  return row === null ? null : toEnclave(key, row);
}

/** How a key was registered, without its document; null for a key that never was. */
export async function readKey(
  reader: StateReader,
  key: Bytes,
): Promise<Omit<AttestationRow, "document"> | null> {
  const inner = await readEnclaves(reader);
  const row = await reader.entry(inner.keys, key);
  return row === null ? null : { ...toEnclave(key, row), owner: row.owner };
}

/** The document that a registering transaction brought: the argument of `load_nitro_attestation`. */
export async function readDocument(
  client: SuiGrpcClient,
  digest: string,
  key: Bytes,
  timeoutMs: number,
): Promise<Bytes> {
  let result;
  try {
    result = await client.core.getTransaction({
      digest,
      include: { transaction: true },
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    if (error instanceof Error && "reason" in error && error.reason === "notFound") {
      throw new SuiError(
        "history_pruned",
        `The node no longer has transaction ${digest}, which brought the document of a key`,
        { cause: error, digest },
      );
    }
    throw readError(error);
  }
  const { commands, inputs } = (result.Transaction ?? result.FailedTransaction).transaction;
  for (const command of commands) {
    if (!("MoveCall" in command)) continue;
    if (command.MoveCall.function !== "load_nitro_attestation") continue;
    const [argument] = command.MoveCall.arguments;
    if (argument === undefined || !("Input" in argument)) continue;
    const input = inputs[argument.Input];
    if (input === undefined || !("Pure" in input)) continue;
    const raw = Uint8Array.from(atob(input.Pure.bytes), (char) => char.charCodeAt(0));
    const document = decode(bytes, raw, `the document of transaction ${digest}`);
    // A transaction may register several keys: the key's own bytes are in its document.
    if (toHex(document).includes(toHex(key))) return document;
  }
  throw new SuiError(
    "bad_layout",
    `Transaction ${digest} brought no document of key ${toHex(key)}`,
  );
}
