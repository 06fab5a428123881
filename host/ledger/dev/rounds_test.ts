import assert from "node:assert/strict";
import fc from "fast-check";
import { timeOfRound } from "../../../enclave/protocol/drand.ts";
import { EMPTY_ACC } from "../../../enclave/protocol/commit.ts";
import { hparamsDigest } from "../../../enclave/protocol/hparams.ts";
import { DevLedger, type Seat } from "./dev_ledger.ts";

import { address, ADMIN, bytes32, FAST, minerOf, refuses, T0, TestNetwork } from "../testing.ts";

Deno.test("roll: windows open lazily, by the first call that falls into one", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  assert.equal(await ledger.currentWindow(), 0);
  network.at(3, 5_000);
  assert.equal(await ledger.currentWindow(), 3);
  assert.equal((await ledger.window(3)).status, "open");
  await refuses("round_state::EUnknownWindow", ledger.window(2));
  await refuses("round_state::EUnknownWindow", ledger.window(4));
  const opened = (await network.events()).filter(({ kind }) =>
    kind === "round_state::WindowOpened"
  );
  assert.deepEqual(opened.map(({ body }) => body.window), [0, 3]);
});

Deno.test("window: says what its digest binds", async () => {
  using network = await TestNetwork.found();
  network.at(1, 10);
  const view = await network.ledger.window(1);
  const start = T0 + 10_000;
  assert.deepEqual(view.deadlines, {
    start,
    commit: start + 8_000,
    reveal: start + 9_500,
    end: start + 10_000,
    report: start + 16_000,
    outcome: start + 19_000,
  });
  assert.deepEqual(view.context.baseHash, bytes32("genesis"));
  assert.deepEqual(view.context.hparamsDigest, hparamsDigest(view.hparams));
  assert.deepEqual(view.acc, EMPTY_ACC);
  const { randomness } = view.context;
  assert.ok(randomness.kind === "drand");
  // Round 1 is due at T0 - 60 s and a round comes every second: the round of window 1's start is 71.
  assert.deepEqual([randomness.assignRound, randomness.judgeRound], [72, 81]);
});

Deno.test("drawSeeds: draws each seed once, the judge's only after the reveals", async () => {
  using network = await TestNetwork.found({ hparams: { randomness_kind: 1 } });
  const { ledger } = network;
  const seeds = async () => {
    const { randomness } = (await ledger.window(0)).context;
    assert.ok(randomness.kind === "ledger");
    return [randomness.assignSeed, randomness.judgeSeed];
  };
  const none = new Uint8Array(32);
  assert.deepEqual(await seeds(), [none, none]);
  await ledger.drawSeeds(ADMIN, 0);
  const [assign, judge] = await seeds();
  assert.notDeepEqual(assign, none);
  assert.deepEqual(judge, none);
  network.at(0, 9_499);
  await refuses("round_state::ENothingToDraw", ledger.drawSeeds(ADMIN, 0));
  await refuses("round_state::EUnknownWindow", ledger.drawSeeds(ADMIN, 1));
  network.at(0, 9_500);
  await ledger.drawSeeds(ADMIN, 0);
  assert.deepEqual((await seeds())[0], assign);
  assert.notDeepEqual((await seeds())[1], none);
  await refuses("round_state::ENothingToDraw", ledger.drawSeeds(ADMIN, 0));
  const drawn = (await network.events()).filter(({ kind }) => kind === "round_state::SeedDrawn");
  assert.deepEqual(drawn.map(({ body }) => [body.window, body.judge]), [[0, false], [0, true]]);
});

Deno.test("drawSeeds: a window without its seeds is not judged but skipped", async () => {
  using network = await TestNetwork.found({ hparams: { randomness_kind: 1 } });
  const { ledger } = network;
  network.at(0, 1_000);
  await network.commit(0, 0);
  network.at(0, 8_000);
  await network.reveal(0, 0);
  network.at(1);
  await refuses("round_state::ESeedNotDrawn", network.report(0, 0));
  network.at(2);
  assert.equal((await ledger.window(0)).status, "skipped");
  using other = await TestNetwork.found();
  await other.ledger.window(0);
  await refuses("round_state::ENothingToDraw", other.ledger.drawSeeds(ADMIN, 0));
});

Deno.test("close: an empty window closes trivially, at its reveal deadline and not before", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  network.at(0, 9_499);
  await refuses("round_state::ENotClosable", ledger.close(0));
  await refuses("round_state::EUnknownWindow", ledger.close(1));
  await refuses("round_state::EUnknownWindow", ledger.close(0.5));
  network.at(0, 9_500);
  await ledger.close(0);
  await ledger.close(0);
  const view = await ledger.window(0);
  assert.deepEqual([view.status, view.payout, view.skipReason], ["closed", null, null]);
  network.at(4);
  await ledger.close(2);
  assert.equal(await ledger.issued(), 0n);
});

