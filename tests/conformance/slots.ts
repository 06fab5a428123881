/**
 * Operations of traces on slots: stakes, gradients, credentials, and the treasuries that fees go to.
 *
 * @module
 */
import { type Bytes, concat, utf8 } from "../../enclave/protocol/bytes.ts";
import { BcsWriter } from "../../enclave/protocol/bcs.ts";
import { commitment } from "../../enclave/protocol/commit.ts";
import type { Role } from "../../host/ledger/ledger.ts";
import { address, ADMIN, bytes32 } from "../../host/ledger/testing.ts";
import type { Dice } from "./dice.ts";
import { PEOPLE } from "./people.ts";
import type { Player } from "./player.ts";

/** Does something on a player, as the dice fall. */
export type Operation = (p: Player, d: Dice) => Promise<void>;

/** Who would have a miner's slot, and who a validator's; anybody else now and then. */
const newcomer = (d: Dice, role: Role) =>
  d.oneIn(8) ? d.pick(PEOPLE) : d.pick(role === "miner" ? PEOPLE.slice(1, 6) : PEOPLE.slice(6, 11));
const roleOf = (d: Dice): Role => d.oneIn(2) ? "miner" : "validator";

async function registerMiner(p: Player, d: Dice): Promise<void> {
  const who = newcomer(d, "miner");
  const stake = BigInt(d.pick([999, 1_000, 1_500, 5_000, 8_000]));
  await p.fund(who, stake + BigInt(d.pick([0, 49, 50, 100, 1_000])));
  const fee = (await p.ledger.balance(who)).sui - stake;
  await p.play("registerMiner", [who, stake, fee], () => p.ledger.registerMiner(who, stake));
}

async function registerValidator(p: Player, d: Dice): Promise<void> {
  const who = d.oneIn(6) ? PEOPLE[11]! : newcomer(d, "validator");
  const stake = BigInt(d.pick([999, 1_000, 4_500, 6_500, 12_000]));
  await p.fund(who, stake + BigInt(d.pick([0, 49, 100, 1_000])));
  const { sui, vram } = await p.ledger.balance(who);
  await p.play(
    "registerValidator",
    [who, stake, sui - stake, vram],
    () => p.ledger.registerValidator(who, stake),
  );
}

async function unregister(p: Player, d: Dice): Promise<void> {
  const role = roleOf(d);
  const rows = role === "miner" ? await p.ledger.miners() : await p.ledger.validators();
  const row = d.maybe(rows);
  // The last validators mostly stay: without them nothing is judged.
  if (role === "validator" && rows.length < 2 && !d.oneIn(4)) return;
  const who = row === undefined || d.oneIn(6) ? d.pick(PEOPLE) : row.owner;
  const uid = row?.uid ?? d.below(4);
  await p.play(
    "unregister",
    [who, role === "validator", uid],
    () => p.ledger.unregister(who, role, uid),
  );
}

async function withdraw(p: Player, d: Dice): Promise<void> {
  const role = roleOf(d);
  const left = (await p.network.events()).filter(({ kind }) =>
    kind === `${role === "miner" ? "peer_registry::Peer" : "validator_registry::Validator"}Left`
  ).map(({ body }) => body.owner as string);
  const who = d.oneIn(4) ? newcomer(d, role) : d.maybe(left) ?? newcomer(d, role);
  await p.play(
    "withdraw",
    [who, role === "validator"],
    () => p.ledger.withdraw(who, role),
  );
}

async function topUpStake(p: Player, d: Dice): Promise<void> {
  const row = d.maybe(await p.ledger.miners());
  const who = row === undefined || d.oneIn(8) ? d.pick(PEOPLE) : row.owner;
  const amount = BigInt(d.pick([0, 1, 300, 700]));
  await p.fund(who, amount);
  const uid = row?.uid ?? 0;
  await p.play(
    "topUpStake",
    [who, uid, amount],
    () => p.ledger.topUpStake(who, uid, amount),
  );
}

async function sweepTreasury(p: Player, d: Dice): Promise<void> {
  const role = roleOf(d);
  const who = d.oneIn(10) ? d.pick(PEOPLE) : await p.admin() ?? ADMIN;
  await p.govern(
    "sweepTreasury",
    who,
    [who, role === "validator"],
    () => p.ledger.sweepTreasury(who, role),
  );
}

// Gradients.

