import assert from "node:assert/strict";
import { Transaction } from "@mysten/sui/transactions";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import { QUICKNET } from "../../../enclave/protocol/drand.ts";
import { DEFAULT_HPARAMS, encodeHparams } from "../../../enclave/protocol/hparams.ts";
import type { JobSpec } from "../jobs.ts";
import * as admin from "./calls/admin.ts";
import { type Call, CallBuilder, MAX_PURE_BYTES } from "./calls/call.ts";
import * as jobs from "./calls/jobs.ts";
import * as miners from "./calls/miners.ts";
import * as token from "./calls/token.ts";
import * as windows from "./calls/windows.ts";
import { SuiError } from "./errors.ts";
import { build, callKey, MAX_GAS_COINS, MAX_TRANSACTION_BYTES } from "./gas.ts";
import { bytes, u16 } from "./layout/layout.ts";
import { DEPLOYMENT as D, DIGEST, idOf } from "./testing.ts";

const SENDER = idOf(0x5e);
const b32 = new Uint8Array(32).fill(7);
const b64 = new Uint8Array(64).fill(8);
const pcr = new Uint8Array(48).fill(9);
const coin = (n: number, balance = 1_000n) => ({
  objectId: idOf(0xc000 + n),
  version: "5",
  digest: DIGEST,
  balance,
});
const CAP = coin(1);
const shared = { id: idOf(0x99), initialSharedVersion: "3" };
const SPEC: JobSpec = {
  modelParamsM: 124,
  datasetTokensM: 10,
  numEpochs: 1,
  batchSize: 8,
  sequenceLength: 256,
  precision: "BF16",
  minGpuVramGb: 24,
  datasetId: 1,
  baseHash: b32,
  baseRef: "base",
  minImprovement: 1_000,
};
const TERMS = {
  pricePerUnit: 1n,
  feeBps: 500,
  minPrice: 1n,
  disputeWindowMs: 1,
  disputeTimeoutMs: 1,
  bondBps: 1_000,
  defaultSplitBps: 1_000,
};
const DATASET = { pageCount: 10, pageTokens: 9, tokenizerHash: b32, merkleRoot: b32 };
const CREDENTIALS = {
  epoch: 1,
  bucket: "bucket",
  account: "account",
  sealed: b64,
  keyServers: [idOf(1), idOf(2)],
  threshold: 2,
};
const GENERATION = {
  treasury: SENDER,
  investors: [{ to: SENDER, amount: 1n }],
  investorsCliffMs: 1,
  investorsDurationMs: 1,
  team: [{ to: SENDER, amount: 1n }],
  liquidity: SENDER,
  airdropRoot: b32,
  airdropLeaves: 1,
  airdropDeadlineMs: 1,
};
const FOUNDING = {
  datasetId: 0,
  chainId: b32,
  modelHash: b32,
  baseHash: b32,
  beacon: QUICKNET,
  epochStartMs: 0,
  firstWindow: 0,
  hparams: DEFAULT_HPARAMS,
};
const GRADIENT = { contentHash: b32, size: 64, codec: 1 };

