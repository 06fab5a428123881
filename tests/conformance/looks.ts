/**
 * What traces look at after their calls, as numbers: `conformance_views.move` gives the same of the chain's state.
 *
 * @module
 */
import { type Bytes, utf8 } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { JOB_STATUSES } from "../../host/ledger/jobs.ts";
import type { WindowView } from "../../host/ledger/ledger.ts";
import { VESTING_CLASSES } from "../../host/ledger/token.ts";
import type { Dice } from "./dice.ts";
import { numberOf, PEOPLE } from "./people.ts";
import type { Player } from "./player.ts";

/** Signed integers are kept with this added. */
const BIAS = 1n << 63n;
const STATUSES = ["open", "settling", "settled", "closed", "skipped"];
const SLOTS = 6;
const BUILDS = ["build-1", "build-2", "build-3"];

/** The first eight bytes as a number, the lowest first. */
function start(bytes: Bytes): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}

const digest = (bytes: Bytes) => start(sha256(bytes));

/** Look at what every call can change. */
export async function lookAround(p: Player): Promise<void> {
  const { ledger } = p;
  await p.play("look at the world", [], async () => {
    const [owed, supply, board] = [
      await ledger.owed(),
      await ledger.supply(),
      await ledger.jobBoard(),
    ];
    return [
      await ledger.currentWindow(),
      await ledger.issued(),
      owed.total,
      owed.treasury,
      await ledger.treasury("miner"),
      await ledger.treasury("validator"),
      supply.issued,
      supply.mined,
      supply.burned,
      Number(supply.generated),
      board.fees,
      ...(await ledger.epochs()).flatMap(({ firstWindow, startMs, windowMs }) => [
        firstWindow,
        startMs,
        windowMs,
      ]),
    ];
  });
  await p.play("look at miners", [SLOTS], async () => {
    const rows = await ledger.miners();
    return Array.from({ length: SLOTS }, (_, uid) => rows.find((row) => row.uid === uid))
      .flatMap((row) =>
        row === undefined ? [0n] : [
          numberOf(row.owner) + 1,
          row.stake,
          row.generation,
          row.activeFrom,
          BIAS + BigInt(row.mu),
          row.sigma,
          row.average,
          row.measured,
          row.accepted,
          row.lastAccepted + 1,
        ]
      );
  });
  await p.play("look at validators", [], async () =>
    (await ledger.validators()).flatMap((row) => [
      row.uid,
      row.generation,
      numberOf(row.owner) + 1,
      row.stake,
      row.activeFrom,
    ]));
  await lookAtWindows(p);
}

async function lookAtWindows(p: Player): Promise<void> {
  const now = await p.ledger.currentWindow();
  for (const { window } of await p.ledger.windows(now + 1, 2)) {
    if (window + 2 < now) continue;
    const view = await p.ledger.window(window);
    const withDigest = view.context.randomness.kind === "drand" ||
      [view.context.randomness.assignSeed, view.context.randomness.judgeSeed]
        .every((seed) => seed.some((byte) => byte !== 0));
    await p.play("look at a window", [window, withDigest], () => windowNumbers(view, withDigest));
  }
}

function windowNumbers(view: WindowView, withDigest: boolean): (number | bigint)[] {
  const stakeOf = (uids: readonly number[]) =>
    view.snapshot.filter(({ uid }) => uids.includes(uid))
      .reduce((sum, { stake }) => sum + stake, 0n);
  const { payout } = view;
  const skipped = view.status === "skipped";
  return [
    STATUSES.indexOf(view.status),
    start(view.acc),
    start(view.baseHash),
    view.reveals.length,
    view.snapshot.length,
    stakeOf(view.reported),
    stakeOf(view.outcomes),
    stakeOf(view.snapshot.map(({ uid }) => uid)),
    ...(withDigest ? [start(view.digest)] : []),
    ...view.reveals.map(({ uid }) => uid).sort((a, b) => a - b),
    view.settled === null || skipped ? 0n : start(view.settled.digest),
    Number(payout !== null),
    ...(payout === null ? [] : [
      payout.issued,
      ...payout.miners.map(({ reward }) => reward),
      ...payout.miners.map(({ weight }) => digest(u256(weight))),
      ...payout.validators.map(({ reward }) => reward),
    ]),
  ];
}

function u256(value: bigint): Bytes {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

/** Look at everybody's coins. */
export async function lookAtBalances(p: Player): Promise<void> {
  await p.play("look at balances", [], async () => {
    const all = [];
    for (const who of PEOPLE) {
      const { sui, vram, claimable } = await p.ledger.balance(who);
      all.push(sui, vram, claimable);
    }
    return all;
  });
}

/** Look at what there is besides, as far as there is any. */
export async function lookAtObjects(p: Player): Promise<void> {
  const { ledger } = p;
  for (const { uid } of await ledger.validators()) {
    await p.play("look at an enclave", [uid], async () => {
      const row = await ledger.enclave(uid);
      return row === null ? [0] : [
        start(row.key),
        row.documentMs,
        row.registeredMs,
        row.expiresMs,
        digest(utf8(row.measurement)),
      ];
    });
  }
  for (const job of (await ledger.jobs(undefined, 6)).toReversed()) {
    await p.play("look at a job", [job.id], () => [
      JOB_STATUSES.indexOf(job.status),
      ...job.held,
    ]);
  }
  for (const [k, pool] of (await ledger.pools()).entries()) {
    await p.play("look at a pool", [k], () => [
      pool.staked,
      pool.rewards,
      pool.unreleased,
      pool.leftMs,
      pool.weight,
    ]);
  }
  for (const [n, { id, owner, pool }] of p.tickets.entries()) {
    const row = (await ledger.tickets(owner)).find((row) => row.id === id);
    if (row === undefined) continue;
    await p.play("look at a ticket", [n, pool], () => [row.amount, row.unlockMs, row.earned]);
  }
  for (const [k, row] of (await ledger.vestings()).entries()) {
    await p.play("look at a vesting", [k], () => [
      VESTING_CLASSES.indexOf(row.class),
      numberOf(row.beneficiary) + 1,
      row.total - row.claimed,
      row.vested,
    ]);
  }
  const airdrop = await ledger.airdrop();
  if (airdrop !== null) await p.play("look at the airdrop", [], () => airdrop.unclaimed);
}

/** Look at what governance keeps. */
export async function lookAtRecords(p: Player, d: Dice): Promise<void> {
  const id = d.below(4);
  const row = await p.ledger.dataset(id);
  if (row !== null) {
    await p.play("look at a data set", [id], () => [
      row.pageCount,
      row.pageTokens,
      start(row.root),
      row.owner === null ? 0 : numberOf(row.owner) + 1,
      Number(row.retired),
    ]);
  }
  for (let uid = 0; uid < 3; uid++) {
    await p.play(
      "look at credentials",
      [uid],
      async () => [
        (await p.ledger.credentials(uid))?.epoch ?? 0,
        await p.ledger.nextCredentialsEpoch(uid),
      ],
    );
  }
  await p.play("look at builds", [BUILDS.length, ...BUILDS.map((name) => utf8(name))], async () => {
    const rows = await p.ledger.measurements();
    const now = p.network.clock.now();
    return [
      rows.length,
      rows.reduce((sum, { activeFrom }) => sum + activeFrom, 0),
      ...BUILDS.map((name) =>
        Number(rows.some((row) => row.name === name && row.activeFrom <= now))
      ),
    ];
  });
}
