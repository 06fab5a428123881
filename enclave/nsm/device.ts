/**
 * The Nitro Secure Module of an enclave. Everything but the system call is here; the call itself is passed in
 * (`ioctl.ts` has the real one), so that all of this is tested where there is no such device.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import { decodeStrict } from "../protocol/cbor.ts";
import { Refusal } from "../protocol/refusal.ts";
import {
  badResponse,
  decodeResponse,
  encodeRequest,
  MAX_RESPONSE,
  type NsmRequest,
  type RESPONSES,
} from "./messages.ts";
import type { Infer } from "../protocol/cbor.ts";
import { type AttestRequest, checkAttestRequest, checkRandomLength, type Nsm } from "./nsm.ts";

export { NsmError } from "./messages.ts";

/** The system call: hands a request (1 to 0x1000 bytes) to the module and returns its response (at most 0x3000). */
export interface NsmDevice {
  /** The module's response to `request`. @throws {NsmError} `ioctl_failed` where the driver refuses. */
  call(request: Bytes): Bytes;
  /** Give the device back. It is not called again after that. */
  close(): void;
}

/** What the module says of itself. */
export interface NsmDescription {
  /** Its version, `major.minor.patch`. */
  readonly version: string;
  /** The enclave's name, `i-…-enc…` on EC2. */
  readonly moduleId: string;
  /** Number of PCRs, 32 at most. */
  readonly maxPcrs: number;
  /** PCRs that cannot be extended any more, ascending. */
  readonly lockedPcrs: readonly number[];
}

/** Tag 18, COSE_Sign1 (RFC 9052 §2), as one byte: documents come with it or without. */
const TAG_18 = 0xd2;
const DOCUMENT_LIMITS = { maxBytes: MAX_RESPONSE, maxDepth: 3, maxItems: 256 };
const PAYLOAD_LIMITS = { ...DOCUMENT_LIMITS, indefiniteMaps: true };

/** The module behind a device. */
export class DeviceNsm implements Nsm {
  readonly #device: NsmDevice;

  /** Asks `device`, which it does not close. */
  constructor(device: NsmDevice) {
    this.#device = device;
  }

  /** See {@linkcode Nsm}. @throws {NsmError} where the module does not answer as it must. */
  attest(request: AttestRequest): Promise<{ document: Bytes }> {
    return Promise.try(() => {
      checkAttestRequest(request);
      const { publicKey, userData, nonce } = request;
      return { document: this.#attest(publicKey, userData, nonce ?? null) };
    });
  }

  #attest(publicKey: Bytes | null, userData: Bytes | null, nonce: Bytes | null): Bytes {
    return this.#ask("Attestation", { public_key: publicKey, user_data: userData, nonce }).document;
  }

  /** See {@linkcode Nsm}. The module gives 256 bytes a call. */
  random(n: number): Bytes {
    checkRandomLength(n);
    const { random } = this.#ask("GetRandom");
    if (random.length < n) {
      throw badResponse("GetRandom", `${random.length} bytes are fewer than the ${n} wanted`);
    }
    return random.slice(0, n);
  }

  /**
   * The time that a fresh document carries: the hypervisor's, which neither the parent instance nor this
   * enclave can set. Milliseconds since 1970.
   */
  now(): number {
    return documentTime(this.#attest(null, null, null));
  }

  /** What the module says of itself. */
  describe(): NsmDescription {
    const said = this.#ask("DescribeNSM");
    if (said.digest !== "SHA384") {
      throw badResponse("DescribeNSM", `its digest is ${said.digest}, not SHA384`);
    }
    return {
      version: `${said.version_major}.${said.version_minor}.${said.version_patch}`,
      moduleId: said.module_id,
      maxPcrs: said.max_pcrs,
      lockedPcrs: said.locked_pcrs,
    };
  }

  /** PCR `index`, 0 to 31: its value, 48 bytes, and whether it is locked. */
  pcr(index: number): { readonly value: Bytes; readonly locked: boolean } {
    if (!Number.isInteger(index) || index < 0 || index > 31) {
      throw new RangeError(
        `Cannot read a PCR as 'index' must be an integer from 0 to 31: current value is ${index}`,
      );
    }
    const { data, lock } = this.#ask("DescribePCR", { index });
    if (data.length !== 48) throw badResponse("DescribePCR", `${data.length} bytes are no SHA-384`);
    return { value: data, locked: lock };
  }

  #ask<N extends NsmRequest>(
    name: N,
    fields?: Readonly<Record<string, Bytes | number | null>>,
  ): Infer<(typeof RESPONSES)[N]> {
    return decodeResponse(name, this.#device.call(encodeRequest(name, fields)));
  }
}

/** The timestamp in an attestation document that the module itself has just given. Nothing is verified. */
function documentTime(document: Bytes): number {
  const unreadable = (why: string, cause?: unknown) => badResponse("Attestation", why, cause);
  try {
    const untagged = document[0] === TAG_18 ? document.subarray(1) : document;
    const parts = decodeStrict(untagged, DOCUMENT_LIMITS);
    const payload = Array.isArray(parts) && parts.length === 4 ? parts[2] : undefined;
    if (!(payload instanceof Uint8Array)) throw unreadable("it is no COSE_Sign1");
    const fields = decodeStrict(payload, PAYLOAD_LIMITS);
    const time: unknown = fields instanceof Map ? fields.get("timestamp") : undefined;
    if (typeof time !== "number" && typeof time !== "bigint") throw unreadable("it has no time");
    if (time <= 0 || time > Number.MAX_SAFE_INTEGER) throw unreadable(`its time is ${time}`);
    return Number(time);
  } catch (cause) {
    if (cause instanceof Refusal) throw unreadable(cause.message, cause);
    throw cause;
  }
}
