import assert from "node:assert/strict";
import { timeOfRound, verifyBeacon } from "../enclave/protocol/drand.ts";
import { LocalBeacon } from "./beacon.ts";

const GENESIS = 1_000_000;
const PERIOD = 500;

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("LocalBeacon: rounds appear when they are due and verify as drand's do", () =>
  inDirectory(async (directory) => {
    let time = GENESIS - 1;
    const beacon = await LocalBeacon.open(directory, {
      genesisMs: GENESIS,
      periodMs: PERIOD,
      now: () => time,
    });
    assert.match(beacon.name, /SIMULATED/);
    assert.equal(beacon.latestRound(), 0n);
    for (const round of [1n, 2n]) {
      time = timeOfRound(beacon.chain, round) - 1;
      assert.throws(() => beacon.signature(round), { code: "future_round", retryable: true });
      time++;
      const signature = beacon.signature(round);
      assert.equal(signature.length, 48);
      assert.equal(verifyBeacon(beacon.chain, round, signature).length, 32);
      assert.deepEqual(beacon.signature(round), signature);
      assert.throws(() => verifyBeacon(beacon.chain, round + 1n, signature), {
        code: "bad_beacon",
      });
    }
    assert.throws(() => beacon.signature(0n), { code: "no_such_round", retryable: false });
    assert.throws(() => beacon.signature(1n << 80n), { code: "future_round" });
  }));

Deno.test("LocalBeacon.open: the key lasts, is private, and is made once", () =>
  inDirectory(async (directory) => {
    const options = { genesisMs: GENESIS, periodMs: PERIOD, now: () => GENESIS };
    const opened = await Promise.all(
      Array.from({ length: 4 }, () => LocalBeacon.open(directory, options)),
    );
    const [first] = opened;
    for (const beacon of opened) assert.deepEqual(beacon.chain, first!.chain);
    const files = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
    assert.deepEqual(files, ["simulated-beacon.key"]);
    const { mode } = await Deno.stat(`${directory}/simulated-beacon.key`);
    assert.equal(mode! & 0o777, 0o600);
    const slower = await LocalBeacon.open(directory, { ...options, periodMs: PERIOD + 1 });
    assert.deepEqual(slower.chain.publicKey, first!.chain.publicKey);
    assert.notDeepEqual(slower.chain.chainHash, first!.chain.chainHash);
  }));

Deno.test("LocalBeacon.open: refuses a key file that is none, or that others can read", () =>
  inDirectory(async (directory) => {
    const options = { genesisMs: GENESIS, periodMs: PERIOD, now: () => GENESIS };
    const path = `${directory}/simulated-beacon.key`;
    for (const text of ["", "00".repeat(32), "zz".repeat(32), "07".repeat(33)]) {
      await Deno.writeTextFile(path, text, { mode: 0o600 });
      await assert.rejects(LocalBeacon.open(directory, options), { code: "bad_key_file" });
    }
    await Deno.writeTextFile(path, "07".repeat(32));
    await LocalBeacon.open(directory, options);
    await Deno.chmod(path, 0o640);
    await assert.rejects(LocalBeacon.open(directory, options), { code: "bad_key_file" });
    await Deno.remove(path);
    await Deno.symlink("/dev/zero", path);
    await assert.rejects(LocalBeacon.open(directory, options), { code: "bad_key_file" });
    for (const [genesisMs, periodMs] of [[-1, 1], [0.5, 1], [0, 0], [0, NaN]] as const) {
      await assert.rejects(
        LocalBeacon.open(directory, { ...options, genesisMs, periodMs }),
        RangeError,
      );
    }
  }));
