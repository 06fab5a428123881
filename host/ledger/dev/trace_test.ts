import assert from "node:assert/strict";
import fc from "fast-check";
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import { VERDICT } from "../../../enclave/protocol/verdict.ts";
import {
  address,
  ADMIN,
  bytes32,
  FAST,
  minerOf,
  refuses,
  T0,
  TestNetwork,
  unmeasured,
  validatorOf,
} from "../testing.ts";

/** One operation with three small numbers to choose by. */
type Op = readonly [kind: keyof typeof OPS, a: number, b: number, c: number];

/** Where phases begin, in milliseconds of a window. */
const MOMENTS = [0, 6_000, 8_000, 9_000, 9_500];

const hparams = {
  ...FAST,
  max_miners: 4,
  max_validators: 3,
  immunity_windows: 0,
  inactive_windows: 2,
  unbonding_ms: 5_000,
  slash_bps: 5_000,
  unrevealed_fee: 300,
  miner_bps: 5_000,
  validator_bps: 3_000,
  treasury_bps: 2_000,
};

/** Anybody: founding miners and validators, and newcomers. */
const who = (n: number) => [minerOf(n % 4), validatorOf(n % 3), address(n)][n % 3]!;
const ALL = Array.from({ length: 16 }, (_, n) => who(n));
const current = (network: TestNetwork) => network.ledger.currentWindow();
const previous = async (network: TestNetwork) => Math.max(0, await current(network) - 1);

/** Let each of `callers` try; the ledger may refuse any of them. */
async function attempt(callers: readonly (() => Promise<unknown>)[]): Promise<void> {
  const outcomes: unknown[] = [];
  for (const call of callers) outcomes.push(await call().then(() => null, (error) => error));
  if (outcomes.length > 0 && !outcomes.includes(null)) throw outcomes[0];
}

const OPS = {
  faucet: async ({ ledger }: TestNetwork, a: number, b: number) => {
    await Promise.resolve();
    ledger.faucet(who(a), BigInt(b) * 1_000n);
  },
  /** To the next moment `a` of a window, or for a while into the window after the next. */
  wait: async (network: TestNetwork, a: number) => {
    await Promise.resolve();
    const since = network.clock.now() - T0;
    const window = Math.floor(since / 10_000);
    const moment = MOMENTS[a];
    if (moment === undefined) network.at(window + 2, 100 * a);
    else network.at(moment > since % 10_000 ? window : window + 1, moment);
  },
  registerMiner: ({ ledger }: TestNetwork, a: number, b: number, c: number) => {
    ledger.faucet(who(a), BigInt(c) * 600n);
    return ledger.registerMiner(who(a), BigInt(b) * 300n);
  },
  registerValidator: ({ ledger }: TestNetwork, a: number, b: number, c: number) => {
    ledger.faucet(who(a), BigInt(c) * 3_000n);
    return ledger.registerValidator(who(a), BigInt(b) * 1_500n);
  },
  unregister: async ({ ledger }: TestNetwork, a: number, b: number) => {
    const role = b % 3 === 0 ? "validator" : "miner";
    const rows = role === "miner" ? await ledger.miners() : await ledger.validators();
    const row = rows[a % Math.max(1, rows.length)];
    await ledger.unregister(row?.owner ?? ADMIN, role, row?.uid ?? 0);
  },
  topUp: async ({ ledger }: TestNetwork, a: number, b: number) => {
    const rows = await ledger.miners();
    const row = rows[a % Math.max(1, rows.length)];
    ledger.faucet(row?.owner ?? ADMIN, 900n);
    await ledger.topUpStake(row?.owner ?? ADMIN, row?.uid ?? 0, BigInt(b) * 100n);
  },
  sweep: ({ ledger }: TestNetwork, a: number) =>
    ledger.sweepTreasury(ADMIN, a % 2 === 0 ? "miner" : "validator"),
  deposit: ({ ledger }: TestNetwork, a: number, b: number) =>
    attempt([...ALL, ADMIN].map((who) => async () => {
      const { vram } = await ledger.balance(who);
      const part = vram * BigInt(b) / 40n;
      if (a % 2 === 0) await ledger.depositRewards(who, part);
      else await ledger.burn(who, part);
    })),
  claimTreasury: ({ ledger }: TestNetwork) => ledger.claimTreasury(ADMIN),
  withdraw: ({ ledger }: TestNetwork) => attempt(ALL.map((owner) => () => ledger.withdraw(owner))),
  commit: async (network: TestNetwork, a: number) => {
    const window = await current(network);
    const miners = (await network.ledger.miners()).filter(({ uid }) => (uid + a) % 4 !== 0);
    await attempt(miners.map(({ uid, owner }) => () => network.commit(uid, window, owner)));
  },
  reveal: async (network: TestNetwork, a: number) => {
    const window = await current(network);
    const miners = (await network.ledger.miners()).filter(({ uid }) => (uid + a) % 5 !== 0);
    await attempt(miners.map(({ uid, owner }) => () => network.reveal(uid, window, owner)));
  },
  attest: async (network: TestNetwork, a: number) => {
    const rows = await network.ledger.validators();
    const row = rows[a % Math.max(1, rows.length)];
    await network.attest(row?.uid ?? 0, { owner: row?.owner ?? ADMIN, key: a });
  },
  report: async (network: TestNetwork, a: number, b: number, c: number) => {
    const window = await previous(network);
    const measure = (uid: number) =>
      (uid + b) % 7 === 0
        ? unmeasured(VERDICT.zero)
        : { randomAfter: 950_000 + 10_000 * ((c * uid) % 9) };
    await attempt(
      [0, 1, 2].filter((i) => i !== a).map((i) => () => network.report(i, window, { measure })),
    );
  },
  settle: async (network: TestNetwork, a: number) =>
    network.ledger.settle(await previous(network), 1 + a % 4),
  outcome: async (network: TestNetwork, a: number, b: number) => {
    const window = await previous(network);
    const merged = b % 2 === 0
      ? {}
      : { manifestHash: bytes32(`${window}`), currentLoss: 10, mergedLoss: 1 + b % 10 };
    await attempt(
      [0, 1, 2].filter((i) => i !== a).map((i) => () => network.outcome(i, window, merged)),
    );
  },
  close: async (network: TestNetwork) => network.ledger.close(await previous(network)),
  slash: async (network: TestNetwork, a: number) => {
    const window = await previous(network);
    const [x, y] = [
      await network.signReport(a % 3, window),
      await network.signReport(a % 3, window, { randomBefore: 7_000_000 + a }),
    ];
    await network.ledger.slash(
      network.publicKey(a % 3),
      x.message,
      x.signature,
      y.message,
      y.signature,
    );
  },
  claim: ({ ledger }: TestNetwork, a: number) =>
    attempt(ALL.slice(a).map((owner) => () => ledger.claim(owner))),
  hparams: async ({ ledger }: TestNetwork, a: number) => {
    await ledger.roll(ADMIN);
    const fee = { unrevealed_fee: 100 * a };
    await ledger.setHparams(ADMIN, { ...hparams, ...fee, max_miners: 3 + a % 2 });
  },
} as const;

