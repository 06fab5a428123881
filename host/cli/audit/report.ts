/**
 * An audit for people (a table, one line a check) and for programs (one JSON object).
 *
 * @module
 */
import type { Check, Policy } from "../../../attestation/mod.ts";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { type Audit, STATUS, type Verdict } from "./verdict.ts";

const WHAT: Readonly<Record<Check, string>> = {
  envelope: "COSE_Sign1 of four parts, ES384, at most 24,576 bytes, nothing trailing",
  payload: "strict CBOR; every field of its kind and size, no key twice",
  root: "cabundle[0] is the trusted root, byte for byte",
  certificates: "strict DER, P-384, ecdsa-with-SHA384, no unknown critical extension",
  signature: "the leaf's key signed the received bytes",
  chain: "root to leaf: names, CA, keyCertSign, pathLen, every signature",
  time: "certificates and the document's age hold at the time in question",
  debug: "not a debug enclave (PCR0, 1 and 2 zero), or allowed by name",
  measurement: "the PCRs are those of an approved measurement, by index",
  fields: "nonce, user_data and public_key: bounded, and as asked for",
};

const MEANING: Readonly<Record<Verdict, string>> = {
  approved: "genuine and approved",
  not_approved: "genuine, but NOT approved",
  debug: "genuine, but a DEBUG enclave: its host can read its memory",
  expired: "genuine, but expired, stale or not valid yet at the time in question",
  not_genuine: "NOT genuine",
  unreadable: "unreadable: not an attestation document",
};

/** Verdicts whose document hangs from the trusted root by sound signatures. */
const GENUINE: readonly Verdict[] = ["approved", "not_approved", "debug", "expired"];

/** The table, lines without a line break at the end of the last. */
export function reportText(source: string, policy: Policy, audit: Audit): string {
  const { verdict, checks, attested, refusal } = audit;
  const lines: (readonly [string, string])[] = [
    ["document", source],
    ["root", rootText(policy)],
    ["time", timeText(policy)],
    ["approved", policy.measurements.map(({ name }) => name).join(", ")],
  ];
  const table = checks.map(({ check, result }) =>
    `${check.padEnd(14)}${result.padEnd(13)}${WHAT[check]}`
  );
  const says = statements(audit);
  return printable([
    ...aligned(lines),
    "",
    `${"check".padEnd(14)}${"result".padEnd(13)}what is checked`,
    ...table,
    ...(says.length === 0 ? [] : ["", heading(verdict), ...aligned(says)]),
    "",
    ...(refusal === undefined ? [] : [`refused: ${refusal.code}: ${refusal.message}`]),
    `verdict: ${MEANING[verdict]}${attested === undefined ? "" : remarks(audit)}`,
  ].join("\n"));
}

/** The object; times are in ISO 8601, bytes in hexadecimal. */
export function reportJson(source: string, policy: Policy, audit: Audit): Record<string, unknown> {
  const { verdict, checks, attested, refusal } = audit;
  return {
    source,
    verdict,
    status: STATUS[verdict],
    genuine: GENUINE.includes(verdict),
    root: policy.root.kind,
    measurement: attested?.measurement ?? null,
    debug: attested?.debug ?? null,
    refusal: refusal === undefined
      ? null
      : { code: refusal.code, field: refusal.field ?? null, message: refusal.message },
    checks,
    document: Object.fromEntries(statements(audit)),
  };
}

function rootText({ root }: Policy): string {
  return root.kind === "aws"
    ? "AWS Nitro Enclaves Root-G1"
    : "SIMULATED: a test network's own root, which proves no hardware";
}

function timeText({ time }: Policy): string {
  return time.kind === "archived"
    ? "the document's own: says what was true then"
    : `${iso(time.now)}, as if it were received then`;
}

function heading(verdict: Verdict): string {
  return verdict === "approved"
    ? "attested"
    : GENUINE.includes(verdict)
    ? "what it says (genuine, not accepted)"
    : "what it claims (NOT VERIFIED)";
}

function remarks({ attested }: Audit): string {
  const debug = attested!.debug ? "; DEBUG, allowed by name: its host can read its memory" : "";
  return `${attested!.root === "simulated" ? " (SIMULATED)" : ""}: ${
    attested!.measurement
  }${debug}`;
}

/** What the document says, by name; null is a field that it does not have, "" one without bytes. */
function statements({ attested, claims }: Audit): [string, string | null][] {
  const document = attested ?? claims;
  if (document === undefined) return [];
  const hex = (value: Uint8Array | null | undefined) => value == null ? null : toHex(value);
  // NSM sends all PCRs; the zero ones above PCR2 were never extended.
  const pcrs = [...document.pcrs].sort(([a], [b]) => a - b)
    .filter(([index, value]) => index < 3 || value.some((byte) => byte !== 0));
  return [
    ["module", document.moduleId],
    ["issued", iso(document.timestamp)],
    ...(attested === undefined ? [] : [entry("valid_until", iso(attested.notAfter))]),
    ...pcrs.map(([index, value]) => entry(`pcr${index}`, toHex(value))),
    ["public_key", hex(document.publicKey)],
    ["user_data", hex(document.userData)],
    ["nonce", hex(document.nonce)],
  ];
}

function entry(name: string, value: string): [string, string] {
  return [name, value];
}

function aligned(rows: readonly (readonly [string, string | null])[]): string[] {
  return rows.map(([name, value]) =>
    `${name.padEnd(14)}${value === null ? "none" : value || "empty"}`
  );
}

/** A document's clock can say anything up to 2^53, which no Date holds. */
function iso(ms: number): string {
  return ms <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}

/** A forged document must not write to the terminal what it likes. */
function printable(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, "\uFFFD");
}
