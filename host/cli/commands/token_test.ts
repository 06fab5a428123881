import assert from "node:assert/strict";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { Folder } from "../../../tests/support/vramhub.ts";
import { address, ADMIN, minerOf } from "../../ledger/testing.ts";

/** Miners 0 and 1 have earned 35 VRAM each. */
async function paid(): Promise<Folder> {
  const folder = await Folder.found();
  await folder.network.whole(0, [0, 1]);
  await folder.network.whole(1, [0, 1]);
  folder.network.at(2, 1_000);
  return folder;
}

const as = (who: string) => `--as ${who}`;
const miner = as(minerOf(0));

Deno.test("rewards show, rewards claim: what windows paid, once", async () => {
  await using folder = await paid();
  const before = await folder.json(`rewards show ${minerOf(0)}`);
  assert.deepEqual([before.claimable, before.vram], ["35000000000", "0"]);
  assert.match(await folder.text(`rewards show ${miner}`), /^claimable +35 VRAM/m);
  assert.match(await folder.text(`rewards claim ${miner}`), /^35 VRAM claimed to 0x/);
  const after = await folder.json(`rewards show ${miner}`);
  assert.deepEqual([after.claimable, after.vram], ["0", "35000000000"]);
  await folder.refused(`rewards claim ${miner}`, 1, /reward_distributor::ENothingToClaim/);
});

Deno.test("admin create-pool, stake, pools deposit, rewards claim --ticket, unstake: a stake's life", async () => {
  await using folder = await paid();
  await folder.refused(`stake 10vram ${miner}`, 2, /there is none; the admin makes one/);
  const { pool } = await folder.json(`admin create-pool ${as(ADMIN)}`);
  await folder.text(`rewards claim ${miner}`);
  await folder.text(`rewards claim ${as(minerOf(1))}`);
  const staked = await folder.json(`stake 10vram --days 90 ${miner}`);
  assert.equal(staked.ticket.tier, 1);
  assert.equal(staked.pool, pool);
  await folder.text(`pools deposit 7vram ${as(minerOf(1))}`);
  assert.match(await folder.text("pools list"), new RegExp(`^${pool} +10 VRAM +7 VRAM$`, "m"));
  folder.network.at(2, 1_000 + 8 * 86_400_000);
  const { tickets } = await folder.json(`rewards show ${miner}`);
  assert.equal(tickets.length, 1);
  const id = staked.ticket.id;
  assert.match(await folder.text(`rewards show ${miner}`), new RegExp(`VRAM until .*: ${id}`));
  const claimed = await folder.json(`rewards claim --ticket ${id} ${miner}`);
  assert.ok(BigInt(claimed.amount) > 0n);
  const left = await folder.json(`unstake ${id} ${miner}`);
  assert.ok(BigInt(left.amount) < 10_000_000_000n, "a lock that still runs costs a penalty");
});

Deno.test("stake: of several pools one must be named, and another's ticket is refused", async () => {
  await using folder = await paid();
  const { pool } = await folder.json(`admin create-pool ${as(ADMIN)}`);
  await folder.text(`admin create-pool ${as(ADMIN)}`);
  await folder.text(`rewards claim ${miner}`);
  await folder.refused(`stake 1vram ${miner}`, 2, /several; name one with --pool/);
  const { ticket } = await folder.json(`stake 1vram --pool ${pool} ${miner}`);
  const stranger = await folder.call(`unstake ${ticket.id} ${as(minerOf(1))}`);
  assert.equal(stranger.status, 1, stranger.err);
});

const DAY = 86_400_000;

function plan(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    treasury: address(1),
    investors: [{ to: address(2), amount: "1050000000000000" }],
    investorsCliffMs: 180 * DAY,
    investorsDurationMs: 720 * DAY,
    team: [{ to: address(3), amount: "1680000000000000" }],
    liquidity: address(4),
    airdropRoot: toHex(new Uint8Array(32).fill(9)),
    airdropLeaves: 1,
    airdropDeadlineMs: 1_700_000_000_000 + 300 * DAY,
    ...changes,
  });
}

Deno.test("admin tge: asks to be confirmed, happens once; a vesting is claimed when it has unlocked", async () => {
  await using folder = await Folder.found();
  const file = `${folder.dir}/tge.json`;
  await Deno.writeTextFile(file, plan());
  const line = `admin tge --plan ${file} ${as(ADMIN)}`;
  const asked = await folder.call(line);
  assert.equal(asked.status, 1);
  assert.match(asked.out, /cannot be undone: to do it, add --confirm 10500000/);
  assert.match(await folder.text(`${line} --confirm 10500000`), /^minted; the airdrop is 0x/);
  await folder.refused(`${line} --confirm 10500000`, 1, /vram_token::ETgeDone/);
  const { vestings, airdrop } = await folder.json(`rewards show ${address(3)}`);
  assert.equal(vestings.length, 1);
  assert.equal(vestings[0].class, "team");
  assert.equal(airdrop.leaves, 1);
  const claim = `rewards claim --vesting ${vestings[0].id} ${as(address(3))}`;
  await folder.refused(claim, 1, /vram_token::ENothingToClaim/);
  folder.network.at(0, 500 * DAY);
  assert.match(await folder.text(claim), /^\d[\d.]* VRAM claimed to/);
  assert.match(
    await folder.text(`rewards show ${address(3)}`),
    /^vesting 0x\S+ +0 VRAM of 1680000 VRAM/m,
  );
});

Deno.test("admin tge: a plan with a bad field is refused before anything is sent", async () => {
  await using folder = await Folder.found();
  const file = `${folder.dir}/tge.json`;
  const bad: [string, RegExp][] = [
    ["{", /Cannot read .*tge\.json/],
    ["[]", /must be an object/],
    [plan({ liquidity: "0x1" }), /liquidity must be 0x and 64/],
    [plan({ team: {} }), /team must be a list/],
    [
      plan({ team: [{ to: address(1), amount: 5 }] }),
      /team\[0\] as amount must be a decimal string/,
    ],
    [plan({ airdropRoot: "ab" }), /airdropRoot must be 64/],
    [plan({ airdropLeaves: -1 }), /airdropLeaves must be an integer/],
  ];
  for (const [text, message] of bad) {
    await Deno.writeTextFile(file, text);
    await folder.refused(`admin tge --plan ${file} --confirm 10500000 ${as(ADMIN)}`, 2, message);
  }
});

Deno.test("rewards claim --airdrop: reads a leaf with its proof, and refuses another file", async () => {
  await using folder = await Folder.found();
  const [tge, leaf] = [`${folder.dir}/tge.json`, `${folder.dir}/leaf.json`];
  await Deno.writeTextFile(tge, plan());
  await folder.text(`admin tge --plan ${tge} --confirm 10500000 ${as(ADMIN)}`);
  await Deno.writeTextFile(leaf, JSON.stringify({ index: 0, amount: "5", proof: [] }));
  await folder.refused(`rewards claim --airdrop ${leaf} ${miner}`, 1, /vram_token::EBadProof/);
  await Deno.writeTextFile(leaf, JSON.stringify({ index: 0, amount: 5 }));
  await folder.refused(`rewards claim --airdrop ${leaf} ${miner}`, 2, /decimal string/);
});
