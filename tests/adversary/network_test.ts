/**
 * The network: a store that lies, a beacon that withholds, a ledger that stalls. Whatever they do, the validator
 * finds out, abstains, tries again or misses its deadline and says why; it never submits what it did not measure.
 */
import assert from "node:assert/strict";
import { manifestHash } from "../../enclave/protocol/base.ts";
import { concat } from "../../enclave/protocol/bytes.ts";
import { foldReveals, windowDigest } from "../../enclave/protocol/commit.ts";
import { verdictName } from "../../enclave/protocol/verdict.ts";
import type { Ledger, WindowView } from "../../host/ledger/ledger.ts";
import type { BeaconSource } from "../../host/ledger/randomness.ts";
import { T0 } from "../../host/ledger/testing.ts";
import { Bases, uploadCheckpoint } from "../../host/store/bases.ts";
import { Chunks } from "../../host/store/chunks.ts";
import { chunkKey } from "../../host/store/keys.ts";
import { putBlob } from "../../host/store/blob.ts";
import { blobKey, gradientKey } from "../../host/store/keys.ts";
import { type Store, StoreError } from "../../host/store/store.ts";
import { BEACON, MODEL } from "../support/window.ts";
import { type Arena, HONEST_BEACON } from "./arena.ts";
import { GRADIENTS, played } from "./played.ts";
import { runValidator } from "./running.ts";

const REF = gradientKey(0, 0);

