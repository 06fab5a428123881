import assert from "node:assert/strict";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { Folder } from "../../../tests/support/vramhub.ts";
import { JudgeError } from "../../courier/judge_error.ts";
import { address, validatorOf } from "../../ledger/testing.ts";
import type { OpenJudge } from "./judge.ts";

Deno.test("register-miner: takes a slot with the least stake, from the next window on", async () => {
  await using folder = await Folder.found();
  await folder.text("ledger faucet --as anna --amount 5000");
  const json = await folder.json("register-miner --as anna --bucket gradients --account-id acc");
  assert.deepEqual([json.role, json.uid, json.stake, json.activeFrom], ["miner", 3, "1000", 1]);
  folder.network.at(1);
  const status = await folder.json("status --uid 3");
  assert.equal(status.owner, json.owner);
  assert.equal(status.sui, "4000");
  const again = await folder.call("register-miner --as anna");
  assert.equal(again.status, 1);
  assert.match(again.err, /^error: peer_registry::EAlreadyRegistered/);
});

Deno.test("register-miner: says what comes next, with and without a bucket", async () => {
  await using folder = await Folder.found();
  await folder.text("ledger faucet --as anna --amount 1sui");
  await folder.text("ledger faucet --as bert --amount 1sui");
  const plain = await folder.text("register-miner --as anna --stake 0.000002sui");
  assert.match(plain, /^stake +0\.000002 SUI$/m);
  assert.match(plain, /^next +set VRAMHUB_MINER_UID=3/m);
  const env = { VRAMHUB_R2_BUCKET_NAME: "gradients" };
  const bucket = await folder.text("register-miner --as bert", { env });
  assert.match(bucket, /credentials set --uid 4 --bucket gradients/);
});

Deno.test("register-miner: without funds, or below the least stake, the ledger's refusal has status 1", async () => {
  await using folder = await Folder.found();
  await folder.refused("register-miner --as poor", 1, /peer_registry::EInsufficientBalance/);
  await folder.text("ledger faucet --as anna");
  await folder.refused("register-miner --as anna --stake 1", 1, /EInsufficientStake/);
});

Deno.test("register-validator: takes a slot, unregister leaves it, withdraw takes the stake back", async () => {
  await using folder = await Folder.found();
  await folder.text("ledger faucet --as vera --amount 20000");
  const json = await folder.json("register-validator --as vera --stake 20000");
  assert.deepEqual([json.role, json.uid], ["validator", 1]);
  assert.match(
    await folder.text("status --validator-uid 0"),
    /^validator +uid 0, generation 1$/m,
  );
  folder.network.at(1);
  assert.match(await folder.text("status --validator-uid 1"), /none is registered/);
  await folder.refused("unregister validator 0 --as vera", 1, /ENotOwner/);
  assert.match(await folder.text("unregister validator 1 --as vera"), /leaves at the next window/);
  folder.network.at(2);
  await folder.text("ledger roll"); // the slot is empty, its stake unbonds from here on
  await folder.refused("withdraw --as vera", 1, /ENothingToWithdraw/);
  folder.network.at(10);
  assert.match(await folder.text("withdraw --as vera"), /^0\.00002 SUI withdrawn to 0x/);
});

/** A judge whose document is made by hand. */
function judgeOf(folder: Folder, key: number): OpenJudge {
  const unused = () => Promise.reject(new Error("not asked"));
  return {
    health: () =>
      Promise.resolve({
        publicKey: folder.network.publicKey(0, key),
        configured: true,
        busy: false,
      }),
    configure: () => Promise.resolve(folder.network.publicKey(0, key)),
    attest: (nonce) => folder.network.document(0, { key, fields: { nonce: nonce ?? null } }),
    hasBlob: unused,
    putBlob: unused,
    process: unused,
    close: () => Promise.resolve(),
  };
}

Deno.test("register-enclave: attests the judge at an address and registers its key", async () => {
  await using folder = await Folder.found();
  const asked: string[] = [];
  const outside = {
    openJudge: (address: string) => {
      asked.push(address);
      return Promise.resolve(judgeOf(folder, 1));
    },
  };
  folder.network.at(0, 1);
  const line = "register-enclave --enclave-url vsock:16:3000 --validator-uid 0";
  const json = await folder.json(line, { outside });
  assert.deepEqual(asked, ["vsock:16:3000"]);
  assert.equal(json.key, toHex(folder.network.publicKey(0, 1)));
  folder.network.at(0, 2);
  const env = { VRAMHUB_VALIDATOR_UID: "0", VRAMHUB_NAUTILUS_URL: "unix:judge.sock" };
  assert.match(await folder.text("register-enclave", { outside, env }), /build-1, SIMULATED/);
  assert.equal(asked[1], "unix:judge.sock");
});

Deno.test("register-enclave: takes a saved document; without an address, a slot or a judge it says so", async () => {
  await using folder = await Folder.found();
  folder.network.at(0, 1);
  const file = `${folder.dir}/document.cbor`;
  await Deno.writeFile(file, await folder.network.document(0, { key: 2 }));
  const json = await folder.json(`register-enclave --validator-uid 0 --document ${file}`);
  assert.equal(json.key, toHex(folder.network.publicKey(0, 2)));
  await folder.refused("register-enclave", 2, /VRAMHUB_VALIDATOR_UID/);
  await folder.refused(
    "register-enclave --validator-uid 0",
    2,
    /--enclave-url.*VRAMHUB_ENCLAVE_URL/,
  );
  await folder.refused("register-enclave --validator-uid 9", 2, /there is no validator 9/);
  const gone = () => Promise.reject(new JudgeError("unreachable", 0, "Nobody listens"));
  const line = "register-enclave --validator-uid 0 --enclave-url vsock:16:3000";
  await folder.refused(line, 3, /Nobody listens/, { outside: { openJudge: gone } });
});

Deno.test("credentials set, credentials show: publish a sealed key of the next epoch", async () => {
  await using folder = await Folder.found();
  const sealed = `${folder.dir}/sealed`;
  await Deno.writeFile(sealed, new Uint8Array(40).fill(1));
  const server = `--key-server ${address(1)} --key-server ${address(2)}`;
  const as = `--as ${address(0x1000)}`;
  const line =
    `credentials set --uid 0 --bucket b --account-id a --sealed ${sealed} ${server} ${as}`;
  assert.match(await folder.text("credentials show 0"), /has no credentials/);
  const first = await folder.json(line);
  const second = await folder.json(line);
  assert.deepEqual([first.credentials.epoch, second.credentials.epoch], [1, 2]);
  assert.equal(second.credentials.threshold, 2);
  assert.match(await folder.text("credentials show 0"), /^sealed +40 bytes, 2 of 2 keys$/m);
  assert.match(await folder.text("status --uid 0"), /^bucket +b, epoch 2$/m);
  await folder.refused(
    `${line.replace(as, `--as ${validatorOf(0)}`)}`,
    1,
    /peer_registry::ENotOwner/,
  );
  await folder.refused(`credentials set --uid 0 --sealed ${sealed}`, 2, /SEAL_KEY_SERVER_IDS/);
});