/** Every call there is. */
const CALLS: Readonly<Record<string, () => Call>> = {
  registerMiner: () => miners.registerMiner(D, 5n, 2n),
  registerValidator: () => miners.registerValidator(D, 5n, 2n, 1_500n, [coin(1), coin(2)]),
  registerValidatorWithoutBond: () => miners.registerValidator(D, 5n, 0n, 0n, []),
  unregisterMiner: () => miners.unregister(D, "miner", 3),
  unregisterValidator: () => miners.unregister(D, "validator", 3),
  withdraw: () => miners.withdraw(D, SENDER, ["miner", "validator"]),
  topUpStake: () => miners.topUpStake(D, 3, 9n),
  commit: () => miners.commit(D, 3, 12, b32),
  reveal: () => miners.reveal(D, 3, 12, GRADIENT, b32, "gradient-12-3-v1.pt"),
  setCredentials: () => miners.setCredentials(D, 3, CREDENTIALS),
  sealApprove: () => miners.sealApprove(D, b32),
  roll: () => windows.roll(D),
  registerEnclave: () => windows.registerEnclave(D, 1, b64),
  submitReport: () => windows.submitReport(D, b64, b64),
  settle: () => windows.settle(D, 12, 64),
  submitOutcome: () => windows.submitOutcome(D, b64, b64),
  close: () => windows.close(D, 12),
  slash: () => windows.slash(D, b32, b64, b64, b64, b64),
  drawSeeds: () => windows.drawSeeds(D, 12, { id: "0x8", initialSharedVersion: "2" }),
  prune: () => windows.prune(D, 12, ["gradients", "scores", "rounds"]),
  claim: () => windows.claim(D, SENDER),
  postJob: () => jobs.postJob(D, SPEC, 1, 10n),
  claimJob: () => jobs.claimJob(D, 1, 3, 1n),
  completeJob: () => jobs.completeJob(D, 1, b32, "result"),
  disputeJob: () => jobs.disputeJob(D, 1, 1n),
  resolveDispute: () => jobs.resolveDispute(D, b64, b64),
  cancelJob: () => jobs.stepJob(D, "cancel_job", 1),
  refundJob: () => jobs.stepJob(D, "refund_job", 1),
  releaseJob: () => jobs.stepJob(D, "release_job", 1),
  settleJob: () => jobs.stepJob(D, "settle_job", 1),
  expireDispute: () => jobs.stepJob(D, "expire_dispute", 1),
  pruneJob: () => jobs.stepJob(D, "prune_job", 1),
  setJobTerms: () => jobs.setJobTerms(D, CAP, TERMS),
  sweepJobFees: () => jobs.sweepJobFees(D, CAP, SENDER),
  found: () => admin.found(D, CAP, FOUNDING),
  setHparams: () => admin.setHparams(D, CAP, DEFAULT_HPARAMS),
  approve: () => admin.approve(D, CAP, "build-1", [pcr, pcr, pcr]),
  approveAtGenesis: () => admin.approveAtGenesis(D, CAP, "build-1", [pcr, pcr, pcr]),
  removeBuild: () => admin.removeBuild(D, CAP, "build-1"),
  offerAdmin: () => admin.offerAdmin(D, CAP, SENDER),
  acceptAdmin: () => admin.answerOffer(D, "accept_admin"),
  withdrawOffer: () => admin.answerOffer(D, "withdraw_offer"),
  registerDataset: () => admin.registerDataset(D, CAP, DATASET),
  registerJobDataset: () => admin.registerDataset(D, null, DATASET),
  retireDataset: () => admin.retireDataset(D, CAP, 1),
  retireOwnDataset: () => admin.retireDataset(D, null, 1),
  sweepMiners: () => admin.sweepTreasury(D, CAP, "miner", SENDER),
  sweepValidators: () => admin.sweepTreasury(D, CAP, "validator", SENDER),
  generateTokens: () => token.generateTokens(D, CAP, GENERATION),
  claimVested: () => token.claimVested(D, shared, SENDER),
  offerVesting: () => token.offerVesting(D, shared, SENDER),
  withdrawVestingOffer: () => token.offerVesting(D, shared, null),
  acceptVesting: () => token.acceptVesting(D, shared),
  claimAirdrop: () => token.claimAirdrop(D, shared, 1, 2n, [b32, b32], SENDER),
  sweepAirdrop: () => token.sweepAirdrop(D, shared, { ...shared, id: idOf(0x9a) }),
  burn: () => token.burn(D, 1n, [coin(1)]),
  depositRewards: () => token.depositRewards(D, 1n, [coin(1)]),
  claimTreasury: () => token.claimTreasury(D, CAP, SENDER),
  createPool: () => token.createPool(D, CAP),
  depositPoolRewards: () => token.depositPoolRewards(D, shared, 1n, [coin(1)]),
  stake: () => token.stake(D, shared, 1n, 3, [coin(1)]),
  claimPoolRewards: () => token.claimPoolRewards(D, shared, coin(7), SENDER),
  unstake: () => token.unstake(D, shared, coin(7), SENDER),
};

/** Give a call what the executor gives it, and build its bytes. */
async function bytesOf({ transaction }: Call, gas = [coin(0)]): Promise<Bytes> {
  const full = Transaction.from(transaction);
  full.setSender(SENDER);
  full.setGasPrice(1_000);
  full.setGasBudget(5_000_000);
  full.setGasPayment(gas);
  full.setExpiration({ Epoch: 9 });
  return await build(full);
}

/** Calls of a transaction's bytes: `module::function`. */
function callsOf(raw: Uint8Array): string[] {
  return Transaction.from(raw).getData().commands.flatMap(({ MoveCall: call }) =>
    call === undefined ? [] : [
      call.package === D.packageId
        ? `${call.module}::${call.function}`
        : `${BigInt(call.package)}::${call.module}::${call.function}`,
    ]
  );
}

