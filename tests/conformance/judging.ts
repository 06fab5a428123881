/**
 * Operations of traces on judging: builds, keys, reports, settlement, outcomes, slashing, seeds, and the forgetting of
 * windows. Messages are signed here, with the judges' keys, and given to both sides.
 *
 * @module
 */
import { type Bytes, concat, fromHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { addressBytes, userDataOf } from "../../enclave/protocol/identity.ts";
import { encodeJobVerdict } from "../../enclave/protocol/job_verdict.ts";
import { VERDICT } from "../../enclave/protocol/verdict.ts";
import type { Address } from "../../host/ledger/ledger.ts";
import {
  address,
  ADMIN,
  bytes32,
  pcrsOf,
  type Signed,
  unmeasured,
} from "../../host/ledger/testing.ts";
import type { Dice } from "./dice.ts";
import { numberOf, PEOPLE } from "./people.ts";
import type { Player } from "./player.ts";
import type { Operation } from "./slots.ts";

const BUILDS = [1, 2, 3];

/** The admin mostly; the chain knows no such call of anybody else. */
export async function governor(p: Player, d: Dice): Promise<Address> {
  return d.oneIn(16) ? d.pick(PEOPLE) : await p.admin() ?? ADMIN;
}

async function approveMeasurement(p: Player, d: Dice): Promise<void> {
  const n = d.pick(BUILDS);
  const name = d.oneIn(10) ? d.pick(["", "Upper", "n".repeat(65)]) : `build-${n}`;
  const [a, b, c] = pcrsOf(n);
  const first = d.oneIn(12) ? d.pick([new Uint8Array(48), a.slice(1)]) : a;
  const sender = await governor(p, d);
  await p.govern(
    "approveMeasurement",
    sender,
    [utf8(name), first, b, c],
    () => p.ledger.approveMeasurement(sender, name, [first, b, c]),
  );
}

async function removeMeasurement(p: Player, d: Dice): Promise<void> {
  const name = `build-${d.pick([1, 2, 3, 3, 4])}`;
  const sender = await governor(p, d);
  await p.govern(
    "removeMeasurement",
    sender,
    [utf8(name)],
    () => p.ledger.removeMeasurement(sender, name),
  );
}

/** What a document of a validator's judge says; faults are one at a time, as both sides name the first. */
async function attestOne(p: Player, d: Dice, uid: number, owner: Address): Promise<void> {
  const now = p.network.clock.now();
  const { chainId, ledgerId } = await p.ledger.info();
  const fault = d.below(80);
  const timestamp = now + (fault === 0 ? -60_001 : fault === 1 ? 30_001 : fault === 2 ? -500 : 0);
  const build = fault === 3 ? d.pick([2, 3]) : 1;
  const key = fault === 4
    ? d.pick([null, new Uint8Array(31).fill(1), new Uint8Array(32), new Uint8Array(32).fill(255)])
    : fault === 5
    ? p.network.publicKey((uid + 1) % 3, numberOf(owner) + 1)
    : p.network.publicKey(uid, numberOf(owner));
  const data = fault === 6 ? null : userDataOf({
    chainId,
    ledgerId,
    validator: fault === 7 ? uid + 1 : uid,
    address: addressBytes(owner),
  });
  const document = await p.network.document(0, {
    build,
    fields: { timestamp, public_key: key, user_data: data },
  });
  const none = new Uint8Array();
  await p.play(
    "registerEnclave",
    [uid, timestamp, ...pcrsOf(build), key ?? none, data ?? none],
    () => p.ledger.registerEnclave(address(0xf00), uid, document),
  );
}

async function attest(p: Player, d: Dice): Promise<void> {
  const rows = await p.ledger.validators();
  for (const { uid, owner } of rows) {
    const known = await p.ledger.enclave(uid);
    if (known !== null && !d.oneIn(6)) continue;
    await attestOne(p, d, uid, owner);
  }
  if (d.oneIn(10)) await attestOne(p, d, d.below(6), d.pick(PEOPLE));
}

/** The window that is judged now; it need not have a row. */
async function judged(p: Player, d: Dice): Promise<number> {
  return Math.max(0, await p.ledger.currentWindow() - (d.oneIn(40) ? d.pick([0, 2, 3]) : 1));
}

async function hasRow(p: Player, window: number): Promise<boolean> {
  return (await p.ledger.windows(window + 1, 1))[0]?.window === window;
}

/** A message spoiled now and then, in one way. */
function spoiled(d: Dice, p: Player, uid: number, key: number, signed: Signed): Signed {
  const fault = d.below(120);
  const sign = (message: Bytes) => ({ message, signature: p.network.sign(uid, message, key) });
  if (fault === 0) return sign(signed.message.slice(0, -1));
  if (fault === 1) return { ...signed, signature: p.network.sign(uid, signed.message, key + 1) };
  if (fault === 2) return sign(concat(signed.message, new Uint8Array(1)));
  if (fault === 3) return { ...signed, signature: signed.signature.slice(1) };
  if (fault === 4) return { message: new Uint8Array(), signature: signed.signature };
  return signed;
}

const HEAD_FAULTS = (d: Dice) => [
  { ledgerId: bytes32("another") },
  { chainId: bytes32("another") },
  { validator: d.below(6) },
  { window: d.below(8) },
];

async function report(p: Player, d: Dice): Promise<void> {
  const window = await judged(p, d);
  if (!await hasRow(p, window)) return;
  const { snapshot } = await p.ledger.window(window);
  for (const { uid, owner } of snapshot) {
    if (d.oneIn(16)) continue;
    const key = numberOf(owner);
    const measure = (miner: number) => {
      // Judges measure the same, but for noise, and for one of them now and then.
      const noise = (window * 7_919 + miner * 104_729) % 60_000;
      const far = d.oneIn(10) ? d.below(1_000) : d.below(3);
      const odd = (window * 31 + miner * 17) % 9;
      if (odd === 0 || d.oneIn(40)) return unmeasured(d.pick([VERDICT.zero, 3, 5, 8, 10, 20, 21]));
      return { randomAfter: 945_000 + noise + far };
    };
    const fault = d.below(120);
    const draft = fault === 0
      ? { windowDigest: bytes32("another") }
      : fault === 1
      ? { entries: [] }
      : fault === 2
      ? { randomBefore: null }
      : fault < 7
      ? d.pick(HEAD_FAULTS(d))
      : {};
    const signed = spoiled(
      d,
      p,
      uid,
      key,
      await p.network.signReport(uid, window, { measure, key, ...draft }),
    );
    const sender = d.oneIn(80) ? d.pick(PEOPLE) : owner;
    const { message, signature } = signed;
    await p.play(
      "submitReport",
      [sender, message, signature],
      () => p.ledger.submitReport(sender, message, signature),
    );
  }
}

async function settle(p: Player, d: Dice): Promise<void> {
  const window = await judged(p, d);
  const limit = d.oneIn(20) ? d.pick([0, 65]) : d.pick([1, 2, 64, 64]);
  await p.play("settle", [window, limit], () => p.ledger.settle(window, limit));
}

async function outcome(p: Player, d: Dice): Promise<void> {
  const window = await judged(p, d);
  if (!await hasRow(p, window)) return;
  const { snapshot } = await p.ledger.window(window);
  const merged = window % 3 > 0
    ? {
      manifestHash: bytes32(`merged ${window}`),
      currentLoss: 1_000,
      mergedLoss: 985 + window % 20,
    }
    : {};
  for (const { uid, owner } of snapshot) {
    if (d.oneIn(16)) continue;
    const key = numberOf(owner);
    const other = d.oneIn(12) ? 1 : 0;
    const rate = (miner: number) => ({
      mu: 20_000_000 + (window * 7_919_113 + miner * 1_000_003) % 25_000_000 + other,
      sigma: 1_000_000 + miner,
    });
    const fault = d.below(120);
    const draft = fault === 0
      ? { settledDigest: bytes32("another") }
      : fault === 1
      ? { ratings: [] }
      : fault === 2
      ? { manifestHash: bytes32("lone"), currentLoss: 1_000, mergedLoss: 1 }
      : fault < 6
      ? d.pick(HEAD_FAULTS(d))
      : {};
    const { message, signature } = spoiled(
      d,
      p,
      uid,
      key,
      await p.network.signOutcome(uid, window, { rate, key, ...merged, ...draft }),
    );
    const sender = d.oneIn(80) ? d.pick(PEOPLE) : owner;
    await p.play(
      "submitOutcome",
      [sender, message, signature],
      () => p.ledger.submitOutcome(sender, message, signature),
    );
  }
}

async function close(p: Player, d: Dice): Promise<void> {
  const now = await p.ledger.currentWindow();
  const window = Math.max(0, now - d.pick([0, 1, 1, 2]) + (d.oneIn(12) ? 2 : 0));
  await p.play("close", [window], () => p.ledger.close(window));
}

/** Two messages of one judge. */
async function slash(p: Player, d: Dice): Promise<void> {
  const row = d.maybe(await p.ledger.validators());
  if (row === undefined) return;
  const { uid, owner } = row;
  const key = numberOf(owner);
  const window = Math.max(0, await p.ledger.currentWindow() - d.below(2));
  if (!await hasRow(p, window)) return;
  const intent = d.below(3);
  const { chainId, ledgerId } = await p.ledger.info();
  const made = async (n: number): Promise<Bytes> => {
    if (intent === 0) {
      return (await p.network.signReport(uid, window, { entries: [], randomBefore: 7 + n }))
        .message;
    }
    if (intent === 1) {
      return (await p.network.signOutcome(uid, window, { settledDigest: bytes32(`${n}`) })).message;
    }
    return encodeJobVerdict({
      chainId,
      ledgerId,
      validator: uid,
      job: window,
      timestampMs: p.network.clock.now(),
      datasetRoot: bytes32("data"),
      baseHash: bytes32("base"),
      resultHash: bytes32("result"),
      lossBefore: 1_000 + n,
      lossAfter: null,
    });
  };
  const fault = d.below(12);
  let first = await made(0);
  let second = await made(fault === 0 ? 0 : 1);
  if (fault === 1) second = second.slice(1);
  if (fault === 2) first = new Uint8Array();
  if (fault === 3) {
    first = first.slice();
    first[2]! ^= 1;
  }
  const by = fault === 4 ? key + 1 : key;
  const [a, b] = [p.network.sign(uid, first, key), p.network.sign(uid, second, by)];
  const publicKey = p.network.publicKey(uid, fault === 5 ? key + 1 : key);
  await p.play(
    "slash",
    [publicKey, first, a, second, b],
    () => p.ledger.slash(publicKey, first, a, second, b),
  );
}

async function drawSeeds(p: Player, d: Dice): Promise<void> {
  const window = Math.max(0, await p.ledger.currentWindow() - (d.oneIn(3) ? 1 : 0));
  const drawn: Record<string, Bytes> = {};
  const seeded = crypto.getRandomValues;
  // The dev ledger's draw comes from the dice, so that a trace is the same whenever it is played.
  const draw = (bytes: Bytes) => {
    bytes.set(d.bytes(bytes.length));
    return bytes;
  };
  const before = (await p.network.events()).length;
  const args = [window, new Uint8Array(), new Uint8Array()] as [number, Bytes, Bytes];
  const length = p.steps.length;
  try {
    crypto.getRandomValues = draw as typeof crypto.getRandomValues;
    await p.play("drawSeeds", args, () => p.ledger.drawSeeds(ADMIN, window));
  } finally {
    crypto.getRandomValues = seeded;
  }
  for (const { kind, body } of (await p.network.events()).slice(before)) {
    if (kind === "round_state::SeedDrawn") {
      drawn[body.judge === true ? "judge" : "assign"] = fromHex(body.seed as string, 32);
    }
  }
  const none = new Uint8Array();
  if (p.steps.length > length) {
    p.rewrite(length, [window, drawn.assign ?? none, drawn.judge ?? none]);
  }
}

async function prune(p: Player, d: Dice): Promise<void> {
  const now = await p.ledger.currentWindow();
  const rows = await p.ledger.windows(now + 1, 200);
  const window = d.oneIn(8) ? now + 3 : d.maybe(rows)?.window ?? 0;
  const old = d.oneIn(4) ? window : rows.at(-1)?.window ?? window;
  for (const part of ["gradients", "scores", "rounds"] as const) {
    if (d.oneIn(3)) continue;
    await p.play(`prune ${part}`, [old], () => p.ledger.prune(ADMIN, old, part));
  }
}

async function claim(p: Player, d: Dice): Promise<void> {
  const rich: Address[] = [];
  for (const who of PEOPLE) if ((await p.ledger.balance(who)).claimable > 0n) rich.push(who);
  const who = d.oneIn(8) ? d.pick(PEOPLE) : d.maybe(rich) ?? d.pick(PEOPLE);
  await p.play("claim", [who], () => p.ledger.claim(who));
}

async function claimTreasury(p: Player, d: Dice): Promise<void> {
  const sender = await governor(p, d);
  await p.govern("claimTreasury", sender, [sender], () => p.ledger.claimTreasury(sender));
}

/** Operations on judging. */
export const JUDGING = {
  approveMeasurement,
  removeMeasurement,
  attest,
  report,
  settle,
  outcome,
  close,
  slash,
  drawSeeds,
  prune,
  claim,
  claimTreasury,
} satisfies Record<string, Operation>;