Deno.test("close: a window that can still be judged stays open until its deadlines", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await network.play(0, [0]);
  network.at(0, 15_999);
  await refuses("round_state::ENotClosable", ledger.close(0));
  network.at(0, 16_000);
  await ledger.close(0);
  const view = await ledger.window(0);
  assert.deepEqual([view.status, view.skipReason], ["skipped", "no quorum of reports"]);
});

Deno.test("setHparams: rules from the next window on, and stays with the window", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await refuses("hparams::ENotAdmin", ledger.setHparams(minerOf(0), FAST));
  await ledger.setHparams(ADMIN, { ...FAST, top_g: 3 });
  await ledger.setHparams(ADMIN, { ...FAST, top_g: 4 });
  assert.equal((await ledger.window(0)).hparams.top_g, 15);
  network.at(1);
  assert.equal((await ledger.window(1)).hparams.top_g, 4);
  assert.equal((await ledger.window(0)).hparams.top_g, 15);
  assert.equal((await ledger.epochs()).length, 1);
});

Deno.test("setHparams: another length opens a new epoch at the boundary", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  await ledger.setHparams(ADMIN, { ...FAST, window_ms: 30_000 });
  await ledger.setHparams(ADMIN, { ...FAST, window_ms: 20_000 });
  assert.deepEqual(await ledger.epochs(), [
    { firstWindow: 0, startMs: T0, windowMs: 10_000 },
    { firstWindow: 1, startMs: T0 + 10_000, windowMs: 20_000 },
  ]);
  const { deadlines } = await ledger.window(0);
  assert.deepEqual([deadlines.end, deadlines.report], [T0 + 10_000, T0 + 22_000]);
  network.clock.set(T0 + 10_000);
  assert.equal((await ledger.window(1)).hparams.window_ms, 20_000);
  network.clock.set(T0 + 29_999);
  assert.equal(await ledger.currentWindow(), 1);
  network.clock.set(T0 + 30_000);
  assert.equal(await ledger.currentWindow(), 2);
  await ledger.setHparams(ADMIN, { ...FAST, window_ms: 20_000 });
  assert.equal((await ledger.epochs()).length, 2, "the same length needs no epoch");
});

Deno.test("setHparams: takes back a new length that has not begun", async () => {
  using network = await TestNetwork.found();
  await network.ledger.setHparams(ADMIN, { ...FAST, window_ms: 20_000 });
  await network.ledger.setHparams(ADMIN, FAST);
  assert.equal((await network.ledger.epochs()).length, 1);
  network.at(1);
  assert.equal((await network.ledger.window(1)).hparams.window_ms, 10_000);
});

Deno.test("setHparams: refuses what no window could live by", async () => {
  using network = await TestNetwork.found();
  const bad = [
    { commit_bps: 9_500 },
    { report_bps: 9_000 },
    { miner_bps: 9_999 },
    { window_ms: 199 },
    { beta: 1.5 },
    { min_judge_ms: 6_000 },
    { own_pages: 64, random_pages: 64, heldout_pages: 11 },
    { max_miners: Number.NaN },
    { slash_bps: -1 },
  ];
  for (const change of bad) {
    await refuses(
      "hparams::EInvalidValue",
      network.ledger.setHparams(ADMIN, { ...FAST, ...change }),
    );
  }
  network.at(1);
  assert.deepEqual((await network.ledger.window(1)).hparams, FAST);
});

Deno.test("setHparams: refuses a length that leaves the running window no time to be judged", async () => {
  using network = await TestNetwork.found({ hparams: { min_judge_ms: 3_000 } });
  const { ledger } = network;
  // 500 ms are left after the reveals, and the next window gives 60 % of its length.
  const shorter = { ...FAST, window_ms: 5_900, min_judge_ms: 1_000 };
  await refuses("hparams::EInvalidValue", ledger.setHparams(ADMIN, shorter));
  await ledger.setHparams(ADMIN, { ...shorter, window_ms: 6_000 });
});

