/**
 * The image as it is built now, in a guest, through the courier. Runs where the cache holds the kernel and the
 * emulator, which `deno task enclave:build` and `deno task enclave:boot` put there.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { userDataOf } from "../../enclave/protocol/identity.ts";
import { RemoteJudge } from "../../host/courier/remote_judge.ts";
import { JUDGE_PORT } from "../../nitro/qemu/guest.ts";
import { buildBootable, CANNOT_BOOT, readUnsigned } from "./booted.ts";

const IDENTITY = {
  chainId: new Uint8Array(32).fill(1),
  ledgerId: new Uint8Array(32).fill(2),
  validator: 3,
  address: new Uint8Array(32).fill(4),
};
const NONCE = Uint8Array.of(0xc0, 0xff, 0xee);
/** Around vsock's packets and the 31 KiB of a write, up to the largest gradient of nano-GPT and beyond. */
const SIZES = [1, 2, 4_095, 4_096, 4_097, 31_744, 31_745, 65_535, 65_536, 65_537, 1 << 20, 1 << 26];

function blobOf(size: number): Uint8Array<ArrayBuffer> {
  const blob = new Uint8Array(size);
  for (let i = 0; i < size; i++) blob[i] = Math.imul(i, 2_654_435_761) >>> 13;
  return blob;
}

Deno.test({
  name: "image: boots, measures what was computed, takes blobs whole",
  ignore: CANNOT_BOOT,
  async fn() {
    const out = await Deno.makeTempDir();
    try {
      const image = await buildBootable(out);
      await using guest = await image.boot();
      const judge = await RemoteJudge.open({
        kind: "guest",
        path: guest.socket,
        port: JUDGE_PORT,
      });
      try {
        assert.equal((await judge.health()).configured, false);
        const key = await judge.configure(IDENTITY);
        const document = readUnsigned(await judge.attest(NONCE), image.pcrs);
        assert.deepEqual(document.nonce, NONCE);
        assert.deepEqual(document.publicKey, key);
        assert.deepEqual(document.userData, userDataOf(IDENTITY));
        // The judge hashes what arrives and refuses another hash: taken is byte for byte the same.
        for (const size of SIZES) {
          const blob = blobOf(size);
          await judge.putBlob(sha256(blob), blob);
        }
      } finally {
        await judge.close();
      }
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  },
});
