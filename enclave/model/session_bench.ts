import { genesisWeights } from "./genesis.ts";
import { modelHash } from "./modelhash.ts";
import { pageTokens, PRESETS } from "./presets.ts";
import { LossModel } from "./session.ts";

for (const config of Object.values(PRESETS)) {
  const theta = genesisWeights(config, modelHash(config));
  const model = await LossModel.create(config);
  const pages = Array.from(
    { length: config.batch },
    () => Uint32Array.from({ length: pageTokens(config) }, (_, i) => (i * 7919) % config.vocab),
  );
  Deno.bench({
    name: `LossModel.losses: one batch of ${config.name}`,
    n: 10,
    warmup: 2,
    fn: async () => {
      await model.losses(theta, pages);
    },
  });
}
