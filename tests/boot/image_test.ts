/**
 * The image as it is built now, in a guest, through the courier. Runs where the cache holds the kernel and the
 * emulator, which `deno task enclave:build` and `deno task enclave:boot` put there.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseDocument, parsePayload } from "../../attestation/document.ts";
import { parseMeasurements } from "../../attestation/measurements.ts";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { decodeStrict } from "../../enclave/protocol/cbor.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { RemoteJudge } from "../../host/courier/remote_judge.ts";
import { buildImage, type BuiltImage } from "../../nitro/build/build.ts";
import { hasKernel } from "../../nitro/kernel/build.ts";
import { readLock } from "../../nitro/lock.ts";
import { findEmulator } from "../../nitro/qemu/build.ts";
import { type Guest, JUDGE_PORT, startGuest } from "../../nitro/qemu/guest.ts";

const IDENTITY = {
  chainId: new Uint8Array(32).fill(1),
  ledgerId: new Uint8Array(32).fill(2),
  validator: 3,
  address: new Uint8Array(32).fill(4),
};
const NONCE = Uint8Array.of(0xc0, 0xff, 0xee);
/** Around vsock's packets and the 31 KiB of a write, up to the largest gradient of nano-GPT and beyond. */
const SIZES = [1, 2, 4_095, 4_096, 4_097, 31_744, 31_745, 65_535, 65_536, 65_537, 1 << 20, 1 << 26];

const lock = readLock();
const emulator = await findEmulator(lock);
const ignore = emulator === undefined || !await hasKernel(lock);

/** Boot, attest: the judge's key, once all that the document says is right. */
async function attested(guest: Guest, image: BuiltImage): Promise<[RemoteJudge, string]> {
  const judge = await RemoteJudge.open({ kind: "guest", path: guest.socket, port: JUDGE_PORT });
  const { configured } = await judge.health();
  assert.equal(Boolean(configured), false);
  const key = await judge.configure(IDENTITY);
  const cose = await judge.attest(NONCE);
  assert.throws(() => parseDocument(cose), /ES384/, "QEMU signs nothing: no verifier may take it");
  const document = parsePayload(payloadOf(cose));
  const { pcrs } = parseMeasurements(await Deno.readFile(image.pcrs))[0]!;
  for (const index of [0, 1, 2]) {
    assert.equal(toHex(document.pcrs.get(index)!), toHex(pcrs.get(index)!), `PCR${index}`);
  }
  assert.deepEqual(document.nonce, NONCE);
  assert.deepEqual(document.publicKey, key);
  return [judge, toHex(key)];
}

/** The third item of a COSE_Sign1, which comes with tag 18 or without. */
function payloadOf(cose: Uint8Array): Uint8Array {
  const limits = { maxBytes: 0x3000, maxDepth: 3, maxItems: 256 };
  const parts = decodeStrict(cose[0] === 0xd2 ? cose.subarray(1) : cose, limits) as unknown[];
  return parts[2] as Uint8Array;
}

function blobOf(size: number): Uint8Array<ArrayBuffer> {
  const blob = new Uint8Array(size);
  for (let i = 0; i < size; i++) blob[i] = Math.imul(i, 2_654_435_761) >>> 13;
  return blob;
}

Deno.test({
  name: "image: boots, measures what was computed, takes blobs whole, boots again with another key",
  ignore,
  async fn() {
    const out = await Deno.makeTempDir();
    try {
      const image = await buildImage({ out, progress: () => {} });
      const keys: string[] = [];
      for (const sizes of [SIZES, []]) {
        await using guest = await startGuest({ eif: image.eif, emulator: emulator! });
        const [judge, key] = await attested(guest, image);
        try {
          keys.push(key);
          // The judge hashes what arrives and refuses another hash: taken is byte for byte the same.
          for (const size of sizes) {
            const blob = blobOf(size);
            await judge.putBlob(sha256(blob), blob);
          }
        } finally {
          await judge.close();
        }
      }
      assert.notEqual(keys[0], keys[1]);
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  },
});
