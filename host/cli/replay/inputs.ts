/**
 * A window's inputs, fetched by hash from a stranger's data directory: gradients and bases.
 *
 * @module
 */
import type { ModelConfig } from "../../../enclave/model/presets.ts";
import { type Bytes, toHex } from "../../../enclave/protocol/bytes.ts";
import type { Ledger, RevealRow, WindowView } from "../../ledger/ledger.ts";
import { type Base, Bases, windowOrNull } from "../../store/bases.ts";
import { blobKey, isKey } from "../../store/keys.ts";
import { type Store, StoreError } from "../../store/store.ts";
import { CheckError } from "../report/facts.ts";
import { Missing } from "./data_dir.ts";

/** Every revealed gradient, under its hash and under its ref: where one is there, it must be the revealed one. */
export async function fetchGradients(
  view: WindowView,
  store: Store,
): Promise<{ readonly found: Map<number, Bytes>; readonly absent: number[] }> {
  const found = new Map<number, Bytes>();
  const absent: number[] = [];
  for (const reveal of view.reveals) {
    const bytes = await fetchGradient(reveal, store);
    if (bytes === undefined) absent.push(reveal.uid);
    else found.set(reveal.uid, bytes);
  }
  return { found, absent };
}

async function fetchGradient(reveal: RevealRow, store: Store): Promise<Bytes | undefined> {
  const { uid, ref, contentHash, size } = reveal;
  let found: Bytes | undefined;
  for (const key of [blobKey(contentHash), ref].filter(isKey)) {
    try {
      const bytes = await store.get(key, { maxBytes: size, sha256: contentHash });
      found ??= bytes;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.code === "not_found") continue;
      const what = `the gradient of uid ${uid}, ${key}`;
      if (error.code === "unavailable") throw new Missing(`Cannot read ${what}: ${error.message}`);
      throw new CheckError(`${what}, is not the one that was revealed: ${error.message}`);
    }
  }
  return found;
}

/** The bases around a window. */
export interface WindowBases {
  /** base(N). */
  readonly base: Base;
  /** base(N+1); the same where nothing was settled. */
  readonly next: Base;
  /** Where the manifests of these and of the merge are. */
  readonly bases: Bases;
}

/** base(N), base(N+1) and the merge, by replay from genesis or the newest checkpoint before N. */
export async function replayBases(
  view: WindowView,
  ledger: Ledger,
  store: Store,
  model: ModelConfig,
  progress: (detail: string) => void,
): Promise<WindowBases> {
  const { window } = view;
  try {
    const bases = await Bases.open(ledger, store, model, { running: window + 1 });
    const { manifest } = bases.current;
    const from = manifest.window === 0 ? "genesis" : `the checkpoint of window ${manifest.window}`;
    progress(`replaying merges from ${from}`);
    // Window by window, so that long work shows how far it is.
    for (let n = manifest.window + 2; n < window; n++) {
      const earlier = await windowOrNull(ledger, n);
      if (earlier === null) continue;
      const { hash } = await bases.reach(earlier.baseHash, n);
      progress(`base(${n}) is ${toHex(hash).slice(0, 8)}…`);
    }
    const base = await bases.reach(view.baseHash, window);
    const after = view.settled === null ? null : await ledger.window(window + 1);
    const next = after === null ? base : await bases.reach(after.baseHash, window + 1);
    const merged = view.payout?.mergedHash ?? null;
    if (merged !== null) await bases.reach(merged, window + 2);
    return { base, next, bases };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === "not_found" || error.code === "unavailable") {
      throw new Missing(`Cannot replay a merge: ${error.message}`, { cause: error });
    }
    throw new CheckError(`a merge's input ${error.key}: ${error.message}`);
  }
}
