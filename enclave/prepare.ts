/**
 * What every dwelling of the judge does before it serves: the runtime's own SHA-256, and a model runtime that
 * has opened all that it will ever open.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { paramManifest } from "./model/params.ts";
import { pageTokens, PRESETS } from "./model/presets.ts";
import { LossModel } from "./model/session.ts";
import { useSha256 } from "./protocol/hash.ts";

/** Install the runtime's SHA-256, ten times as fast as the portable one. */
export function installSha256(): void {
  useSha256((...parts) => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  });
}

/** Run the smallest model once: what the runtime opens, it opens now. */
export async function loadRuntime(): Promise<void> {
  const config = PRESETS.tiny;
  const model = await LossModel.create(config, { threads: 1 });
  const page = new Uint32Array(pageTokens(config));
  const theta = new Float32Array(paramManifest(config).total);
  await model.losses(theta, Array(config.batch).fill(page));
  await model.close();
}
