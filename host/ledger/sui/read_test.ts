import assert from "node:assert/strict";
import { Transaction } from "@mysten/sui/transactions";
import { DEFAULT_HPARAMS, type Hparams } from "../../../enclave/protocol/hparams.ts";
import { SuiError } from "./errors.ts";
import { EventIndex } from "./event_index.ts";
import { EVENTS } from "./layout/events.ts";
import { HparamsInner } from "./layout/hparams.ts";
import { address, bytes, encode, type Of, u64 } from "./layout/layout.ts";
import { PeerRegistryInner, ValidatorRegistryInner } from "./layout/peers.ts";
import {
  Attested,
  Enclave,
  EnclaveRegistryInner,
  Holder,
  RewardPoolInner,
} from "./layout/scores.ts";
import { TreasuryInner } from "./layout/token.ts";
import type { Head } from "./read/head.ts";
import { adminOf } from "./read/network.ts";
import { validatorCosts } from "./read/peers.ts";
import { openStore } from "./store.ts";
import {
  deployed,
  idOf,
  objectMessage,
  PROFILE,
  putField,
  putInner,
  type Step,
} from "./testing.ts";
import { params, PEERS, putUnfounded, unfoundedHparams } from "./testing_mirror.ts";
import { calls, connect, ME, NOW } from "./testing_session.ts";

const P = PROFILE.packageId;
const VRAM = 1_000_000_000n;
const NONE = { id: idOf(0x7ff), size: 0 };

/** MIST or VRAM that a transaction splits off, in order. */
function splits(raw: Uint8Array): bigint[] {
  const { commands, inputs } = Transaction.from(raw).getData();
  return commands.flatMap(({ SplitCoins: split }) =>
    (split?.amounts ?? []).map((amount) => {
      const { bytes } = inputs[(amount as { Input: number }).Input]!.Pure!;
      const value = Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0));
      return new DataView(value.buffer).getBigUint64(0, true);
    })
  );
}

/** A founded network of one hour's windows that began an hour ago. */
function founded(hparams: Partial<Hparams>): Of<typeof HparamsInner> {
  return {
    ...unfoundedHparams(),
    params: params({ ...DEFAULT_HPARAMS, ...hparams }),
    founded: true,
    epochs: [{ first_window: 0, start_ms: NOW - 3_600_000, window_ms: 3_600_000 }],
  };
}

Deno.test("registerMiner: brings the eviction's fee only where every slot is taken", async () => {
  const objects = deployed();
  putUnfounded(objects);
  putInner(objects, "hparams", HparamsInner, founded({ max_miners: 3, eviction_fee: 50 }));
  const fees: bigint[] = [];
  for (
    const [seated, changing, evictions] of [[0b011n, 0n, 0], [0b011n, 0b100n, 0], [
      0b111n,
      0n,
      2,
    ]] as const
  ) {
    putInner(objects, "peerRegistry", PeerRegistryInner, {
      ...PEERS,
      seated,
      changing,
      evictions,
      evictions_window: 1,
    });
    const registered = { uid: 2, owner: ME, stake: 9n, from: 2 };
    const { ledger, script } = await connect(
      objects,
      ...calls(["peer_registry::PeerRegistered", registered]),
    );
    using sui = ledger;
    assert.equal(await sui.registerMiner(ME, 9n), 2);
    const [stake, fee] = splits(script.requests.at(-1).transaction.bcs.value);
    assert.equal(stake, 9n);
    fees.push(fee!);
  }
  assert.deepEqual(fees, [0n, 50n, 200n]);
});

Deno.test("registerValidator: stake, fee and bond go in one transaction", async () => {
  const objects = deployed();
  putUnfounded(objects);
  putInner(objects, "hparams", HparamsInner, founded({}));
  putInner(objects, "treasury", TreasuryInner, {
    cap: { id: idOf(1), total_supply: 0n },
    issued: 1_000_000n * VRAM,
    mined: 0n,
    burned: 0n,
    tge_done: true,
  });
  const coin = objectMessage(idOf(0xc7), { owner: ME, balance: 3_000n * VRAM });
  const { ledger, script } = await connect(
    objects,
    { method: "ListOwnedObjects", answer: { objects: [coin] } },
    ...calls(["validator_registry::ValidatorRegistered", {
      uid: 0,
      owner: ME,
      stake: 9n,
      fee: 0n,
      bond: 2_100n * VRAM,
      from: 2,
    }]),
  );
  using sui = ledger;
  assert.equal(await sui.registerValidator(ME, 9n), 0);
  const [coins] = script.requests.filter((_, i) => script.called[i] === "ListOwnedObjects");
  assert.equal(coins.objectType, `0x2::coin::Coin<${P}::vram_token::VRAM_TOKEN>`);
  const raw = script.requests.at(-1).transaction.bcs.value;
  assert.deepEqual(splits(raw), [9n, 0n, 2_100n * VRAM]);
  const { commands } = Transaction.from(raw).getData();
  assert.equal(commands.filter(({ MoveCall }) => MoveCall !== undefined).length, 1);
});

