import { createHash } from "node:crypto";
import { useSha256 } from "../protocol/hash.ts";
import { genesisWeights } from "./genesis.ts";
import { modelHash } from "./modelhash.ts";
import { type ModelConfig, pageTokens, PRESETS } from "./presets.ts";
import { LossModel } from "./session.ts";
import { patch, unpatch } from "./update.ts";

useSha256((...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
});

function pagesOf(config: ModelConfig): Uint32Array[] {
  return Array.from(
    { length: config.batch },
    (_, i) => Uint32Array.from({ length: pageTokens(config) }, (_, j) => (i * 7919 + j * 31) % 256),
  );
}

for (const config of Object.values(PRESETS)) {
  const theta = genesisWeights(config, modelHash(config));
  const pages = pagesOf(config);
  const forward = await LossModel.create(config);
  await forward.losses(theta, pages);
  const tokens = config.batch * config.context;
  Deno.bench(`loss evaluation, ${config.name}: ${tokens} tokens`, { group: "loss" }, async () => {
    await forward.losses(theta, pages);
  });
  const k = Math.ceil(theta.length / 100);
  const update = {
    total: theta.length,
    indices: Uint32Array.from({ length: k }, (_, i) => i * Math.floor(theta.length / k)),
    values: new Float32Array(k).fill(1e-3),
  };
  Deno.bench(`patch and undo, ${config.name}: ${k} entries`, { group: "patch" }, () => {
    unpatch(theta, patch(theta, update, 1));
  });
}