/** Public functions of the compiled modules: name to the types of its parameters, less the context. */
function compiledFunctions(): Map<string, string[]> {
  const path = new URL("../../../contracts/public_functions.txt", import.meta.url);
  const functions = new Map<string, string[]>();
  let module = "";
  for (const line of Deno.readTextFileSync(path).split("\n")) {
    module = /^module (\w+)$/.exec(line)?.[1] ?? module;
    const [, name, parameters] =
      /^ {2}(?:public|entry) fun (\w+)(?:<T0>)?\((.*?)\)(?:: .*)?$/.exec(line) ?? [];
    if (name === undefined) continue;
    const types = parameters!.split(/, (?![^<]*>)/).filter((type) =>
      type !== "" && !type.endsWith("TxContext")
    );
    functions.set(
      `${module}::${name}`,
      types.map((type) =>
        type.replace(/(?<![:\w])([A-Z]\w*)/g, (n) => /^T\d$/.test(n) ? n : `${module}::${n}`)
      ),
    );
  }
  return functions;
}

/** Functions of Sui's framework that are called, from its sources. */
const FRAMEWORK: Readonly<Record<string, readonly string[]>> = {
  "0x2::nitro_attestation::load_nitro_attestation": ["vector<u8>", "&0x2::clock::Clock"],
};

Deno.test("calls: the types of their arguments are the compiled modules'", () => {
  const functions = compiledFunctions();
  const made: CallBuilder["signatures"] = [];
  const original = CallBuilder.prototype.done;
  CallBuilder.prototype.done = function () {
    made.push(...this.signatures);
    return original.call(this);
  };
  try {
    for (const make of Object.values(CALLS)) make();
  } finally {
    CallBuilder.prototype.done = original;
  }
  assert.ok(made.length >= Object.keys(CALLS).length);
  for (const { target, types } of made) {
    assert.deepEqual(types, FRAMEWORK[target] ?? functions.get(target), target);
  }
});

Deno.test("calls: every function that changes the ledger is called by one", async () => {
  const called = new Set<string>();
  for (const make of Object.values(CALLS)) {
    for (const name of callsOf(await bytesOf(make()))) called.add(name);
  }
  const left = [...compiledFunctions()].filter(([name, types]) =>
    types.some((type) => type.startsWith("&mut ")) && !called.has(name) &&
    !name.endsWith("::migrate")
  ).map(([name]) => name);
  // Rolled by `peer_registry::roll`, which does the same and more.
  assert.deepEqual(left, ["validator_registry::roll"]);
});

Deno.test("calls: bytes decode to what was asked for", async () => {
  const raw = await bytesOf(CALLS.registerEnclave!());
  assert.deepEqual(callsOf(raw), [
    "2::nitro_attestation::load_nitro_attestation",
    "enclave_registry::register",
  ]);
  const { commands, expiration, gasData, inputs, sender } = Transaction.from(raw).getData();
  assert.deepEqual([sender, expiration, gasData.budget, gasData.payment?.length], [
    SENDER,
    { $kind: "Epoch", Epoch: 9 },
    "5000000",
    1,
  ]);
  const register = commands[1]!.MoveCall!;
  // The document goes from one call to the other inside the transaction.
  assert.deepEqual(register.arguments[4], { $kind: "Result", Result: 0 });
  const shared = register.arguments.flatMap((argument) => {
    const object = argument.$kind === "Input" ? inputs[argument.Input]!.Object?.SharedObject : null;
    return object == null ? [] : [[object.objectId, object.mutable]];
  });
  assert.deepEqual(shared, [
    [D.objects.roundState.id, true],
    [D.objects.hparams.id, true],
    [D.objects.validatorRegistry.id, true],
    [D.objects.enclaveRegistry.id, true],
    [idOf(6), false],
  ]);
});

Deno.test("calls: a stake is split from the gas, a bond from VRAM coins merged", async () => {
  const { commands, inputs } = Transaction.from(await bytesOf(CALLS.registerValidator!()))
    .getData();
  const amount = (index: number) => inputs[index]!.Pure!.bytes;
  const u64 = (value: bigint) => {
    const raw = new Uint8Array(8);
    new DataView(raw.buffer).setBigUint64(0, value, true);
    return btoa(String.fromCharCode(...raw));
  };
  const splits = commands.flatMap(({ SplitCoins: split }) => split === undefined ? [] : [split]);
  assert.deepEqual(
    splits.map((split) => {
      const [value] = split.amounts;
      return [split.coin.$kind, value?.$kind === "Input" ? amount(value.Input) : ""];
    }),
    [["GasCoin", u64(5n)], ["GasCoin", u64(2n)], ["Input", u64(1_500n)]],
  );
  assert.equal(commands.filter(({ $kind }) => $kind === "MergeCoins").length, 1);
  assert.equal(CALLS.registerValidator!().spend, 7n);
  assert.throws(
    () => miners.registerValidator(D, 5n, 0n, 2_001n, [coin(1), coin(2)]),
    (error) => error instanceof SuiError && error.code === "insufficient_vram",
  );
});

