import assert from "node:assert/strict";
import { Transaction } from "@mysten/sui/transactions";
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import { registerEnclave } from "./calls/windows.ts";
import { EVENTS } from "./layout/events.ts";
import { BoardInner, Job } from "./layout/jobs.ts";
import { bytes, count, encode, u16 } from "./layout/layout.ts";
import { Credentials, PeerRegistryInner, PeerSeat } from "./layout/peers.ts";
import { Enclave, EnclaveRegistryInner } from "./layout/scores.ts";
import { PoolInner, StakerTicket, TreasuryInner } from "./layout/token.ts";
import {
  deployed,
  DEPLOYMENT,
  DIGEST,
  executedMessage,
  idOf,
  objectMessage,
  PROFILE,
  putField,
  putInner,
  type Step,
} from "./testing.ts";
import { PEERS, putUnfounded } from "./testing_mirror.ts";
import { calls, connect, ME, NOW } from "./testing_session.ts";

const P = PROFILE.packageId;
const b32 = new Uint8Array(32).fill(7);
const NONE = { id: idOf(0x7ff), size: 0 };
const end: Step = {
  method: "ListEvents",
  answer: (() => [{ end: { reason: 5 } }]) as Step["answer"],
};
const refuses = (module: string, constant: string) => (error: unknown) =>
  error instanceof LedgerError && error.module === module && error.constant === constant;

Deno.test("SuiLedger: credentials are void under another owner", async () => {
  const objects = deployed();
  const [seats, credentials] = [idOf(0x703), idOf(0x704)];
  putInner(objects, "peerRegistry", PeerRegistryInner, {
    ...PEERS,
    seats: { id: seats, size: 1 },
    credentials: { id: credentials, size: 1 },
    seated: 1n << 9n,
  });
  const row = {
    generation: 2,
    epoch: 5,
    bucket: Uint8Array.of(0x62, 0xff),
    account: Uint8Array.of(0x61),
    sealed: b32,
    key_servers: [idOf(1)],
    threshold: 1,
  };
  const seat = { generation: 2, slot: null, next: null, former: [] };
  putField(objects, seats, "u16", u16, 9, PeerSeat, seat);
  putField(objects, credentials, "u16", u16, 9, Credentials, row);
  const { ledger } = await connect(objects);
  using sui = ledger;
  assert.deepEqual(await sui.credentials(9), {
    generation: 2,
    epoch: 5,
    bucket: "b\ufffd",
    account: "a",
    sealed: b32,
    keyServers: [idOf(1)],
    threshold: 1,
  });
  assert.equal(await sui.credentials(8), null);
  assert.equal(await sui.nextCredentialsEpoch(8), 1);
  putField(objects, seats, "u16", u16, 9, PeerSeat, { ...seat, generation: 3 });
  assert.equal(await sui.credentials(9), null);
  assert.equal(await sui.nextCredentialsEpoch(9), 6, "a former owner's count");
  assert.equal(await sui.treasury("miner"), 3n);
});

Deno.test("SuiLedger: an attestation's document comes from its transaction, once", async () => {
  const objects = deployed();
  const keys = idOf(0x705);
  const key = new Uint8Array(32).fill(0xee);
  putInner(objects, "enclaveRegistry", EnclaveRegistryInner, {
    measurements: [],
    removed: NONE,
    keys: { id: keys, size: 1 },
    holders: NONE,
    offences: NONE,
  });
  const row = {
    uid: 1,
    owner: ME,
    document_ms: 5,
    registered_ms: 6,
    expires_ms: 7,
    measurement: "build-1",
  };
  putField(objects, keys, "vector<u8>", bytes, key, Enclave, row);
  putUnfounded(objects);
  const document = Uint8Array.of(1, 2, ...key, 3);
  const { inputs } = registerEnclave(DEPLOYMENT, 1, document).transaction.getData();
  const registered = encode(EVENTS.enclave_registry!.EnclaveRegistered!, {
    validator: 1,
    owner: ME,
    key,
    measurement: "build-1",
    document_ms: 5,
    registered_ms: 6,
    expires_ms: 7,
  });
  const pure = Uint8Array.from(atob(inputs[0]!.Pure!.bytes), (char) => char.charCodeAt(0));
  const { ledger } = await connect(
    objects,
    {
      method: "ListEvents",
      answer: (() => [
        {
          event: {
            eventType: `${P}::enclave_registry::EnclaveRegistered`,
            contents: { value: registered },
            checkpoint: 3n,
            transactionDigest: DIGEST,
            eventIndex: 0,
          },
          watermark: { cursor: Uint8Array.of(1) },
        },
        { end: { reason: 5 } },
      ]) as Step["answer"],
    },
    {
      method: "GetCheckpoint",
      answer: { checkpoint: { summary: { timestamp: { seconds: 1n, nanos: 0 } } } },
    },
    {
      method: "GetTransaction",
      answer: {
        transaction: {
          ...executedMessage(DIGEST),
          transaction: {
            version: 1,
            sender: ME,
            gasPayment: { objects: [], owner: ME, price: 1n, budget: 1n },
            expiration: { kind: 1 },
            kind: {
              kind: 1, // programmable
              data: {
                oneofKind: "programmableTransaction",
                programmableTransaction: {
                  inputs: [{ kind: 1, pure }],
                  commands: [{
                    command: {
                      oneofKind: "moveCall",
                      moveCall: {
                        package: idOf(2),
                        module: "nitro_attestation",
                        function: "load_nitro_attestation",
                        typeArguments: [],
                        arguments: [{ kind: 2, input: 0 }],
                      },
                    },
                  }],
                },
              },
            },
          },
        },
      },
    },
  );
  using sui = ledger;
  const expected = {
    key,
    uid: 1,
    owner: ME,
    documentMs: 5,
    registeredMs: 6,
    expiresMs: 7,
    measurement: "build-1",
    simulated: false,
    document,
  };
  assert.deepEqual(await sui.attestation(key), expected);
  assert.deepEqual(await sui.attestation(key), expected); // no second request
  assert.equal(await sui.attestation(b32), null);
});