/** `object` with some of its methods replaced. */
function but<T extends object>(object: T, methods: Partial<T>): T {
  return new Proxy(object, {
    get(target, name) {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** What window 0 was settled as, by uid. */
async function verdicts(arena: Arena): Promise<(string | undefined)[]> {
  const { settled } = await arena.ledger.window(0);
  return settled!.rows.map(({ verdict }) => verdictName(verdict));
}

const STORE_LIES: Readonly<Record<string, (arena: Arena) => Promise<unknown>>> = {
  "gives other bytes under the ref": ({ store }) => store.put(REF, GRADIENTS[1]),
  "gives the same number of other bytes": ({ store }) =>
    store.put(REF, GRADIENTS[0].with(40, GRADIENTS[0][40]! ^ 1)),
  "lets the object vanish": ({ store }) => store.delete(REF),
  "gives a little more than was revealed": ({ store }) =>
    store.put(REF, concat(GRADIENTS[0], new Uint8Array(1))),
  "gives an object of a terabyte": ({ dir }) => Deno.truncate(`${dir}/store/${REF}`, 2 ** 40),
  "gives an object without an end": async ({ dir }) => {
    await Deno.remove(`${dir}/store/${REF}`);
    await Deno.symlink("/dev/zero", `${dir}/store/${REF}`);
  },
};

for (const [what, lie] of Object.entries(STORE_LIES)) {
  Deno.test(`store ${what}: that gradient is unavailable, the others are judged`, async () => {
    await using arena = await played();
    await lie(arena);
    const { refused, missed } = await runValidator(arena);
    assert.deepEqual([refused, missed], [[], []]);
    assert.deepEqual(await verdicts(arena), ["unavailable", "accepted"]);
  });
}

Deno.test("store lies under the ref while another validator serves the gradient by its hash: it is judged", async () => {
  await using arena = await played();
  await arena.store.put(REF, GRADIENTS[1]);
  await putBlob(arena.store, GRADIENTS[0]);
  await runValidator(arena);
  assert.deepEqual(await verdicts(arena), ["accepted", "accepted"]);
});

Deno.test("store serves other bytes by a hash: wrong_hash, and the gradient is unavailable", async () => {
  await using arena = await played();
  const { contentHash } = (await arena.ledger.window(0)).reveals[0]!;
  await arena.store.delete(REF);
  await arena.store.put(blobKey(contentHash), GRADIENTS[1]);
  await runValidator(arena);
  assert.deepEqual(await verdicts(arena), ["unavailable", "accepted"]);
});

/** A store that is not reached before `ms` of window 1. */
function downUntil(arena: Arena, ms: number): Store {
  return but<Store>(arena.store, {
    get: (key, options) =>
      arena.clock.now() >= T0 + 10_000 + ms
        ? arena.store.get(key, options)
        : Promise.reject(new StoreError("unavailable", key, "The store is not reached")),
  });
}

Deno.test("store is down for a while: it is asked again, and everything is judged", async () => {
  await using arena = await played();
  const { missed } = await runValidator(arena, { store: downUntil(arena, 2_000) });
  assert.deepEqual(missed, []);
  assert.deepEqual(await verdicts(arena), ["accepted", "accepted"]);
});

Deno.test("store stays down: the validator abstains in time, it does not miss its report", async () => {
  await using arena = await played();
  const { missed } = await runValidator(arena, { store: downUntil(arena, 1e9) });
  assert.deepEqual(missed, []);
  assert.deepEqual(await verdicts(arena), ["unavailable", "unavailable"]);
  assert.equal((await arena.ledger.window(0)).payout!.issued, 0n);
});

Deno.test("store holds checkpoints that nobody anchored, whole or garbage: a newcomer starts from genesis", async () => {
  await using arena = await played();
  const { net, store, ledger } = arena;
  const theta = net.theta.map((w) => -w);
  const manifest = Chunks.of(MODEL, theta).manifest({ ...net.base, window: 0 });
  await uploadCheckpoint(store, MODEL, { hash: manifestHash(manifest), manifest, theta });
  await store.put("checkpoint-1-v1.manifest", new Uint8Array(100).fill(0xff));
  await store.put("checkpoint-2-v1.manifest", new Uint8Array(0));
  await store.put("checkpoint-99999999999999999999-v1.manifest", new Uint8Array(1));
  arena.at(6);
  const bases = await Bases.open(ledger, store, MODEL);
  assert.deepEqual(bases.current.hash, manifestHash(net.base));
  assert.deepEqual(bases.current.theta, net.theta);
});

Deno.test("store bends a checkpoint that was anchored: it is left alone, and the merge replayed", async () => {
  await using arena = await played();
  const { ledger, net, store } = arena;
  await runValidator(arena);
  const { mergedHash } = (await ledger.window(0)).payout!;
  arena.at(6);
  const merged = await (await Bases.open(ledger, store, MODEL)).reach(mergedHash!, 6);
  await uploadCheckpoint(store, MODEL, merged);
  const key = chunkKey(merged.manifest.chunks[0]!);
  await store.put(key, Chunks.of(MODEL, net.theta).at(0));
  const bases = await Bases.open(ledger, store, MODEL);
  assert.deepEqual(bases.current.hash, manifestHash(net.base));
  assert.deepEqual((await bases.reach(mergedHash!, 6)).theta, merged.theta);
  await store.put(key, Chunks.of(MODEL, merged.theta).at(0));
  assert.deepEqual((await Bases.open(ledger, store, MODEL)).current.hash, mergedHash);
});

/** A beacon that gives `answer` instead, `times` times. */
function beacon(
  answer: () => ReturnType<BeaconSource["signature"]>,
  times = Infinity,
): BeaconSource {
  let left = times;
  return {
    chain: BEACON,
    signature: (round) => left-- > 0 ? answer() : HONEST_BEACON.signature(round),
  };
}

const withheld = () => Promise.reject(new Error("The relay does not answer"));

Deno.test("beacon withholds a round for a while: it is asked again, and the window is judged", async () => {
  await using arena = await played();
  const { missed, submitted } = await runValidator(arena, { beacon: beacon(withheld, 4) });
  assert.deepEqual([missed, submitted.length], [[], 2]);
  assert.deepEqual(await verdicts(arena), ["accepted", "accepted"]);
});

Deno.test("beacon withholds a round for good: the report is missed with its reason, and nothing is submitted", async () => {
  await using arena = await played();
  const { missed, submitted } = await runValidator(arena, { beacon: beacon(withheld) });
  assert.equal(submitted.length, 0);
  assert.match(missed[0]!, /report: .*relay does not answer/);
  assert.equal((await arena.ledger.window(0)).status, "skipped");
});

Deno.test("beacon gives wrong signatures, of another round or of none: refused before the judge is asked", async () => {
  for (const wrong of [HONEST_BEACON.signature(7n), new Uint8Array(48), new Uint8Array(0)]) {
    await using arena = await played();
    const { missed, submitted, asked } = await runValidator(arena, { beacon: beacon(() => wrong) });
    assert.deepEqual([submitted.length, asked], [0, 0]);
    assert.match(missed[0]!, /report: .*Cannot accept a beacon/);
  }
});

Deno.test("ledger takes a message and its answer is lost: the same bytes again, and once is once", async () => {
  await using arena = await played();
  const { ledger } = arena;
  let lost = 0;
  const lossy = but<Ledger>(ledger, {
    async submitReport(sender, message, signature) {
      await ledger.submitReport(sender, message, signature);
      if (lost++ === 0) throw new Error("The connection was reset");
    },
    async submitOutcome(sender, message, signature) {
      await ledger.submitOutcome(sender, message, signature);
      throw new Error("The connection was reset");
    },
  });
  const { missed } = await runValidator(arena, { ledger: lossy });
  assert.deepEqual(missed, []);
  const view = await ledger.window(0);
  assert.deepEqual([view.status, view.reported, view.outcomes], ["closed", [0], [0]]);
});

Deno.test("ledger does not answer for a while: the validator waits, and what the deadline allows is done", async () => {
  await using arena = await played();
  const { ledger, clock } = arena;
  const stalled = but<Ledger>(ledger, {
    window: (window) =>
      clock.now() < T0 + 13_000 && clock.now() > T0 + 10_000
        ? Promise.reject(new Error("The node does not answer"))
        : ledger.window(window),
  });
  clock.set(T0 + 10_001);
  const { missed } = await runValidator(arena, { ledger: stalled });
  assert.deepEqual(missed, []);
  assert.deepEqual(await verdicts(arena), ["accepted", "accepted"]);
});

Deno.test("ledger does not answer until the deadlines are over: missed, with nothing submitted", async () => {
  await using arena = await played();
  const { ledger, clock } = arena;
  const stalled = but<Ledger>(ledger, {
    window: (window) =>
      clock.now() < T0 + 19_500 && clock.now() > T0 + 10_000
        ? Promise.reject(new Error("The node does not answer"))
        : ledger.window(window),
  });
  clock.set(T0 + 10_001);
  const { missed, submitted } = await runValidator(arena, { ledger: stalled });
  assert.equal(submitted.length, 0);
  assert.equal(missed.length, 1);
  assert.equal((await ledger.window(0)).status, "skipped");
});

/** A ledger that answers as `ledger` does, but with a bent view of window 0. */
function bent(ledger: Ledger, bend: (view: WindowView) => WindowView): Ledger {
  return but<Ledger>(ledger, {
    window: async (window) => {
      const view = await ledger.window(window);
      return window === 0 ? bend(view) : view;
    },
  });
}

Deno.test("ledger's node leaves a reveal out of its answer: the fold differs, and nothing is submitted", async () => {
  await using arena = await played();
  const lying = bent(arena.ledger, (view) => ({ ...view, reveals: view.reveals.slice(0, 1) }));
  const { missed, submitted } = await runValidator(arena, { ledger: lying });
  assert.equal(submitted.length, 0);
  assert.equal(missed.length, 1);
});

Deno.test("ledger's node lags behind the reveals: the ledger itself refuses the report, and no one is harmed", async () => {
  await using arena = await played();
  const lagging = bent(arena.ledger, (view) => {
    const reveals = view.reveals.slice(0, 1);
    const acc = foldReveals(reveals);
    return { ...view, reveals, acc, digest: windowDigest(view.context, acc) };
  });
  const { missed, refused } = await runValidator(arena, { ledger: lagging });
  assert.ok(refused.every((constant) => constant === "EWrongDigest"), `${refused}`);
  assert.equal(missed.length, 1);
  assert.deepEqual((await arena.ledger.window(0)).reported, []);
});
