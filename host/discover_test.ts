import assert from "node:assert/strict";
import { PRESETS } from "../enclave/model/presets.ts";
import { sha256 } from "../enclave/protocol/hash.ts";
import { DEFAULT_HPARAMS } from "../enclave/protocol/hparams.ts";
import { discover, type DiscoverParts } from "./discover.ts";
import type { RevealRow, WindowView } from "./ledger/ledger.ts";
import { type Store, StoreError } from "./store/store.ts";

const gradient = (uid: number) => new Uint8Array(100).fill(uid);

/** As much of a window as discovery looks at. */
function view(count: number): WindowView {
  const reveals = Array.from({ length: count }, (_, uid) =>
    ({
      uid,
      contentHash: sha256(gradient(uid)),
      size: 100,
      codec: 2,
      ref: `gradient-1-${uid}-v1.pt`,
    }) as RevealRow);
  const baseHash = new Uint8Array(32);
  return { window: 1, hparams: DEFAULT_HPARAMS, baseHash, reveals } as unknown as WindowView;
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("discover: whatever the number of gradients, sixteen are in memory at most, and the store has them all", async () => {
  let [now, most] = [0, 0];
  const kept = new Set<string>();
  const read: DiscoverParts["reader"]["read"] = async ({ uid }) => {
    most = Math.max(most, ++now);
    await turn();
    if (uid !== 7) return gradient(uid);
    now--;
    throw new StoreError("not_found", "x", "It is gone");
  };
  const put: Store["put"] = async (key, bytes) => {
    await turn();
    kept.add(key);
    now--;
    return { sha256: sha256(bytes), ref: key };
  };
  const window = view(200);
  const { found, unavailable } = await discover(window, {
    reader: { read } as unknown as DiscoverParts["reader"],
    store: { put } as unknown as Store,
    model: PRESETS.tiny,
    log: () => {},
  });
  assert.equal(most, 16);
  assert.equal(kept.size, 199);
  assert.deepEqual(unavailable, [7]);
  assert.deepEqual(
    found.map(({ uid }) => uid),
    window.reveals.map(({ uid }) => uid).filter((uid) => uid !== 7),
  );
});
