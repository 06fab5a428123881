/**
 * The judge's key, as a document carries it.
 *
 * @module
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { AttestationError } from "./error.ts";

/**
 * Check that `bytes` are an Ed25519 public key (RFC 8032 §5.1.5) on which every verifier agrees: 32 bytes, the
 * canonical encoding of a point in the subgroup of prime order. Under a small-order key one signature holds
 * for many messages.
 *
 * @throws {AttestationError} `bad_public_key`, or `small_order_key` for the points of small order.
 */
export function checkEd25519Key(bytes: Uint8Array): void {
  let point;
  try {
    // By the lenient rule, so that every encoding of a small order is named as such. No encoding that is not
    // canonical is of a point of prime order: what follows refuses all of them.
    point = ed25519.Point.fromBytes(new Uint8Array(bytes), true);
  } catch {
    throw bad("it is not 32 bytes, or no point of the curve");
  }
  if (point.isSmallOrder()) {
    throw new AttestationError(
      "small_order_key",
      "Cannot accept 'public_key': it is a point of small order",
      "public_key",
    );
  }
  if (!point.isTorsionFree()) throw bad("it is not in the subgroup of prime order");
}

function bad(problem: string): AttestationError {
  return new AttestationError(
    "bad_public_key",
    `Cannot accept 'public_key' as an Ed25519 key: ${problem}`,
    "public_key",
  );
}
