/**
 * What the tests on an emulated enclave share: whether this machine can run one, and its documents.
 *
 * @module
 */
import assert from "node:assert/strict";
import { AttestationError, parseDocument } from "../../attestation/mod.ts";
import { type AttestationDocument, parsePayload } from "../../attestation/document.ts";
import { parseMeasurements } from "../../attestation/measurements.ts";
import { type Bytes, toHex } from "../../enclave/protocol/bytes.ts";
import { decodeStrict, encodeCanonical } from "../../enclave/protocol/cbor.ts";
import { encodeCoseSign1 } from "../../enclave/protocol/cose.ts";
import type { JudgeLike } from "../../host/courier/judge_like.ts";
import type { Leaf } from "../../host/credentials/test_root.ts";
import { buildImage } from "../../nitro/build/build.ts";
import { hasKernel } from "../../nitro/kernel/build.ts";
import { findEmulator } from "../../nitro/qemu/build.ts";
import { type Guest, startGuest } from "../../nitro/qemu/guest.ts";
import { testSources } from "../../nitro/unpinned.ts";

// Where a pin is gone from the archive `ci:prepare` keeps the newest, whose PCRs are not the release's.
const { lock, unpinned } = await testSources();
const emulator = await findEmulator(lock);

/** Whether the cache lacks the kernel or the emulator, which `deno task enclave:build` and `enclave:boot` put there. */
export const CANNOT_BOOT: boolean = emulator === undefined || !await hasKernel(lock);

/** Tests run beside it, on a machine that may be small. */
const BOOT_MS = 300_000;

/** An image that can be booted. */
export interface Bootable {
  /** PCR0, 1 and 2, as they were computed. */
  readonly pcrs: readonly [Bytes, Bytes, Bytes];
  /** Boot it. A guest in the `folder` of one that has ended is reached by the same path. */
  boot(folder?: string): Promise<Guest>;
}

/** Build the image as it is now, into the folder `out`. */
export async function buildBootable(out: string): Promise<Bootable> {
  if (emulator === undefined) throw new TypeError("Cannot boot as the cache holds no emulator");
  const { eif, pcrs: path } = await buildImage({ out, progress: () => {}, lock, unpinned });
  const { pcrs } = parseMeasurements(await Deno.readFile(path))[0]!;
  return {
    pcrs: [pcrs.get(0)!.slice(), pcrs.get(1)!.slice(), pcrs.get(2)!.slice()],
    boot: (folder) =>
      startGuest({ eif, emulator, bootMs: BOOT_MS, ...(folder === undefined ? {} : { folder }) }),
  };
}

/**
 * What a document of QEMU's module says: it must be refused, since nobody has signed it, and measure the image of
 * `pcrs`.
 */
export function readUnsigned(cose: Bytes, pcrs: readonly Bytes[]): AttestationDocument {
  assert.throws(
    () => parseDocument(cose),
    (error) => error instanceof AttestationError && /ES384/.test(error.message),
    "QEMU signs nothing: no verifier may take it",
  );
  const document = parsePayload(payloadOf(cose));
  for (const [index, pcr] of pcrs.entries()) {
    assert.equal(toHex(document.pcrs.get(index)!), toHex(pcr), `PCR${index}`);
  }
  return document;
}

/** The third item of a COSE_Sign1, which comes with tag 18 or without. */
function payloadOf(cose: Bytes): Bytes {
  const parts = decodeStrict(cose[0] === 0xd2 ? cose.subarray(1) : cose, {
    maxBytes: 0x3000,
    maxDepth: 3,
    maxItems: 256,
  });
  return (parts as unknown[])[2] as Bytes;
}

/** Signs what QEMU's module leaves unsigned. */
export interface TestNotary {
  /** What it signs with: a leaf of a test root. */
  readonly leaf: Leaf;
  /** The time that its documents carry. */
  readonly now: () => number;
  /** PCR0, 1 and 2 that it must find. */
  readonly pcrs: readonly Bytes[];
  /** Hears of every document. */
  readonly say: (line: string) => void;
}

/**
 * `judge`, whose documents a test notary signs: the payload is the guest's own but for the certificates, which are
 * the notary's, and the time, which is the test's. SIMULATED: a document of a real module needs none of this, and
 * passes no verifier after it.
 */
export function notarised(judge: JudgeLike, notary: TestNotary): JudgeLike {
  return {
    configure: (identity) => judge.configure(identity),
    attest: async (nonce) => await countersigned(await judge.attest(nonce), notary),
    hasBlob: (hash) => judge.hasBlob(hash),
    putBlob: (hash, bytes) => judge.putBlob(hash, bytes),
    process: (payload) => judge.process(payload),
  };
}

async function countersigned(cose: Bytes, notary: TestNotary): Promise<Bytes> {
  const { leaf, now, pcrs, say } = notary;
  const { publicKey } = readUnsigned(cose, pcrs);
  const fields = decodeStrict(payloadOf(cose), {
    maxBytes: 0x3000,
    maxDepth: 2,
    maxItems: 256,
    indefiniteMaps: true,
  });
  const payload = new Map(fields as Map<string, unknown>)
    .set("certificate", leaf.certificate)
    .set("cabundle", leaf.cabundle)
    .set("timestamp", now());
  const algorithm = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" };
  const key = await crypto.subtle.importKey("pkcs8", leaf.pkcs8, algorithm, false, ["sign"]);
  say(`test notary: SIMULATED signature over the guest's document of key ${toHex(publicKey!)}`);
  return await encodeCoseSign1(
    encodeCanonical(payload),
    async (bytes) => new Uint8Array(await crypto.subtle.sign(algorithm, key, bytes)),
  );
}
