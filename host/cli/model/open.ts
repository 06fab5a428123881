/**
 * The model that a ledger names by its hash: a preset, or the package that lies in the data directory.
 *
 * @module
 */
import { join } from "node:path";
import { type ModelConfig, presetByName, PRESETS } from "../../../enclave/model/presets.ts";
import { type Bytes, equal, toHex } from "../../../enclave/protocol/bytes.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import type { NetworkInfo } from "../../ledger/ledger.ts";
import { isPackage, packageBlobs, readPackage } from "./folder.ts";

/** Where a data directory has the package of its network's model. */
export const MODEL_FOLDER = "model";

/** A network's model. */
export interface NetworkModel {
  /** The model. */
  readonly model: ModelConfig;
  /** What a judge takes of it by hash; nothing of a preset. */
  readonly modelBlobs: readonly { readonly hash: Bytes; readonly bytes: Bytes }[];
}

/**
 * The model of the network `info`, whose data directory is `dir`.
 *
 * @throws {Refusal} `wrong_model` where the package there is another one; `bad_package` where there is none.
 */
export async function openModel(
  info: Pick<NetworkInfo, "model" | "modelHash">,
  dir: string,
): Promise<NetworkModel> {
  const folder = join(dir, MODEL_FOLDER);
  // By its name alone: whether it is the network's is seen at the first base, which is hashed with the model's hash.
  if (Object.hasOwn(PRESETS, info.model) && !await isPackage(folder)) {
    return { model: presetByName(info.model), modelBlobs: [] };
  }
  const opened = await readPackage(folder);
  if (!equal(opened.hash, info.modelHash)) {
    throw new Refusal(
      "wrong_model",
      `The package in ${folder} has the hash ${toHex(opened.hash)}, the network's model ${
        toHex(info.modelHash)
      }: put that one there`,
    );
  }
  return { model: opened.config, modelBlobs: packageBlobs(opened) };
}
