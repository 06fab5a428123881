/**
 * Discovery: the ledger names what was revealed, the store has the bytes. Each is re-hashed on arrival and
 * then served by hash to other validators; what is not to be had is an abstention.
 *
 * @module
 */
import { type Bytes, toHex } from "../enclave/protocol/bytes.ts";
import { paramManifest } from "../enclave/model/params.ts";
import type { ModelConfig } from "../enclave/model/presets.ts";
import { fastEval } from "./filters/fast_eval.ts";
import type { RevealRow, WindowView } from "./ledger/ledger.ts";
import { type Log, reason } from "./ledger/log.ts";
import { getBlob, putBlob } from "./store/blob.ts";
import { isKey } from "./store/keys.ts";
import type { Store } from "./store/store.ts";

const TARGET = "vramhub_validator::discover";

/** What was found of a window's gradients. */
export interface Discovered {
  /** Bytes by uid. */
  readonly found: ReadonlyMap<number, Bytes>;
  /** uids whose gradient is nowhere to be had. */
  readonly unavailable: readonly number[];
}

/** Fetch every revealed gradient of a window: under its ref, else by hash from a validator that has it. */
export async function discover(
  view: WindowView,
  store: Store,
  model: ModelConfig,
  log: Log,
): Promise<Discovered> {
  const found = new Map<number, Bytes>();
  const unavailable: number[] = [];
  const total = paramManifest(model).total;
  for (const reveal of view.reveals) {
    const { uid } = reveal;
    const { window } = view;
    try {
      const bytes = await fetchGradient(reveal, store);
      await putBlob(store, bytes);
      found.set(uid, bytes);
      const about = { hparams: view.hparams, total, window, baseHash: view.baseHash };
      for (const { filter, detail } of fastEval(reveal, bytes, about)) {
        log("debug", TARGET, "Filter remark", { window, uid, filter, detail });
      }
    } catch (error) {
      unavailable.push(uid);
      log("warn", TARGET, "Gradient unavailable", { window, uid, reason: reason(error) });
    }
  }
  return { found, unavailable };
}

async function fetchGradient(reveal: RevealRow, store: Store): Promise<Bytes> {
  const { ref, size, contentHash } = reveal;
  if (!isKey(ref)) {
    throw new TypeError(`Cannot fetch ${toHex(contentHash)}: ${JSON.stringify(ref)} is no key`);
  }
  try {
    return await store.get(ref, { maxBytes: size, sha256: contentHash });
  } catch {
    return await getBlob(store, contentHash, size);
  }
}
