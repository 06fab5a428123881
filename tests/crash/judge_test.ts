import assert from "node:assert/strict";
import { decodeReport } from "../../enclave/protocol/report.ts";
import { addressBytes } from "../../enclave/protocol/identity.ts";
import { fromHex } from "../../enclave/protocol/bytes.ts";
import { VERDICT } from "../../enclave/protocol/verdict.ts";
import { StoreError } from "../../host/store/store.ts";
import { checkCoins, checkOnce, checkWhole, missed } from "./checks.ts";
import { Life } from "./faults.ts";
import { FIRST, VALIDATOR, World } from "./world.ts";

/** Keys by which validator 0 was registered, oldest first. */
async function keysOf(world: World): Promise<unknown[]> {
  const events = await world.ledger.events(0, 1_000);
  return events.filter(({ kind }) => kind === "enclave_registry::EnclaveRegistered")
    .map(({ body }) => body.key);
}

/** Run three windows in which the judge ends once, when it is asked for a `kind` of message. */
async function endsAt(kind: string, check: (world: World) => Promise<void>): Promise<void> {
  const world = await World.found();
  let ends = 1;
  world.judge.onProcess = async (asked) => {
    if (asked === kind && ends-- > 0) await world.judge.end();
  };
  const life = new Life();
  const parties = [world.validator(life), world.miner(0), world.miner(1)];
  try {
    await world.until(FIRST + 2);
    assert.equal((await keysOf(world)).length, 2, "another key was registered");
    await checkWhole(world, FIRST + 1);
    await checkWhole(world, FIRST + 2);
    await checkOnce(world, [life]);
    checkCoins(world);
    await check(world);
  } finally {
    await world.close(parties);
  }
}

Deno.test("judge killed while it measures: started and attested again, its report alone is missed", async () => {
  await endsAt("report", async (world) => {
    assert.deepEqual(await missed(world), [`${FIRST} report`]);
    assert.equal((await world.ledger.window(FIRST)).status, "skipped");
  });
});

Deno.test("judge killed while it merges: the next key signs the outcome, no window is lost", async () => {
  await endsAt("outcome", async (world) => {
    assert.deepEqual(await missed(world), []);
    await checkWhole(world, FIRST);
  });
});

Deno.test("judge killed while nothing is asked: attested again before the reveals are over, no window is lost", async () => {
  const world = await World.found();
  const life = new Life();
  const parties = [world.validator(life), world.miner(0), world.miner(1)];
  try {
    await world.until(FIRST);
    await world.judge.end();
    await world.until(FIRST + 2);
    for (const window of [0, 1, 2]) await checkWhole(world, FIRST + window);
    assert.deepEqual(await missed(world), []);
    assert.equal((await keysOf(world)).length, 2);
    await checkOnce(world, [life]);
    checkCoins(world);
  } finally {
    await world.close(parties);
  }
});

Deno.test("report by a key that another one has replaced: it is not sent, and missed is journalled", async () => {
  const world = await World.found();
  const validator = world.mortal(
    (life) => world.validator(life),
    ({ at, call }) => at === "before" && call === "ledger.submitReport",
    {
      onDeath: async () => {
        await world.judge.end();
        await world.judge.restart();
        const { chainId, ledgerId } = await world.ledger.info();
        const address = addressBytes(VALIDATOR);
        await world.judge.configure({ chainId, ledgerId, validator: 0, address });
        world.turns.skip(5); // its document is newer
        const document = await world.judge.attest(new Uint8Array(32));
        await world.ledger.registerEnclave(VALIDATOR, 0, document);
      },
    },
  );
  const parties = [validator, world.miner(0), world.miner(1)];
  try {
    await world.until(FIRST + 1, [validator]);
    assert.equal(validator.lives.length, 2, "it died");
    const sent = validator.lives[1]!.moments.filter(({ call }) => call === "ledger.submitReport");
    assert.equal(sent.length, 2, "one call, before and after: the next window's");
    assert.deepEqual(
      validator.lives[1]!.refused.filter((call) => call.startsWith("ledger.sub")),
      [],
    );
    assert.deepEqual(await missed(world), [`${FIRST} report`]);
    await checkWhole(world, FIRST + 1);
    await checkOnce(world, validator.lives);
  } finally {
    await world.close(parties);
  }
});

Deno.test("judge that signed before its validator died: it gets the question that it has answered", async () => {
  const world = await World.found();
  let hides = true;
  const start = (life: Life) =>
    world.validator(life, {
      get: (key) => {
        if (!hides || !key.startsWith("gradient-1-1")) return null;
        return new StoreError("not_found", key, "It is not there yet");
      },
    });
  const validator = world.mortal(
    start,
    ({ at, call }) => at === "before" && call === "journal.append report_signed",
    { onDeath: () => Promise.resolve(void (hides = false)) },
  );
  const parties = [validator, world.miner(0), world.miner(1)];
  try {
    await world.until(FIRST, [validator]);
    assert.equal(validator.lives.length, 2, "it died");
    // The gradient is there now, but the judge has signed without it: that report is sent.
    const steps = await world.steps("validator.journal");
    assert.deepEqual(
      steps.filter(({ step }) => step === "report_asked").map(({ unavailable }) => unavailable),
      [[1], []],
    );
    const { message } = steps.find(({ step }) => step === "report_signed")!;
    const { entries } = decodeReport(fromHex(String(message)));
    assert.deepEqual(entries.map(({ verdict }) => verdict), [VERDICT.ok, VERDICT.unavailable]);
    assert.equal((await world.ledger.window(FIRST)).status, "closed");
    assert.deepEqual(await missed(world), []);
    await checkOnce(world, validator.lives);
  } finally {
    await world.close(parties);
  }
});

Deno.test("store that fails for a while: the gradients are fetched again, nobody is called unavailable", async () => {
  const world = await World.found();
  const life = new Life();
  let failures = 20;
  const parties = [
    world.validator(life, {
      get: (key) => {
        if (!key.startsWith("gradient-1-") || failures-- <= 0) return null;
        return new StoreError("unavailable", key, "The store is down");
      },
    }),
    world.miner(0),
    world.miner(1),
  ];
  try {
    await world.until(FIRST);
    assert(failures <= 0);
    await checkWhole(world, FIRST);
  } finally {
    await world.close(parties);
  }
});