Deno.test("calls: coins that come back go to the sender", async () => {
  for (const name of ["withdraw", "claim", "unstake", "sweepJobFees", "claimAirdrop"]) {
    const { commands, inputs } = Transaction.from(await bytesOf(CALLS[name]!())).getData();
    const transfer = commands.at(-1)!.TransferObjects!;
    const to = transfer.address.$kind === "Input"
      ? inputs[transfer.address.Input]!.Pure!.bytes
      : "";
    const raw = Uint8Array.from(atob(to), (char) => char.charCodeAt(0));
    assert.equal(`0x${raw.toHex()}`, SENDER, name);
  }
});

Deno.test("calls: stay under Sui's limits at 256 entries and 256 gas coins", async () => {
  const gas = Array.from({ length: MAX_GAS_COINS }, (_, i) => coin(i));
  const report = new Uint8Array(126 + 27 * 256); // head, digest, random_before, length, entries
  const outcome = new Uint8Array(118 + 18 * 256 + 49);
  const document = new Uint8Array(8_192); // real ones have 4 to 5 KB
  const largest: Call[] = [
    windows.submitReport(D, report, b64),
    windows.submitOutcome(D, outcome, b64),
    windows.registerEnclave(D, 31, document),
    windows.slash(D, b32, report, b64, new Uint8Array(report), b64),
    miners.setCredentials(D, 255, {
      ...CREDENTIALS,
      sealed: new Uint8Array(4_096),
      keyServers: Array.from({ length: 16 }, (_, i) => idOf(i)),
    }),
    token.generateTokens(D, CAP, {
      ...GENERATION,
      investors: Array.from({ length: 64 }, () => ({ to: SENDER, amount: 1n })),
      team: Array.from({ length: 64 }, () => ({ to: SENDER, amount: 1n })),
    }),
    token.claimAirdrop(D, shared, 1, 1n, Array.from({ length: 40 }, () => b32), SENDER),
    token.burn(D, 500_000n, Array.from({ length: 500 }, (_, i) => coin(i))),
  ];
  for (const call of largest) {
    const raw = await bytesOf(call, gas);
    assert.ok(raw.length <= MAX_TRANSACTION_BYTES);
    for (const { Pure } of Transaction.from(raw).getData().inputs) {
      assert.ok(Pure === undefined || atob(Pure.bytes).length <= MAX_PURE_BYTES);
    }
  }
  assert.throws(
    () => windows.registerEnclave(D, 1, new Uint8Array(MAX_PURE_BYTES)),
    (error) => error instanceof SuiError && error.code === "too_large",
  );
});

Deno.test("calls: refuse values that their type cannot hold", () => {
  assert.throws(() => new CallBuilder(D).pure(u16, 65_536), RangeError);
  assert.throws(() => miners.commit(D, -1, 1, b32), RangeError);
  assert.throws(() => windows.settle(D, 1.5, 1), RangeError);
  assert.doesNotThrow(() => new CallBuilder(D).pure(bytes, encodeHparams(DEFAULT_HPARAMS)));
});

Deno.test("callKey: the same for other coins, another for other arguments or tickets", () => {
  const keys = Object.values(CALLS).map((make) => callKey(make()));
  assert.equal(new Set(keys).size, keys.length);
  assert.deepEqual(Object.values(CALLS).map((make) => callKey(make())), keys);
  assert.equal(
    callKey(token.burn(D, 9n, [coin(1)])),
    callKey(token.burn(D, 9n, [coin(2, 4n), coin(3, 5n)])),
  );
  assert.notEqual(callKey(token.burn(D, 9n, [coin(1)])), callKey(token.burn(D, 8n, [coin(1)])));
  assert.notEqual(
    callKey(token.unstake(D, shared, coin(7), SENDER)),
    callKey(token.unstake(D, shared, coin(8), SENDER)),
  );
  assert.notEqual(
    callKey(miners.commit(D, 1, 12, b32)),
    callKey(miners.commit(D, 1, 13, b32)),
  );
});
