import assert from "node:assert/strict";
import { TransactionDataBuilder } from "@mysten/sui/transactions";
import { GrpcTypes } from "@mysten/sui/grpc";
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import * as miners from "./calls/miners.ts";
import * as windows from "./calls/windows.ts";
import { SuiError, type SuiErrorCode } from "./errors.ts";
import { Executor, PATIENCE } from "./execute.ts";
import { count, encode, struct, u16 } from "./layout/layout.ts";
import { type Executed, Outbox } from "./outbox.ts";
import { StateReader } from "./state_reader.ts";
import { openStore } from "./store.ts";
import {
  abortMessage,
  coinsPage,
  DEPLOYMENT,
  DIGEST,
  epochStep,
  executedMessage,
  idOf,
  objectMessage,
  objectsFrom,
  PROFILE,
  rpcError,
  ScriptedTransport,
  type Step,
} from "./testing.ts";
import { Wallet } from "./wallet.ts";

const WALLET = Wallet.fromMnemonic(
  "result crisp session latin must fruit genuine question prevent start coconut brave speak student dismiss",
);
const COIN = idOf(0xc0);
const GAS = 10_000_000_000n;

type Sent = {
  transaction: { bcs: { value: Uint8Array } };
  signatures: { bcs: { value: Uint8Array } }[];
};
const digestOf = ({ transaction }: Sent) =>
  TransactionDataBuilder.getDigestFromBytes(transaction.bcs.value);

const prepared = (version = 5n, epoch = 5n): Step[] => [
  coinsPage(WALLET.address, [[COIN, version, GAS], [idOf(0xc1), 2n, 1n]]),
  epochStep(epoch),
];
const simulated: Step = {
  method: "SimulateTransaction",
  answer: () => ({ transaction: executedMessage(DIGEST), commandOutputs: [] }),
};
const executes = (events: readonly [string, Uint8Array][] = [], error?: object): Step => ({
  method: "ExecuteTransaction",
  answer: (request: Sent) => ({ transaction: executedMessage(digestOf(request), events, error) }),
});
const fails = (method: string, code: string, message: string): Step => ({
  method,
  answer: rpcError(code, message),
});
const timesOut = fails("ExecuteTransaction", "DEADLINE_EXCEEDED", "signal timed out");
const unknown = fails("GetTransaction", "NOT_FOUND", "Transaction not found");
const known: Step = {
  method: "GetTransaction",
  answer: ({ digest }: { digest: string }) => ({ transaction: executedMessage(digest) }),
};
const STALE =
  "Object ID 0xc0 Version 0x5 Digest 4b is not available for consumption, current version: 0x6";
const LOCKED =
  "Object (0xc0, SequenceNumber(5), o#4b) already locked by a different transaction: TransactionDigest(9)";
/** The first coin as it is now. */
const coinNow = (version: bigint, previousTransaction: string): Step =>
  objectsFrom(
    new Map([[COIN, objectMessage(COIN, { owner: WALLET.address, version, previousTransaction })]]),
  );

class Bench {
  readonly script: ScriptedTransport;
  readonly db = openStore(":memory:", "test");
  readonly outbox = new Outbox(this.db, WALLET.address);
  readonly executor: Executor;
  readonly slept: number[] = [];

  constructor(steps: Step[], sends = 3) {
    this.script = new ScriptedTransport(...steps);
    this.executor = this.another(sends);
  }

  /** What a restarted program would have. */
  another(sends = 3): Executor {
    const { client } = this.script;
    return new Executor({
      client,
      reader: new StateReader(client, DEPLOYMENT),
      wallet: WALLET,
      outbox: this.outbox,
      patience: {
        ...PATIENCE,
        sends,
        sleep: (ms) => {
          this.slept.push(ms);
          return Promise.resolve();
        },
      },
    });
  }

  /** Bytes and signatures that were sent for execution. */
  get sent(): string[] {
    return this.script.requests
      .filter((_, i) => this.script.called[i] === "ExecuteTransaction")
      .map(({ signatures, transaction }: Sent) =>
        [transaction.bcs.value, signatures[0]!.bcs.value].map((bytes) => bytes.toHex()).join()
      );
  }