Deno.test("SuiLedger: jobs are read newest first, and a claim brings its bond", async () => {
  const objects = deployed();
  const jobs = idOf(0x706);
  const terms = {
    price_per_unit: 10_000n,
    fee_bps: 500,
    min_price: 1_000n,
    dispute_window_ms: 1,
    dispute_timeout_ms: 2,
    bond_bps: 1_000,
    default_split_bps: 100,
  };
  putInner(objects, "jobBoard", BoardInner, {
    jobs: { id: jobs, size: 2 },
    next_id: 4,
    terms,
    fees: 8n,
  });
  const job = (status: number, miner = idOf(0)) => ({
    customer: idOf(9),
    spec: {
      model_params_m: 124,
      dataset_tokens_m: 10,
      num_epochs: 1,
      batch_size: 8,
      sequence_length: 256,
      precision: 2,
      min_gpu_vram_gb: 24,
      dataset_root: b32,
      base_hash: b32,
      base_ref: Uint8Array.of(0x62, 0xff),
      min_improvement: 5,
    },
    terms,
    status,
    posted_ms: 1,
    deadline_ms: 2,
    payout: 1_001n,
    fee: 50n,
    escrow: 1_051n,
    miner,
    uid: 3,
    claim_bond: 0n,
    result_hash: new Uint8Array(),
    since_ms: 1,
    dispute_bond: 0n,
  });
  putField(objects, jobs, "u64", count, 1, Job, job(0));
  putField(objects, jobs, "u64", count, 3, Job, job(1, idOf(4)));
  const { ledger, script } = await connect(objects, ...calls());
  using sui = ledger;
  const all = await sui.jobs(undefined, 10);
  assert.deepEqual(all.map(({ id, miner, status }) => [id, status, miner]), [
    [3, "claimed", { uid: 3, owner: idOf(4) }],
    [1, "open", null],
  ]);
  assert.deepEqual([all[1]!.spec.baseRef, all[1]!.spec.precision], ["b\ufffd", "BF16"]);
  assert.deepEqual((await sui.jobs("open", 10)).map(({ id }) => id), [1]);
  assert.equal(await sui.job(2), null);
  assert.deepEqual((await sui.jobBoard()).nextId, 4);
  const spec = { ...all[1]!.spec, datasetId: 0 };
  assert.deepEqual(await sui.quoteJob(spec), { payout: 10_000n, fee: 500n });
  await sui.claimJob(ME, 1, 3);
  const { commands, inputs } = Transaction.from(script.requests.at(-1).transaction.bcs.value)
    .getData();
  const split = commands.find(({ SplitCoins }) => SplitCoins !== undefined)!.SplitCoins!;
  const [amount] = split.amounts;
  const input = amount!.$kind === "Input" ? inputs[(amount as { Input: number }).Input] : undefined;
  assert.equal(input?.Pure?.bytes, btoa(String.fromCharCode(101, 0, 0, 0, 0, 0, 0, 0))); // rounded up
  await assert.rejects(sui.claimJob(ME, 2, 3), refuses("training_jobs", "EUnknownJob"));
});

Deno.test("SuiLedger: a ticket's rewards stream with time", async () => {
  const objects = deployed();
  const pool = idOf(0x88);
  putField(objects, pool, "u64", count, 1, PoolInner, {
    stake: 100n,
    rewards: 1_000n,
    unreleased: 1_000n,
    left_ms: 1_000,
    updated_ms: NOW - 250,
    total_weight: 2_000n,
    tickets: 2,
    accumulated: 0n,
  });
  const ticket = {
    id: idOf(0x77),
    pool,
    amount: 50n,
    tier: 1,
    weight: 600n,
    unlock_ms: NOW + 1,
    paid_at: 0n,
    fraction: 0n,
  };
  putInner(objects, "treasury", TreasuryInner, {
    cap: { id: idOf(1), total_supply: 5n },
    issued: 10n,
    mined: 4n,
    burned: 5n,
    tge_done: true,
  });
  putUnfounded(objects);
  const type = `${P}::staking_pool::StakerTicket<${P}::vram_token::VRAM_TOKEN>`;
  const content = encode(StakerTicket, ticket);
  const { ledger } = await connect(objects, {
    method: "ListOwnedObjects",
    answer: { objects: [objectMessage(idOf(0x77), { owner: ME, type, content })] },
  }, end);
  using sui = ledger;
  const [row] = await sui.tickets(ME);
  // a quarter of 1,000 is released, and 600 of 2,000 of it are this ticket's
  assert.deepEqual([row!.earned, row!.tier, row!.unlockMs], [75n, 1, NOW + 1]);
  assert.deepEqual(await sui.supply(), {
    issued: 10n,
    mined: 4n,
    burned: 5n,
    generated: true,
    treasury: PROFILE.objects.treasury,
  });
});
