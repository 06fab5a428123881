/**
 * Every other value at every byte of a document: 255 changes a position. Each one must be refused with a typed
 * code.
 *
 * @module
 */
import { AttestationError, verify } from "../../attestation/mod.ts";
import { type Certificate, readCertificate } from "../../attestation/certificate.ts";
import { parseCoseSign1 } from "../../attestation/cose.ts";
import { parsePayload } from "../../attestation/document.ts";
import { checkRoot } from "../../attestation/roots.ts";
import { type Bytes, equal } from "../../enclave/protocol/bytes.ts";
import type { Sound } from "./vectors.ts";

/** How the changes of a document were refused. */
export interface ExhaustiveResult {
  /** Positions times 255. */
  cases: number;
  /** Refused by the envelope's or payload's decoder, by the root, or by a certificate's. */
  decoding: number;
  /** Refused by `verify` itself, run whole. */
  verified: number;
  /**
   * Read without complaint, and the payload differs under an unchanged header, signature and key: the same
   * check as `verified` at the same position, for another value. Not run, since only a second message with the
   * first one's signature (2^-384) could pass it.
   */
  implied: number;
}

/** Chooses the value at a position that is verified whole, wherever decoding does not refuse it. */
function sampleAt(at: number): number {
  return 1 + (Math.imul(at + 1, 0x9e3779b1) >>> 16) % 255;
}

/**
 * Change every byte of `sound` from position `from` to `to` to all 255 other values. Changes of the signature,
 * the leaf's key and the envelope are verified whole; of the others that can still be read, one value a
 * position.
 *
 * @throws {Error} at the first change that is accepted or refused by anything but an `AttestationError`.
 */
export async function exhaust(
  sound: Sound,
  from: number = 0,
  to: number = sound.document.length,
): Promise<ExhaustiveResult> {
  const { document, policy } = sound;
  const original = await decode(document, sound);
  const result: ExhaustiveResult = { cases: 0, decoding: 0, verified: 0, implied: 0 };
  const changed = new Uint8Array(document);
  for (let at = from; at < to; at++) {
    for (let mask = 1; mask < 256; mask++) {
      changed[at] = document[at]! ^ mask;
      result.cases++;
      const where = `${sound.name}, byte ${at} as ${changed[at]}`;
      const found = await typed(where, () => decode(changed, sound, original));
      if (found === undefined) result.decoding++;
      else if (!isImplied(found, original) || mask === sampleAt(at)) {
        if (await typed(where, () => verify(changed, policy)) !== undefined) {
          throw new Error(`${where} is accepted`);
        }
        result.verified++;
      } else result.implied++;
    }
    changed[at] = document[at]!;
  }
  return result;
}

interface Decoded {
  readonly header: Bytes;
  readonly payload: Bytes;
  readonly signature: Bytes;
  readonly ders: readonly Bytes[];
  readonly leaf: Certificate;
}

/** All of `verify` before its first signature. A certificate whose bytes are `like`'s was read with those. */
async function decode(document: Bytes, { policy }: Sound, like?: Decoded): Promise<Decoded> {
  const envelope = parseCoseSign1(document);
  const payload = parsePayload(envelope.payload);
  await checkRoot(payload.cabundle[0]!, policy.root);
  const ders = [...payload.cabundle, payload.certificate];
  const read = ders.map((der, i) => {
    const known = like?.ders[i];
    return known !== undefined && equal(der, known) ? undefined : readCertificate(der, `[${i}]`);
  });
  return {
    header: envelope.protectedHeader,
    payload: envelope.payload,
    signature: envelope.signature,
    ders,
    leaf: read.at(-1) ?? like!.leaf,
  };
}

function isImplied(found: Decoded, original: Decoded): boolean {
  return equal(found.header, original.header) && equal(found.signature, original.signature) &&
    equal(found.leaf.spki, original.leaf.spki) && !equal(found.payload, original.payload);
}

async function typed<T>(where: string, run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof AttestationError) return undefined;
    throw new Error(`${where} is not refused by type`, { cause: error });
  }
}
