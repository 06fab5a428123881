import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { minerOf, TestNetwork } from "../testing.ts";
import { DevLedger } from "./dev_ledger.ts";
import { SCHEMA_VERSION } from "./schema.ts";

async function inDirectory(run: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await run(`${directory}/ledger.db`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("DevLedger: two on one file see each other's writes", () =>
  inDirectory(async (path) => {
    using network = await TestNetwork.found({ path });
    using other = DevLedger.open(path, network.clock);
    assert.deepEqual(await other.info(), await network.ledger.info());
    await network.commit(0, 0);
    await assert.rejects(network.commit(0, 0), /EAlreadyCommitted/);
    assert.equal(await other.commit(minerOf(1), 1, 0, new Uint8Array(32)), 1);
    network.at(0, 8_000);
    await network.reveal(0, 0);
    assert.deepEqual(await other.window(0), await network.ledger.window(0));
    network.at(1);
    await other.window(1);
    assert.deepEqual(await network.ledger.miners(), await other.miners());
    const opened = (await network.events())
      .filter(({ kind }) => kind === "round_state::WindowOpened");
    assert.equal(opened.length, 2, "one of them rolled");
  }));

Deno.test("DevLedger: reopening keeps everything", () =>
  inDirectory(async (path) => {
    const state = async (ledger: DevLedger) => [
      await ledger.info(),
      await ledger.window(0),
      await ledger.window(1),
      await ledger.miners(),
      await ledger.validators(),
      await ledger.enclave(0),
      await ledger.measurements(),
      await ledger.events(0, 1_000),
      ledger.audit(),
    ];
    let clock, before;
    {
      using network = await TestNetwork.found({ path });
      await network.whole(0, [0, 1]);
      clock = network.clock;
      before = await state(network.ledger);
    }
    using ledger = DevLedger.open(path, clock);
    assert.deepEqual(await state(ledger), before);
  }));

Deno.test("DevLedger: a full disk is named, changes nothing and is got over", () =>
  inDirectory(async (path) => {
    using network = await TestNetwork.found({ path });
    using other = new DatabaseSync(path);
    // As SQLite does by itself where the disk is full: the transaction is over before the error is told.
    other.exec(`create trigger full before insert on commits
      begin select raise(rollback, 'database or disk is full'); end`);
    await assert.rejects(network.commit(0, 0), /database or disk is full/);
    const commits = async () =>
      (await network.events()).filter(({ kind }) => kind.endsWith("Committed")).length;
    assert.equal(await commits(), 0);
    other.exec("drop trigger full");
    await network.commit(0, 0);
    assert.equal(await commits(), 1);
  }));

Deno.test("DevLedger.open: refuses a file of another version and leaves it as it is", () =>
  inDirectory(async (path) => {
    const clock = { now: () => 0, until: () => Promise.resolve() };
    DevLedger.open(path, clock)[Symbol.dispose]();
    const setVersion = (version: number) => {
      using db = new DatabaseSync(path);
      db.exec(`pragma user_version = ${version}`);
    };
    setVersion(99);
    assert.throws(() => DevLedger.open(path, clock), /version 99/);
    assert.throws(() => DevLedger.exists(path), TypeError);
    setVersion(SCHEMA_VERSION);
    DevLedger.open(path, clock)[Symbol.dispose]();
    await Promise.resolve();
  }));

Deno.test("DevLedger.exists: is true of a founded file only", () =>
  inDirectory(async (path) => {
    assert.equal(DevLedger.exists(path), false);
    DevLedger.open(path, { now: () => 0, until: () => Promise.resolve() })[Symbol.dispose]();
    assert.equal(DevLedger.exists(path), false);
    (await TestNetwork.found({ path, attested: false }))[Symbol.dispose]();
    assert.equal(DevLedger.exists(path), true);
  }));

Deno.test("DevLedger: says so where it was never founded", async () => {
  using ledger = DevLedger.open(":memory:", { now: () => 0, until: () => Promise.resolve() });
  assert.throws(() => ledger.info(), /never founded/);
  await assert.rejects(ledger.miners());
});