  commit(window = 12, executor = this.executor): Promise<Executed> {
    return executor.run(() => miners.commit(DEPLOYMENT, 3, window, new Uint8Array(32)));
  }

  /** Whether the call fails with `code`, and whether that is retryable. */
  async fails(code: SuiErrorCode, retryable: boolean, call = this.commit()): Promise<SuiError> {
    const error = await call.then(() => null, (e) => e);
    assert.ok(error instanceof SuiError, String(error));
    assert.deepEqual([error.code, error.retryable], [code, retryable]);
    return error;
  }

  [Symbol.dispose](): void {
    this.script.done();
    this.db.close();
  }
}

Deno.test("Executor: simulates, signs, executes, and gives back the events", async () => {
  const type = `${PROFILE.packageId}::gradient_registry::GradientCommitted`;
  const bcs = encode(struct("x", { window: count, uid: u16 }), { window: 12, uid: 3 });
  using bench = new Bench([...prepared(), simulated, executes([[type, bcs]])]);
  const { digest, events } = await bench.commit();
  assert.deepEqual(bench.script.called.slice(-2), ["SimulateTransaction", "ExecuteTransaction"]);
  assert.equal(digest, digestOf(bench.script.requests.at(-1)));
  assert.deepEqual(events, [{ eventType: type, bcs }]);
  assert.deepEqual(bench.outbox.pending(), []);
  // gas from all coins, a budget from the simulation, alive in this epoch and the next
  const { expiration, gasData } = TransactionDataBuilder.fromBytes(
    bench.script.requests.at(-1).transaction.bcs.value,
  );
  assert.deepEqual(gasData.payment?.map(({ objectId }) => objectId), [COIN, idOf(0xc1)]);
  assert.deepEqual([gasData.budget, gasData.price], ["8000000", "1000"]);
  assert.deepEqual(expiration, { $kind: "Epoch", Epoch: 6 });
});

Deno.test("Executor: an abort of the simulation is the ledger's error, and nothing is sent", async () => {
  using bench = new Bench([...prepared(), {
    method: "SimulateTransaction",
    answer: {
      transaction: executedMessage(
        DIGEST,
        [],
        abortMessage("gradient_registry", "ECommitsClosed", 2),
      ),
      commandOutputs: [],
    },
  }]);
  await assert.rejects(bench.commit(), (error) => {
    assert.ok(error instanceof LedgerError);
    assert.equal(
      error.message,
      "gradient_registry::ECommitsClosed: words of the contract",
    );
    return true;
  });
  assert.deepEqual([bench.sent, bench.outbox.pending()], [[], []]);
});

Deno.test("Executor: an abort of the execution is the ledger's error, too", async () => {
  const error = abortMessage("gradient_registry", "EAlreadyCommitted", 3);
  using bench = new Bench([...prepared(), simulated, executes([], error)]);
  await assert.rejects(
    bench.commit(),
    (error) => error instanceof LedgerError && error.constant === "EAlreadyCommitted",
  );
  assert.deepEqual(bench.outbox.pending(), []);
});

Deno.test("Executor: after a time-out the same bytes are sent again", async () => {
  using bench = new Bench([...prepared(), simulated, timesOut, unknown, executes()]);
  await bench.commit();
  assert.equal(bench.sent.length, 2);
  assert.equal(bench.sent[0], bench.sent[1]);
});

Deno.test("Executor: after a time-out the outcome is read back by digest", async () => {
  using bench = new Bench([...prepared(), simulated, timesOut, known]);
  const { digest } = await bench.commit();
  assert.equal(bench.sent.length, 1);
  assert.equal(bench.script.requests.at(-1).digest, digest);
});

