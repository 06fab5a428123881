import assert from "node:assert/strict";
import { Folder } from "../../../tests/support/vramhub.ts";
import { DevelopmentEnvelope } from "../../credentials/development_envelope.ts";
import { address } from "../../ledger/testing.ts";

const ENV = {
  VRAMHUB_STORAGE_BACKEND: "s3",
  VRAMHUB_S3_ENDPOINT: "https://s3.example.com",
  VRAMHUB_R2_BUCKET_NAME: "gradients",
  VRAMHUB_R2_ACCESS_KEY_ID: "planted-write-id",
  VRAMHUB_R2_SECRET_ACCESS_KEY: "planted-write-secret",
  VRAMHUB_R2_READ_ACCESS_KEY_ID: "planted-read-id",
  VRAMHUB_R2_READ_SECRET_ACCESS_KEY: "planted-read-secret",
};
const AS = `--as ${address(0x1000)}`;

Deno.test("credentials rotate: seals the settings' read pair as the next epoch, and shows none of it", async () => {
  await using folder = await Folder.found();
  const { dir, network } = folder;
  const rotate = (env: Record<string, string>, as = AS) =>
    folder.call(`credentials rotate --uid 0 ${as}`, { env });
  for (const epoch of [1, 2]) {
    const { err, out, status } = await rotate(ENV);
    assert.equal(status, 0, err);
    assert.match(out, new RegExp(`^epoch +${epoch}$`, "m"));
    assert.match(out, /^account +https:\/\/s3\.example\.com$/m);
    assert(!/planted/.test(out + err));
  }
  const row = (await network.ledger.credentials(0))!;
  const opened = await (await DevelopmentEnvelope.open(`${dir}/keys`)).open(row, 0);
  assert.equal(opened.secretAccessKey, "planted-read-secret");
  assert.equal(opened.accessKeyId, "planted-read-id");

  const stranger = await rotate(ENV, "--as somebody");
  assert.match(stranger.err, /peer_registry::ENotOwner/);
  const { VRAMHUB_R2_READ_ACCESS_KEY_ID: _, VRAMHUB_R2_READ_SECRET_ACCESS_KEY: __, ...write } = ENV;
  assert.match((await rotate(write)).err, /set .*VRAMHUB_R2_READ_ACCESS_KEY_ID/);
  assert.match((await rotate({})).err, /set VRAMHUB_STORAGE_BACKEND=r2/);
  assert.equal((await network.ledger.credentials(0))!.epoch, 2);
});
