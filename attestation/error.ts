/**
 * The one error of this package.
 *
 * @module
 */
import { Refusal } from "../enclave/protocol/refusal.ts";

/**
 * A document, a certificate or a policy that does not hold. `code` is stable and for machines, `field` names
 * the part at fault (`cabundle[1]`, `pcrs`, `nonce`, …), the message is for people. README.md lists the codes.
 */
export class AttestationError extends Refusal {
  /** A refusal for reason `code`. */
  constructor(code: string, message: string, field?: string) {
    super(code, message, field);
    this.name = "AttestationError";
  }
}

/**
 * The result of `read`, with a refusal of the shared decoders turned into this package's error; `part` is the
 * part of the document that was being read, where the refusal names none.
 *
 * @throws {AttestationError} for every `Refusal`; anything else is a defect and passes through.
 */
export function reading<T>(part: string, read: () => T): T {
  try {
    return read();
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    throw new AttestationError(e.code, `${e.message} (in the ${part})`, e.field ?? part);
  }
}