Deno.test("Executor: a refused connection after sending loses nothing, also over a restart", async () => {
  const refused = fails("ExecuteTransaction", "UNAVAILABLE", "Connection refused");
  const gone = fails("GetTransaction", "UNAVAILABLE", "Connection refused");
  using bench = new Bench(
    [...prepared(), simulated, refused, gone, refused, gone, fails("GetEpoch", "UNAVAILABLE", "x")],
    2,
  );
  const error = await bench.fails("outcome_unknown", true);
  const [pending] = bench.outbox.pending();
  assert.equal(error.digest, pending!.digest);
  // The program ends here. The next one sends the very bytes first, and tells the same call its outcome.
  bench.script.add(executes());
  const restarted = bench.another();
  const { digest } = await bench.commit(12, restarted);
  assert.equal(digest, pending!.digest);
  assert.equal(new Set(bench.sent).size, 1);
  assert.deepEqual(bench.outbox.pending(), []);
});

Deno.test("Executor: another call waits until the first is known, and the first is not repeated", async () => {
  using bench = new Bench([
    ...prepared(),
    simulated,
    timesOut,
    unknown,
    epochStep(5n),
    coinNow(5n, DIGEST),
  ], 1);
  await bench.fails("outcome_unknown", true);
  // still unknown: no second transaction
  bench.script.add(timesOut, unknown, epochStep(5n), coinNow(5n, DIGEST));
  const other = bench.another(1);
  await bench.fails("outcome_unknown", true, bench.commit(13, other));
  assert.equal(new Set(bench.sent).size, 1);
  // executed at last: the other call goes on, with coins as they are now
  bench.script.add(executes(), ...prepared(6n), simulated, executes());
  await bench.commit(13, other);
  assert.equal(new Set(bench.sent).size, 2);
  // and whoever repeats the first call gets its outcome, once
  const calls = bench.sent.length;
  await bench.commit(12, other);
  assert.equal(bench.sent.length, calls);
});

Deno.test("Executor: a duplicate execution is one execution", async () => {
  // The node has executed it, lost the answer, and says of the second sending that the coin is used up.
  using bench = new Bench([
    ...prepared(),
    simulated,
    timesOut,
    unknown,
    fails("ExecuteTransaction", "INVALID_ARGUMENT", STALE),
    known,
  ]);
  const { digest } = await bench.commit();
  assert.equal(bench.script.requests.at(-1).digest, digest);
  assert.equal(new Set(bench.sent).size, 1);
});

Deno.test("Executor: a version conflict is built anew when nothing was executed", async () => {
  using bench = new Bench([
    ...prepared(5n),
    simulated,
    fails("ExecuteTransaction", "INVALID_ARGUMENT", STALE),
    ...prepared(6n),
    simulated,
    executes(),
  ]);
  await bench.commit();
  assert.equal(new Set(bench.sent).size, 2);
});

Deno.test("Executor: a version conflict after a time-out is built anew only when the first is dead", async () => {
  const stale = fails("ExecuteTransaction", "INVALID_ARGUMENT", STALE);
  // the coin still stands at the version of the first: it may yet be executed
  using waiting = new Bench([
    ...prepared(5n),
    simulated,
    timesOut,
    unknown,
    stale,
    unknown,
    epochStep(5n),
    coinNow(5n, DIGEST),
    epochStep(5n),
    coinNow(5n, DIGEST),
  ], 2);
  await waiting.fails("outcome_unknown", true);
  // somebody else's transaction has used it up: the first is dead for ever
  using dead = new Bench([
    ...prepared(5n),
    simulated,
    timesOut,
    unknown,
    stale,
    unknown,
    epochStep(5n),
    coinNow(6n, "9tqDVTyMWb2DTECGqcQ7xf2f3mHDJNsPdtjQm8D5ufPC"),
    unknown,
    ...prepared(6n),
    simulated,
    executes(),
  ]);
  await dead.commit();
  assert.equal(new Set(dead.sent).size, 2);
});

Deno.test("Executor: a coin that our own transaction moved proves no death", async () => {
  const moved: Step = {
    method: "BatchGetObjects",
    answer: (request) => {
      const step = coinNow(6n, bench.outbox.pending()[0]!.digest);
      return (step.answer as (request: unknown) => object)(request);
    },
  };
  // the node has executed it, and its index does not know
  using bench = new Bench([...prepared(), simulated, timesOut, unknown, epochStep(5n), moved], 1);
  bench.script.add(unknown);
  await bench.fails("outcome_unknown", true);
  bench.script.add(timesOut, epochStep(5n), moved);
  await bench.fails("outcome_unknown", true);
  assert.equal(new Set(bench.sent).size, 1);
});

