/**
 * What stands behind `/dev/nsm` on hardware, made up for tests: it reads requests as strictly as the module
 * does, and signs real documents under a test PKI, at once, as a system call does.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, randomBytes, sign } from "node:crypto";
import type { NsmDevice } from "../../enclave/nsm/device.ts";
import type { SimulatedNsmOptions } from "../../enclave/nsm/simulated.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { decodeStrict, encodeCanonical } from "../../enclave/protocol/cbor.ts";
import { ES384_PROTECTED, sigStructure } from "../../enclave/protocol/cose.ts";

const PCR_COUNT = 16;
const LIMITS = { maxBytes: 0x1000, maxDepth: 2, maxItems: 16 };

/** A device that answers as a Nitro Secure Module would. */
export class TestNsmDevice implements NsmDevice {
  readonly #options: SimulatedNsmOptions;
  readonly #key: ReturnType<typeof createPrivateKey>;
  /** Whether it was closed. */
  closed = false;

  /** Over the parts of a simulated module. */
  constructor(options: SimulatedNsmOptions) {
    this.#options = options;
    this.#key = createPrivateKey({
      key: Buffer.from(options.pkcs8),
      format: "der",
      type: "pkcs8",
    });
  }

  /** See {@linkcode NsmDevice}. */
  call(request: Bytes): Bytes {
    return encodeCanonical(this.#answer(decodeStrict(request, LIMITS)));
  }

  /** See {@linkcode NsmDevice}. */
  close(): void {
    this.closed = true;
  }

  #answer(request: unknown): Readonly<Record<string, unknown>> {
    if (request === "GetRandom") return { GetRandom: { random: new Uint8Array(randomBytes(256)) } };
    if (request === "DescribeNSM") {
      const version = { version_major: 1, version_minor: 0, version_patch: 0 };
      const pcrs = { max_pcrs: 32, locked_pcrs: [0, 1, 2] };
      return { DescribeNSM: { ...version, module_id: "test-enc0", digest: "SHA384", ...pcrs } };
    }
    if (!(request instanceof Map) || request.size !== 1) return { Error: "InvalidArgument" };
    const [[name, fields]] = [...request] as [[string, Map<string, unknown>]];
    if (name === "Attestation") return { Attestation: { document: this.#document(fields) } };
    if (name !== "DescribePCR") return { Error: "InvalidOperation" };
    const index = fields.get("index") as number;
    if (index >= PCR_COUNT) return { Error: "InvalidIndex" };
    return { DescribePCR: { lock: index < 3, data: this.#pcr(index) } };
  }

  #pcr(index: number): Bytes {
    return this.#options.pcrs[index] ?? new Uint8Array(48);
  }

  #document(fields: ReadonlyMap<string, unknown>): Bytes {
    const { cabundle, certificate, clock } = this.#options;
    const payload = encodeCanonical({
      module_id: "test-enc0",
      digest: "SHA384",
      timestamp: clock(),
      pcrs: new Map(Array.from({ length: PCR_COUNT }, (_, i) => [i, this.#pcr(i)])),
      certificate,
      cabundle,
      public_key: fields.get("public_key"),
      user_data: fields.get("user_data"),
      nonce: fields.get("nonce"),
    });
    const signature = sign("sha384", sigStructure(ES384_PROTECTED, payload), {
      key: this.#key,
      dsaEncoding: "ieee-p1363",
    });
    return encodeCanonical([ES384_PROTECTED, new Map(), payload, new Uint8Array(signature)]);
  }
}