Deno.test("setHparams: whatever lengths follow each other, every window has its time to be judged", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          window_ms: fc.integer({ min: 2_000, max: 20_000 }),
          reveal_bps: fc.integer({ min: 8_001, max: 10_000 }),
          report_bps: fc.integer({ min: 1_000, max: 8_999 }),
          min_judge_ms: fc.integer({ min: 0, max: 6_000 }),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      async (changes) => {
        using network = await TestNetwork.found({ attested: false });
        const { ledger, clock } = network;
        for (const [window, change] of changes.entries()) {
          await ledger.roll(ADMIN);
          await ledger.setHparams(ADMIN, { ...FAST, ...change }).catch((error) =>
            assert.equal(error.constant, "EInvalidValue")
          );
          clock.set((await ledger.window(window)).deadlines.end);
        }
        for (let window = 0; window <= changes.length; window++) {
          const { deadlines, hparams, context } = await ledger.window(window);
          const { beacon_margin_ms, min_judge_ms } = hparams;
          const needed = beacon_margin_ms + 1_000 + min_judge_ms; // a beacon every second
          assert.ok(deadlines.report - deadlines.reveal >= needed, `window ${window}`);
          const { beacon } = await ledger.info();
          assert.ok(context.randomness.kind === "drand");
          const due = timeOfRound(beacon, BigInt(context.randomness.judgeRound));
          assert.ok(due + min_judge_ms <= deadlines.report, `window ${window}`);
        }
      },
    ),
    { numRuns: 40, seed: 4 },
  ));

Deno.test("setHparams: keeps 64 epochs, and forgets the first of more", async () => {
  using network = await TestNetwork.found({ attested: false });
  const { clock, ledger } = network;
  for (let window = 0; window < 64; window++) {
    await ledger.roll(ADMIN);
    await ledger.setHparams(ADMIN, { ...FAST, window_ms: 10_000 + (window + 1) % 2 });
    if (window < 63) assert.equal((await ledger.window(0)).window, 0);
    clock.set((await ledger.window(window)).deadlines.end);
  }
  assert.equal((await ledger.epochs()).length, 64);
  assert.equal((await ledger.epochs())[0]!.firstWindow, 1);
  await refuses("hparams::ENoEpoch", ledger.window(0));
  await ledger.close(0); // it is over, whatever epochs are kept
});

Deno.test("found: refuses seats that nobody could register", async () => {
  using network = await TestNetwork.found();
  const info = await network.ledger.info();
  const found = (...seats: Seat[]) => {
    using ledger = DevLedger.open(":memory:", network.clock);
    ledger.found({
      ...info,
      baseHash: bytes32("genesis"),
      hparams: { ...FAST, max_miners: 2, max_validators: 1 },
      epoch: { firstWindow: 0, startMs: T0 },
      measurements: [],
      seats,
    });
  };
  const miner = (i: number, stake = 1_000n): Seat => ({ role: "miner", owner: minerOf(i), stake });
  const validator = (i: number, stake = 1_000n): Seat => ({
    role: "validator",
    owner: minerOf(i),
    stake,
  });
  found(miner(0), miner(1), validator(0));
  for (
    const [why, seats] of [
      [/3 miners have 2 slots/, [miner(0), miner(1), miner(2)]],
      [/2 validators have 1 slots/, [validator(0), validator(1)]],
      [/two miner slots/, [miner(0), miner(0)]],
      [/at least 1000 MIST, not 999/, [miner(0), miner(1, 999n)]],
      [/at least 1000 MIST, not -1/, [validator(0, -1n)]],
    ] as const
  ) assert.throws(() => found(...seats), { name: "RangeError", message: why });
});

Deno.test("found: refuses a second time, bad hparams and too few pages", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  const info = await ledger.info();
  const genesis = {
    ...info,
    baseHash: bytes32("genesis"),
    hparams: FAST,
    epoch: { firstWindow: 0, startMs: T0 },
    measurements: [],
    seats: [],
  };
  assert.throws(() => ledger.found(genesis), /founded already/);
  assert.throws(() => ledger.found({ ...genesis, hparams: { ...FAST, beta: 0 } }), /beta/);
  const dataset = { ...info.dataset, pageCount: 79 };
  assert.throws(() => ledger.found({ ...genesis, dataset }), RangeError);
  for (const name of ["own_pages", "random_pages"] as const) {
    const hparams = { ...FAST, [name]: 64 };
    const small = { ...info.dataset, pageCount: 70 }; // of which 63 are trained on
    assert.throws(() => ledger.found({ ...genesis, dataset: small, hparams }), {
      name: "RangeError",
      message: /too few/,
    });
  }
});

Deno.test("faucet: is test money, and says so in the log", async () => {
  using network = await TestNetwork.found();
  network.ledger.faucet(address(1), 7n);
  assert.equal((await network.ledger.balance(address(1))).sui, 7n);
  assert.equal((await network.events()).at(-1)!.kind, "dev::Faucet");
});