Deno.test("Executor: what its epoch left behind is dead", async () => {
  using bench = new Bench([
    ...prepared(),
    simulated,
    timesOut,
    unknown,
    epochStep(5n),
    coinNow(5n, DIGEST),
  ], 1);
  await bench.fails("outcome_unknown", true);
  bench.script.add(timesOut, unknown, epochStep(7n), coinNow(5n, DIGEST), unknown);
  bench.script.add(...prepared(5n, 7n), simulated, executes());
  await bench.commit(13, bench.another(1));
  assert.equal(new Set(bench.sent).size, 2);
});

Deno.test("Executor: equivocation is said, and no other transaction is signed meanwhile", async () => {
  const locked = fails("ExecuteTransaction", "FAILED_PRECONDITION", LOCKED);
  using bench = new Bench([...prepared(), simulated, locked]);
  const error = await bench.fails("objects_locked", false);
  assert.match(error.message, /until the epoch ends/);
  bench.script.add(locked, unknown);
  await bench.fails("objects_locked", false, bench.commit(13));
  assert.equal(new Set(bench.sent).size, 1);
});

Deno.test("Executor: too little gas is said before, by, and after the simulation", async () => {
  using poor = new Bench([coinsPage(WALLET.address, [[COIN, 1n, 1_999_999n]]), epochStep(5n)]);
  assert.match((await poor.fails("insufficient_gas", false)).message, /has 1999999 MIST in coins/);
  using none = new Bench([coinsPage(WALLET.address, []), epochStep(5n)]);
  await none.fails("insufficient_gas", false);
  using short = new Bench([
    coinsPage(WALLET.address, [[COIN, 1n, 7_999_999n]]),
    epochStep(5n),
    simulated,
  ]);
  assert.match((await short.fails("insufficient_gas", false)).message, /costs about 8000000/);
  const { INSUFFICIENT_GAS } = GrpcTypes.ExecutionError_ExecutionErrorKind;
  const error = {
    description: "InsufficientGas",
    kind: INSUFFICIENT_GAS,
    errorDetails: { oneofKind: undefined },
  };
  using grown = new Bench([...prepared(), simulated, executes([], error)]);
  await grown.fails("insufficient_gas", false);
  assert.deepEqual(grown.outbox.pending(), []);
});

Deno.test("Executor: a congested object is tried again, as a new transaction", async () => {
  const error = {
    description: "ExecutionCanceledDueToConsensusObjectCongestion",
    kind: 34,
    errorDetails: { oneofKind: "congestedObjects", congestedObjects: { objects: [idOf(1)] } },
  };
  using bench = new Bench([
    ...prepared(5n),
    simulated,
    executes([], error),
    ...prepared(6n),
    simulated,
    executes(),
  ]);
  await bench.commit();
  assert.deepEqual(bench.slept, [200]);
});

Deno.test("Executor: an answer about another transaction counts for nothing", async () => {
  using bench = new Bench([...prepared(), simulated, {
    method: "ExecuteTransaction",
    answer: { transaction: executedMessage(DIGEST) },
  }]);
  await bench.fails("bad_layout", false);
  assert.equal(bench.outbox.pending().length, 1);
});

Deno.test("Executor: calls made at once follow one another", async () => {
  using bench = new Bench([
    ...prepared(5n),
    simulated,
    executes(),
    ...prepared(6n),
    simulated,
    executes(),
  ]);
  const report = () => windows.submitReport(DEPLOYMENT, new Uint8Array(1), new Uint8Array(64));
  await Promise.all([bench.commit(), bench.executor.run(report)]);
  assert.deepEqual(
    bench.script.called.filter((name) => name.endsWith("Transaction")),
    ["SimulateTransaction", "ExecuteTransaction", "SimulateTransaction", "ExecuteTransaction"],
  );
});
