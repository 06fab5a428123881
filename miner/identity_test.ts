import assert from "node:assert/strict";
import { DevLedger } from "../host/ledger/dev/dev_ledger.ts";
import { address, TestNetwork } from "../host/ledger/testing.ts";
import { resolveUid } from "./identity.ts";

const NEWCOMER = address(0x77);

async function inNetwork(run: (ledger: DevLedger, file: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const network = await TestNetwork.found();
  try {
    network.ledger.faucet(NEWCOMER, 1_000_000n);
    await run(network.ledger, `${dir}/.vramhub-uid`);
  } finally {
    network[Symbol.dispose]();
    await Deno.remove(dir, { recursive: true });
  }
}

const silent = () => {};

Deno.test("resolveUid: a crash between registration and the next window takes no second slot", async () => {
  await inNetwork(async (ledger, file) => {
    const uid = await resolveUid(ledger, NEWCOMER, { env: undefined, file }, silent);
    // With the file that it left, and without.
    assert.equal(await resolveUid(ledger, NEWCOMER, { env: undefined, file }, silent), uid);
    await Deno.remove(file);
    assert.equal(await resolveUid(ledger, NEWCOMER, { env: undefined, file }, silent), uid);
    assert.equal(await Deno.readTextFile(file), `${uid}\n`);
  });
});

Deno.test("resolveUid: what is not ready takes no slot and costs no stake", async () => {
  await inNetwork(async (ledger, file) => {
    const { sui } = await ledger.balance(NEWCOMER);
    const ready = () => Promise.reject(new Error("no store"));
    await assert.rejects(
      resolveUid(ledger, NEWCOMER, { env: undefined, file, ready }, silent),
      /no store/,
    );
    assert.equal((await ledger.balance(NEWCOMER)).sui, sui);
    await resolveUid(ledger, NEWCOMER, { env: undefined, file }, silent); // nothing was registered before
  });
});

Deno.test("resolveUid: a slot of somebody else is refused where the user names it, and overruled in a file", async () => {
  await inNetwork(async (ledger, file) => {
    await assert.rejects(
      resolveUid(ledger, NEWCOMER, { env: "0", file }, silent),
      /VRAMHUB_MINER_UID names a slot of another owner/,
    );
    await Deno.writeTextFile(file, "0\n");
    assert.notEqual(await resolveUid(ledger, NEWCOMER, { env: undefined, file }, silent), 0);
  });
});