Deno.test("validatorCosts: the bond rises by eights, the fee doubles with demand", () => {
  const slots = (n: number) => Array.from({ length: n }, (_, uid) => ({ uid }));
  const head = (n: number, evictions: number, isFounded = true, rolled = true) =>
    ({
      hparams: { ...founded({ max_validators: 32, eviction_fee: 50 }), founded: isFounded },
      validators: { slots: slots(n), pending: [{ uid: 0 }], evictions },
      rolled,
      running: 1,
    }) as unknown as Head;
  const issued = 1_000_000n * VRAM;
  assert.deepEqual(
    [0, 7, 8, 16, 24, 31].map((n) => validatorCosts(head(n, 0), issued).bond / VRAM),
    [2_100n, 2_100n, 4_200n, 10_500n, 21_000n, 21_000n],
  );
  assert.equal(validatorCosts(head(8, 0), issued - 1n).bond, 0n);
  assert.equal(validatorCosts(head(8, 0, false), issued).bond, 0n);
  assert.deepEqual(
    [head(31, 3), head(32, 0), head(32, 3), head(32, 3, true, false), head(32, 99)]
      .map((h) => validatorCosts(h, issued).fee),
    [0n, 50n, 400n, 50n, 50n << 32n],
  );
});

Deno.test("SuiLedger: builds, and the key of who sits or will sit", async () => {
  const objects = deployed();
  putUnfounded(objects);
  const [keys, holders] = [idOf(0x801), idOf(0x802)];
  const key = new Uint8Array(32).fill(0xee);
  const pcr = new Uint8Array(48).fill(1);
  const build = (name: string) => ({ name, pcr0: pcr, pcr1: pcr, pcr2: pcr, active_from: 5 });
  putInner(objects, "enclaveRegistry", EnclaveRegistryInner, {
    measurements: [build("b"), build("a")],
    removed: NONE,
    keys: { id: keys, size: 1 },
    holders: { id: holders, size: 1 },
    offences: NONE,
  });
  putInner(objects, "validatorRegistry", ValidatorRegistryInner, {
    slots: [{ uid: 0, generation: 1, owner: idOf(9), stake: 5n, active_from: 0 }],
    pending: [{ uid: 1, effective: 9, owner: ME, stake: 5n }],
    unbonding: NONE,
    generations: [1],
    evictions: 0,
    treasury: 6n,
  });
  const row = {
    uid: 1,
    owner: ME,
    document_ms: 5,
    registered_ms: 6,
    expires_ms: 7,
    measurement: "a",
  };
  putField(objects, keys, "vector<u8>", bytes, key, Enclave, row);
  const holder = { uid: 1, owner: ME };
  putField(objects, holders, `${P}::enclave_registry::Holder`, Holder, holder, Attested, {
    newest_ms: 5,
    active: key,
  });
  const { ledger } = await connect(objects);
  using sui = ledger;
  assert.deepEqual((await sui.measurements()).map(({ activeFrom, name }) => [name, activeFrom]), [
    ["a", 5],
    ["b", 5],
  ]);
  assert.deepEqual(await sui.enclave(1), {
    key,
    uid: 1,
    documentMs: 5,
    registeredMs: 6,
    expiresMs: 7,
    measurement: "a",
    simulated: false,
  });
  assert.deepEqual([await sui.enclave(0), await sui.enclave(2)], [null, null]);
  assert.equal(await sui.treasury("validator"), 6n);
});

Deno.test("SuiLedger: a balance is coins of both kinds and what can be claimed", async () => {
  const objects = deployed();
  const claimable = idOf(0x803);
  putInner(objects, "rewardPool", RewardPoolInner, {
    issued: 5n,
    claimable: { id: claimable, size: 1 },
    owed: 7n,
    treasury: 2n,
    balance: 0n,
    payouts: NONE,
  });
  putField(objects, claimable, "address", address, ME, u64, 3n);
  const balanceOf = (balance: bigint): Step => ({
    method: "GetBalance",
    answer: { balance: { coinType: "x", balance, coinBalance: balance, addressBalance: 0n } },
  });
  const { ledger } = await connect(
    objects,
    balanceOf(11n),
    balanceOf(12n),
    balanceOf(0n),
    balanceOf(0n),
  );
  using sui = ledger;
  assert.deepEqual(await sui.balance(ME), { sui: 11n, vram: 12n, claimable: 3n });
  assert.deepEqual(await sui.balance("0x5"), { sui: 0n, vram: 0n, claimable: 0n });
  assert.deepEqual(await sui.owed(), { total: 9n, treasury: 2n });
  assert.equal(await sui.issued(), 5n);
});

Deno.test("adminOf: who offers, else who took or kept the rights last, else who published", async () => {
  const offers: [name: "AdminAccepted" | "AdminOfferWithdrawn", from: string, to: string][] = [];
  const admin = async (offer: { from: string; to: string } | null, publisher: string | null) => {
    using db = openStore(":memory:", "net");
    const events = offers.map(([name, from, to], n) => ({
      checkpoint: n,
      atMs: n,
      digest: `d${n}`,
      eventIndex: 0,
      eventType: `${P}::hparams::${name}`,
      bcs: encode(EVENTS.hparams![name]!, { from, to }),
    }));
    const source = { page: () => Promise.resolve({ events, cursor: "a", more: false }) };
    const index = new EventIndex(db, source, P);
    await index.sync([]);
    return adminOf({ hparams: { offer } } as unknown as Head, index, publisher);
  };
  const [A, B, C] = [idOf(1), idOf(2), idOf(3)] as [string, string, string];
  assert.equal(await admin(null, A), A);
  assert.equal(await admin({ from: A, to: B }, null), A);
  offers.push(["AdminAccepted", A, B]);
  assert.equal(await admin(null, A), B);
  offers.push(["AdminOfferWithdrawn", B, C]);
  assert.equal(await admin(null, A), B);
  offers.push(["AdminAccepted", B, C]);
  assert.equal(await admin(null, A), C);
  offers.length = 0;
  await assert.rejects(admin(null, null), SuiError);
});
