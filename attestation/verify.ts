/**
 * Verification of an AWS Nitro attestation document, whole: envelope, payload, root, signature, chain, time
 * and the caller's expectations. Pure: no clock, no network, no state.
 *
 * @module
 */
import type { Bytes } from "../enclave/protocol/bytes.ts";
import { checkValidity, readChain, verifyChain } from "./chain.ts";
import type { Check } from "./checks.ts";
import { parseCoseSign1, verifyCoseSign1 } from "./cose.ts";
import { parsePayload } from "./document.ts";
import { checkAge, checkDebug, checkFields, matchMeasurement } from "./expectations.ts";
import { checkPolicy, isDebug, momentOf, type Policy } from "./policy.ts";
import { checkRoot } from "./roots.ts";

/** A document that a policy accepted. */
export interface Attested {
  /** The module that issued the document. */
  readonly moduleId: string;
  /** Always `SHA384`. */
  readonly digest: string;
  /** Milliseconds since 1970, by the module's clock. */
  readonly timestamp: number;
  /** PCRs by index, 48 bytes each. */
  readonly pcrs: ReadonlyMap<number, Bytes>;
  /** Absent where the document has none. */
  readonly publicKey?: Bytes;
  /** Absent where the document has none; it can be empty. */
  readonly userData?: Bytes;
  /** Absent where the document has none; it can be empty. */
  readonly nonce?: Bytes;
  /** The name of the approved measurement that the PCRs match. */
  readonly measurement: string;
  /** The root it hangs from: anything but `aws` proves no hardware. */
  readonly root: "aws" | "simulated";
  /** The enclave runs in debug mode: its host can read it. */
  readonly debug: boolean;
  /** When the first certificate of the chain expires, in milliseconds. */
  readonly notAfter: number;
}

/**
 * Verify `document` under `policy`.
 *
 * @param onCheck told of each check that passed, in the order of `CHECKS`, so that a tool can show how far a
 * document got; what it throws passes through. A document is accepted only where the promise resolves.
 * @throws {AttestationError} and nothing else, where the document, its chain or the policy does not hold; the
 * codes are listed in README.md. Whatever fails from `time` on is genuine: its signatures hold under the root.
 */
export async function verify(
  document: Uint8Array,
  policy: Policy,
  onCheck: (passed: Check) => void = () => {},
): Promise<Attested> {
  checkPolicy(policy);
  const envelope = parseCoseSign1(document);
  onCheck("envelope");
  const payload = parsePayload(envelope.payload);
  onCheck("payload");
  await checkRoot(payload.cabundle[0]!, policy.root);
  onCheck("root");
  const chain = readChain(payload);
  onCheck("certificates");
  // The document's signature before the chain's: both must hold, and a forgery costs one verification.
  await verifyCoseSign1(envelope, chain.at(-1)!);
  onCheck("signature");
  await verifyChain(chain);
  onCheck("chain");
  const moment = momentOf(policy.time, payload.timestamp);
  const notAfter = checkValidity(chain, moment);
  checkAge(payload, moment);
  onCheck("time");
  checkDebug(payload, policy);
  onCheck("debug");
  const measurement = matchMeasurement(payload, policy.measurements, moment);
  onCheck("measurement");
  checkFields(payload, policy);
  onCheck("fields");
  return {
    moduleId: payload.moduleId,
    digest: payload.digest,
    timestamp: payload.timestamp,
    pcrs: payload.pcrs,
    ...(payload.publicKey === null ? {} : { publicKey: payload.publicKey }),
    ...(payload.userData === null ? {} : { userData: payload.userData }),
    ...(payload.nonce === null ? {} : { nonce: payload.nonce }),
    measurement,
    root: policy.root.kind,
    debug: isDebug(payload.pcrs),
    notAfter,
  };
}
