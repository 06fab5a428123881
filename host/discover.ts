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
import { isFinal, type Patience, retryUntil } from "./ledger/retry.ts";
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

/**
 * Fetch every revealed gradient of a window: under its ref, else by hash from a validator that has it. A store
 * that fails for now is asked again as long as `patience` lasts (without it, never): an abstention cannot be
 * taken back.
 */
export async function discover(
  view: WindowView,
  store: Store,
  model: ModelConfig,
  log: Log,
  patience?: Omit<Patience, "onError">,
): Promise<Discovered> {
  const found = new Map<number, Bytes>();
  const unavailable: number[] = [];
  const total = paramManifest(model).total;
  for (const reveal of view.reveals) {
    const { uid } = reveal;
    const { window } = view;
    try {
      const onError = (error: unknown) =>
        log("debug", TARGET, "Fetching again", { window, uid, reason: reason(error) });
      const take = () => takeGradient(reveal, store);
      const bytes = patience === undefined
        ? await take()
        : await retryUntil({ ...patience, onError }, take);
      found.set(uid, bytes);
      const about = { hparams: view.hparams, total, window, baseHash: view.baseHash };
      for (const { filter, detail } of fastEval(reveal, bytes, about)) {
        log("debug", TARGET, "Filter remark", { window, uid, filter, detail });
      }
    } catch (error) {
      patience?.signal.throwIfAborted();
      unavailable.push(uid);
      log("warn", TARGET, "Gradient unavailable", { window, uid, reason: reason(error) });
    }
  }
  return { found, unavailable };
}

/** Fetch it, and serve it by hash from now on. */
async function takeGradient(reveal: RevealRow, store: Store): Promise<Bytes> {
  const bytes = await fetchGradient(reveal, store);
  await putBlob(store, bytes);
  return bytes;
}

async function fetchGradient(reveal: RevealRow, store: Store): Promise<Bytes> {
  const { ref, size, contentHash } = reveal;
  if (!isKey(ref)) {
    const hash = toHex(contentHash);
    throw new RangeError(`Cannot fetch ${hash} as 'ref' must be a key: ${JSON.stringify(ref)}`);
  }
  try {
    return await store.get(ref, { maxBytes: size, sha256: contentHash });
  } catch (error) {
    return await getBlob(store, contentHash, size).catch((byHash) => {
      // Where the first failure may pass, it is the one to be tried again.
      throw isFinal(error) ? byHash : error;
    });
  }
}