const number = fc.integer({ min: 0, max: 15 });
const one: fc.Arbitrary<Op> = fc.tuple(
  fc.constantFrom(...Object.keys(OPS) as (keyof typeof OPS)[]),
  number,
  number,
  number,
);
/** The steps of a window that is judged, with one of them left out now and then, and others between them. */
const day: fc.Arbitrary<readonly Op[]> = fc.tuple(
  number,
  number,
  number,
  fc.array(one, { minLength: 3, maxLength: 8 }),
).map(
  ([a, b, c, others]) => {
    const to = (moment: number): Op => ["wait", MOMENTS.indexOf(moment), 0, 0];
    const does = (kind: keyof typeof OPS): Op => [kind, a, b, c];
    const steps = [
      to(0),
      does("commit"),
      to(8_000),
      does("reveal"),
      to(0),
      does("report"),
      to(6_000),
      does("settle"),
      does("settle"),
      does("outcome"),
    ].filter((_, i) => i !== c);
    for (const [i, other] of others.entries()) steps.splice((i + 1) * (a + 1) % 11, 0, other);
    return steps;
  },
);

Deno.test("audit: after every operation of random traces no coin was made or lost", async () => {
  const done = new Map<string, number>();
  let total = 0;
  const trace = async (ops: readonly Op[]) => {
    using network = await TestNetwork.found({
      hparams,
      validators: [6_000n, 5_000n, 4_000n],
    });
    let seq = 0;
    for (const [kind, ...choices] of ops) {
      total++;
      try {
        await (OPS[kind] as (network: TestNetwork, ...choices: number[]) => Promise<unknown>)(
          network,
          ...choices,
        );
        done.set(kind, (done.get(kind) ?? 0) + 1);
      } catch (error) {
        if (!(error instanceof LedgerError)) throw error;
      }
      network.checkAudit();
      for (const event of await network.ledger.events(seq, 1_000)) {
        assert.equal(event.seq, ++seq);
        done.set(event.kind, (done.get(event.kind) ?? 0) + 1);
      }
    }
  };
  const traces = fc.array(day, { minLength: 10, maxLength: 10 }).map((days) => days.flat());
  await fc.assert(fc.asyncProperty(traces, trace), { seed: 20_260_101, numRuns: 6 });
  assert.ok(total >= 500);
  const idle = Object.keys(OPS).filter((kind) => !done.has(kind));
  assert.deepEqual(idle, [], "an operation never succeeded: the traces show nothing about it");
  for (
    const kind of [
      "reward_distributor::WindowPaid",
      "round_state::WindowSkipped",
      "peer_registry::UnrevealedCharged",
      "peer_registry::PeerEvicted",
      "peer_registry::PeerLeft",
      "validator_registry::ValidatorEvicted",
      "validator_registry::ValidatorLeft",
      "vram_token::Burned",
      "vram_token::Mined",
      "validator_registry::ValidatorSlashed",
      "round_state::BaseAnchored",
    ]
  ) assert.ok(done.has(kind), kind);
});

Deno.test("audit: a refused call leaves no trace", async () => {
  using network = await TestNetwork.found({ hparams: { max_miners: 3, immunity_windows: 0 } });
  network.ledger.faucet(ADMIN, 1_049n);
  const before = [network.ledger.audit(), await network.ledger.balance(ADMIN)];
  // The fee is taken, then the stake is lacking.
  await refuses("peer_registry::EInsufficientBalance", network.ledger.registerMiner(ADMIN, 1_000n));
  assert.deepEqual([network.ledger.audit(), await network.ledger.balance(ADMIN)], before);
});
