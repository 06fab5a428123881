/**
 * What a caller must say before a document is accepted. Whatever weakens a check is asked for by name.
 *
 * @module
 */
import { PCR_BYTES } from "./document.ts";
import { AttestationError } from "./error.ts";
import type { RootPolicy } from "./roots.ts";

/** One approved image: a name and the PCRs that it must have. */
export interface ApprovedMeasurement {
  /** The name that `Attested.measurement` reports. */
  readonly name: string;
  /** Expected PCRs by index, 48 bytes each: at least 0, 1 and 2. All of them must match. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** First millisecond of approval; unlimited where absent. */
  readonly notBefore?: number;
  /** Last millisecond of approval; unlimited where absent. */
  readonly notAfter?: number;
}

/** The approved images. An empty set approves nothing and is refused. */
export type ApprovedSet = readonly ApprovedMeasurement[];

/** The moment at which certificates and approvals must hold. */
export type TimePolicy =
  /**
   * Now, in milliseconds: certificates are valid now (leaves live 3 hours and are not backdated, so a clock
   * that is up to 30 s behind is tolerated), and the document is at most `maxAgeMs` old (default 600,000).
   */
  | { readonly kind: "live"; readonly now: number; readonly maxAgeMs?: number }
  /** The document's own timestamp: says what was true then, nothing about now. */
  | { readonly kind: "archived" };

/** What `verify` requires of a document. */
export interface Policy {
  /** The root of trust. */
  readonly root: RootPolicy;
  /** The time in question. */
  readonly time: TimePolicy;
  /** The approved images: there is no way to leave them out. */
  readonly measurements: ApprovedSet;
  /** The challenge that was sent: the document's nonce must equal it. The caller uses each one once. */
  readonly nonce?: Uint8Array;
  /** `"ed25519"`: any sound Ed25519 key; bytes: exactly this key, and sound. Absent: not looked at. */
  readonly publicKey?: "ed25519" | Uint8Array;
  /** Compared whole. Absent: not looked at. */
  readonly userData?: Uint8Array;
  /** Debug enclaves, whose memory their host can read: refused unless asked for by name. */
  readonly debug?: "refuse" | "allow-by-name";
  /** Most bytes of user_data and nonce: AWS's text says 512, and elsewhere 1,024. Default 512. */
  readonly fieldBytes?: 512 | 1024;
}

/** Default age of a live document, in milliseconds. */
export const MAX_AGE_MS = 600_000;
/** How far the caller's clock may be behind, in milliseconds. */
export const LEEWAY_MS = 30_000;

/** When a document must hold, in milliseconds. */
export interface Moment {
  /** The time in question. */
  readonly at: number;
  /** How much later than `at` a validity or the document itself may begin. */
  readonly leeway: number;
  /** How much earlier than `at` the document may have been made. */
  readonly maxAge: number;
}

/** The moment that `time` chooses. An archived document has no age: its moment is its own timestamp. */
export function momentOf(time: TimePolicy, timestamp: number): Moment {
  return time.kind === "live"
    ? { at: time.now, leeway: LEEWAY_MS, maxAge: time.maxAgeMs ?? MAX_AGE_MS }
    : { at: timestamp, leeway: 0, maxAge: 0 };
}

/** The measurement of every debug enclave: approve it, and set `debug`, to accept one. */
export const DEBUG_MEASUREMENT: ApprovedMeasurement = {
  name: "debug",
  pcrs: new Map([0, 1, 2].map((index) => [index, new Uint8Array(PCR_BYTES)])),
};

const REQUIRED_PCRS = [0, 1, 2];

/** Whether PCR0, 1 and 2 are all zero: the host runs the enclave in debug mode. PCR3 and 4 can be set. */
export function isDebug(pcrs: ReadonlyMap<number, Uint8Array>): boolean {
  return REQUIRED_PCRS.every((i) => pcrs.get(i)?.every((byte) => byte === 0) ?? false);
}

/**
 * Check a policy itself, before any document: one that cannot refuse is not a policy.
 *
 * @throws {AttestationError} `bad_policy` or `empty_policy`.
 */
export function checkPolicy(policy: Policy): void {
  const { root, time, measurements, debug } = policy;
  if (root.kind !== "aws" && root.kind !== "simulated") throw bad("root", "is unknown");
  if (time.kind !== "live" && time.kind !== "archived") throw bad("time", "is unknown");
  if (time.kind === "live") {
    const age = time.maxAgeMs ?? MAX_AGE_MS;
    if (!Number.isSafeInteger(time.now) || time.now <= 0) throw bad("time.now", "is not a time");
    if (!Number.isSafeInteger(age) || age <= 0) throw bad("time.maxAgeMs", "is not positive");
  }
  if (!Array.isArray(measurements) || measurements.length === 0) {
    throw new AttestationError(
      "empty_policy",
      "Cannot verify a document: the policy approves no measurement",
      "measurements",
    );
  }
  for (const { name, pcrs } of measurements as ApprovedSet) {
    const field = `measurements.${name}`;
    if (REQUIRED_PCRS.some((index) => !pcrs.has(index))) throw bad(field, "lacks PCR0, 1 or 2");
    for (const pcr of pcrs.values()) {
      if (pcr.length !== PCR_BYTES) throw bad(field, `has a PCR that is not ${PCR_BYTES} bytes`);
    }
    if (isDebug(pcrs) && debug !== "allow-by-name") {
      throw bad(field, "approves debug enclaves, and the policy refuses them");
    }
  }
}

function bad(field: string, problem: string): AttestationError {
  return new AttestationError(
    "bad_policy",
    `Cannot verify a document: the policy's '${field}' ${problem}`,
    field,
  );
}
