import assert from "node:assert/strict";
import { StoreError } from "../../host/store/store.ts";
import { checkWhole } from "./checks.ts";
import { nameOf } from "./faults.ts";
import { FIRST, HPARAMS, World } from "./world.ts";

Deno.test("validator: one that comes late to a window still asks again for gradients that are not to be had", async () => {
  const world = await World.found();
  const endMs = world.turns.now() + HPARAMS.window_ms;
  const asked: number[] = [];
  const fails = {
    get(key: string) {
      if (!key.startsWith(`gradient-${FIRST}-`)) return null;
      asked.push(world.turns.now() - endMs);
      return asked.at(-1)! < 4_500 ? new StoreError("unavailable", key, "Down") : null;
    },
  };
  // Reports are due 6 s after the window: it is back when more than half of that has passed.
  const validator = world.mortal(
    (life) => world.validator(life, fails),
    (moment) => nameOf(moment) === "before journal.append begun",
    { downMs: 4_000 },
  );
  const parties = [validator, world.miner(0), world.miner(1)];
  try {
    await world.until(FIRST, [validator]);
    assert.equal(validator.error, undefined);
    assert(asked[0]! >= 4_000 && asked.at(-1)! >= 4_500, String(asked));
    await checkWhole(world, FIRST);
  } finally {
    await world.close(parties);
  }
});
