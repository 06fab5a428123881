/**
 * A SIMULATED Nitro Secure Module: real COSE_Sign1 documents, signed by a leaf under a test root that the
 * caller made. It proves nothing about hardware, and a verifier accepts it only under a policy that names
 * the simulated root. No production image holds this file: `main_simulated.ts` alone imports it.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import { encodeCanonical } from "../protocol/cbor.ts";
import { encodeCoseSign1 } from "../protocol/cose.ts";
import { type AttestRequest, checkAttestRequest, checkRandomLength, type Nsm } from "./nsm.ts";

const PCR_BYTES = 48;
/** Real documents list PCR0 to PCR15, unused ones as zeros. */
const PCR_COUNT = 16;
const MAX_CERTIFICATE_BYTES = 1_024;

/** What a simulated module is made of. */
export interface SimulatedNsmOptions {
  /** The leaf's P-384 private key, PKCS #8 DER. */
  readonly pkcs8: Bytes;
  /** The leaf's certificate, DER, 1 to 1,024 bytes. */
  readonly certificate: Bytes;
  /** The issuing certificates, DER, root first and the leaf's issuer last. */
  readonly cabundle: readonly Bytes[];
  /** PCR0, PCR1 and PCR2: 48 bytes each. */
  readonly pcrs: readonly [Bytes, Bytes, Bytes];
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Default `simulated-enc0`. */
  readonly moduleId?: string;
}

/** A module whose documents verify under the simulated root of its caller. */
export class SimulatedNsm implements Nsm {
  readonly #options: SimulatedNsmOptions;
  readonly #key: CryptoKey;

  private constructor(options: SimulatedNsmOptions, key: CryptoKey) {
    this.#options = options;
    this.#key = key;
  }

  /**
   * Import the leaf's key and check the parts.
   *
   * @throws {TypeError} where `pkcs8` is not a P-384 private key.
   * @throws {RangeError} where a PCR or a certificate is of a wrong length.
   */
  static async create(options: SimulatedNsmOptions): Promise<SimulatedNsm> {
    for (const [i, pcr] of options.pcrs.entries()) {
      if (pcr.length !== PCR_BYTES) {
        throw new RangeError(
          `Cannot simulate an NSM as 'pcrs[${i}]' must be 48 bytes: it is ${pcr.length}`,
        );
      }
    }
    for (const der of [options.certificate, ...options.cabundle]) {
      if (der.length < 1 || der.length > MAX_CERTIFICATE_BYTES) {
        throw new RangeError(
          `Cannot simulate an NSM as a certificate must be 1 to 1024 bytes: it is ${der.length}`,
        );
      }
    }
    let key: CryptoKey;
    try {
      key = await crypto.subtle.importKey(
        "pkcs8",
        options.pkcs8,
        { name: "ECDSA", namedCurve: "P-384" },
        false,
        ["sign"],
      );
    } catch (cause) {
      throw new TypeError(
        "Cannot simulate an NSM as 'pkcs8' must be a P-384 private key: it cannot be imported",
        { cause },
      );
    }
    return new SimulatedNsm(options, key);
  }

  /** A signed document over `request`, stamped with `now()`. */
  async attest(request: AttestRequest): Promise<{ document: Bytes }> {
    checkAttestRequest(request);
    const { certificate, cabundle, pcrs, moduleId } = this.#options;
    const payload = encodeCanonical({
      module_id: moduleId ?? "simulated-enc0",
      digest: "SHA384",
      timestamp: this.now(),
      pcrs: new Map(
        Array.from({ length: PCR_COUNT }, (_, i) => [i, pcrs[i] ?? new Uint8Array(PCR_BYTES)]),
      ),
      certificate,
      cabundle,
      public_key: request.publicKey,
      user_data: request.userData,
      nonce: request.nonce ?? null,
    });
    const document = await encodeCoseSign1(payload, async (toBeSigned) => {
      const algorithm = { name: "ECDSA", hash: "SHA-384" };
      return new Uint8Array(await crypto.subtle.sign(algorithm, this.#key, toBeSigned));
    });
    return { document };
  }

  /** `n` bytes of the runtime's generator, 1 to 256. */
  random(n: number): Bytes {
    checkRandomLength(n);
    return crypto.getRandomValues(new Uint8Array(n));
  }

  /** The injected clock. @throws {RangeError} where it is not a positive integer. */
  now(): number {
    const now = this.#options.clock();
    if (!Number.isSafeInteger(now) || now <= 0) {
      throw new RangeError(
        `Cannot stamp a document as the clock must be a positive integer: current value is ${now}`,
      );
    }
    return now;
  }
}