async function commitOne(p: Player, d: Dice, uid: number, owner: string): Promise<void> {
  const { ledgerId } = await p.ledger.info();
  const window = await p.ledger.currentWindow() + (d.oneIn(40) ? 1 : 0);
  const content = p.network.content(uid, window);
  const whole = commitment(ledgerId, uid, window, content, p.network.salt);
  const hash = d.oneIn(40) ? whole.slice(1) : d.oneIn(40) ? bytes32("other") : whole;
  const who = d.oneIn(40) ? d.pick(PEOPLE) : owner;
  await p.play(
    "commit",
    [who, uid, window, hash],
    () => p.ledger.commit(who, uid, window, hash),
  );
}

async function commit(p: Player, d: Dice): Promise<void> {
  const rows = await p.ledger.miners();
  for (const { uid, owner } of rows) if (!d.oneIn(12)) await commitOne(p, d, uid, owner);
  if (d.oneIn(8)) await commitOne(p, d, d.below(6), d.pick(PEOPLE));
}

async function revealOne(p: Player, d: Dice, uid: number, owner: string): Promise<void> {
  const window = await p.ledger.currentWindow() - (d.oneIn(40) ? 1 : 0);
  if (window < 0) return;
  const who = d.oneIn(40) ? d.pick(PEOPLE) : owner;
  const contentHash: Bytes = d.oneIn(40) ? bytes32("other") : p.network.content(uid, window);
  const size = d.oneIn(40) ? d.pick([0, 10_001]) : 1_000 + uid;
  const codec = d.oneIn(40) ? d.pick([0, 4, 255]) : d.pick([1, 2, 3]);
  const salt = d.oneIn(40) ? p.network.salt.slice(1) : p.network.salt;
  const ref = d.oneIn(40)
    ? d.pick(["", "a b", "r".repeat(257)])
    : `gradient-${window}-${uid}-v1.pt`;
  await p.play(
    "reveal",
    [who, uid, window, contentHash, size, codec, salt, utf8(ref)],
    () => p.ledger.reveal(who, uid, window, { contentHash, size, codec }, salt, ref),
  );
}

async function reveal(p: Player, d: Dice): Promise<void> {
  const rows = await p.ledger.miners();
  const order = d.oneIn(2) ? rows : [...rows].reverse();
  for (const { uid, owner } of order) if (!d.oneIn(12)) await revealOne(p, d, uid, owner);
  if (d.oneIn(8)) await revealOne(p, d, d.below(6), d.pick(PEOPLE));
}

// Read credentials.

async function setCredentials(p: Player, d: Dice): Promise<void> {
  const row = d.maybe(await p.ledger.miners());
  const uid = row?.uid ?? 0;
  const who = row === undefined || d.oneIn(12) ? d.pick(PEOPLE) : row.owner;
  const epoch = await p.ledger.nextCredentialsEpoch(uid) + (d.oneIn(8) ? d.pick([-1, 1]) : 0);
  const bucket = d.oneIn(10) ? d.pick(["", "b".repeat(65)]) : "bucket";
  const sealed = d.bytes(d.oneIn(12) ? 0 : 40);
  const servers = d.oneIn(12) ? 17 : 1 + d.below(4);
  const threshold = d.oneIn(12) ? d.pick([0, servers + 1]) : Math.min(2, servers);
  await p.play(
    "setCredentials",
    [who, uid, epoch, utf8(bucket), utf8("account"), sealed, servers, threshold],
    () =>
      p.ledger.setCredentials(who, uid, {
        epoch,
        bucket,
        account: "account",
        sealed,
        keyServers: Array.from({ length: servers }, (_, i) => address(i)),
        threshold,
      }),
  );
}

async function sealApprove(p: Player, d: Dice): Promise<void> {
  const sealed = [];
  for (const { uid } of await p.ledger.miners()) {
    if (await p.ledger.credentials(uid) !== null) sealed.push(uid);
  }
  const uid = d.oneIn(8) ? d.below(6) : d.maybe(sealed) ?? d.below(4);
  const epoch = (await p.ledger.credentials(uid))?.epoch ?? 1;
  const who = d.maybe(await p.ledger.validators())?.owner ?? d.pick(PEOPLE);
  const sender = d.oneIn(3) ? d.pick(PEOPLE) : who;
  const id = new BcsWriter().u16(uid).u64(BigInt(epoch + (d.oneIn(10) ? 1 : 0))).finish();
  const bytes = d.oneIn(12) ? concat(id, new Uint8Array(1)) : id;
  await p.play("sealApprove", [sender, bytes], () => p.ledger.sealApprove(sender, bytes));
}

/** Operations on slots. */
export const SLOTS = {
  registerMiner,
  registerValidator,
  unregister,
  withdraw,
  topUpStake,
  sweepTreasury,
  commit,
  reveal,
  setCredentials,
  sealApprove,
} satisfies Record<string, Operation>;
