/**
 * Measures one group of figures in a process of its own, so that peak memory is that group's: a line of JSON on
 * standard output for each figure.
 *
 * @module
 */
// First of all, before anything loads onnxruntime: the one beside its CUDA provider, where that is installed.
import "../../miner/cuda/preload.ts";
import { type GroupName, GROUPS } from "./args.ts";
import { useNativeSha256 } from "../../host/cli/native.ts";
import type { Figure } from "./figures.ts";
import { attestation } from "./groups/attestation.ts";
import { compression } from "./groups/compression.ts";
import { explorer } from "./groups/explorer.ts";
import { honestSmall, honestTiny } from "./groups/honest.ts";
import { judge, judgeNano } from "./groups/judge.ts";
import { loss } from "./groups/loss.ts";
import { rating } from "./groups/rating.ts";
import { sidecar } from "./groups/sidecar.ts";
import { store } from "./groups/store.ts";
import { training } from "./groups/training.ts";

const MEASURED: Readonly<Record<GroupName, () => AsyncIterable<Figure>>> = {
  loss,
  training,
  sidecar,
  compression,
  rating,
  attestation,
  store,
  explorer,
  judge,
  "judge-nano": judgeNano,
  "honest-tiny": honestTiny,
  "honest-small": honestSmall,
};

if (import.meta.main) {
  useNativeSha256();
  const name = GROUPS.find((name) => name === Deno.args[0]);
  if (name === undefined) throw new RangeError(`Cannot measure '${Deno.args[0]}': no such group`);
  for await (const figure of MEASURED[name]()) console.log(JSON.stringify(figure));
}
