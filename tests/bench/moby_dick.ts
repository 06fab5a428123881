/**
 * The data set of test mode.
 *
 * @module
 */
import type { ModelConfig } from "../../enclave/model/presets.ts";
import { openDataset } from "../../host/cli/testmode/dataset.ts";
import type { Pages } from "../../host/store/pages.ts";

/** Moby-Dick in pages of `model`. */
export async function mobyDick(model: ModelConfig): Promise<Pages> {
  const folder = await Deno.makeTempDir({ prefix: "vramhub-bench-" });
  try {
    return await openDataset(folder, model);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
