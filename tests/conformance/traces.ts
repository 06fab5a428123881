/**
 * Random traces: lists of operations, each with dice of its own, so that a trace without some of them is a trace too.
 *
 * @module
 */
import type { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import { Dice } from "./dice.ts";
import { lookAround, lookAtBalances, lookAtObjects, lookAtRecords } from "./looks.ts";
import { Player, type Setting, type Step } from "./player.ts";
import { type OperationName, OPERATIONS } from "./operations.ts";
import { type Profile, PROFILES } from "./profiles.ts";

/** An operation and the seed of its dice. */
export interface Op {
  /** Which. */
  readonly name: OperationName;
  /** What its dice start from. */
  readonly seed: number;
}

/** A trace before it is played. */
export interface Trace {
  /** How its network is founded. */
  readonly setting: Setting;
  /** What is done. */
  readonly ops: readonly Op[];
}

/** A trace as it was played. */
export interface Played {
  /** Its steps. */
  readonly steps: readonly Step[];
  /** What the player in Move reads. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same with every result spelled out. */
  readonly literal: Uint8Array<ArrayBuffer>;
}

/** Trace number `n` of a run. */
export function traceOf(run: number, n: number): Trace {
  const d = new Dice(Math.imul(run, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca6b));
  const profile = PROFILES[n % PROFILES.length]!;
  return { setting: settingOf(d, n), ops: opsOf(d, profile) };
}

function settingOf(d: Dice, n: number): Setting {
  const slots = 2 + d.below(3);
  return {
    startsIn: d.oneIn(20) ? 3_000 : 0,
    miners: 1 + d.below(slots),
    validators: d.pick([[10_000n], [6_000n, 5_000n], [6_000n, 5_000n, 4_000n]]),
    hparams: {
      max_miners: slots,
      max_validators: 3,
      immunity_windows: d.below(2),
      inactive_windows: 1 + d.below(3),
      unbonding_ms: d.pick([0, 5_000, 20_000]),
      retention_windows: 3,
      slash_bps: d.pick([0, 2_500, 10_000]),
      key_ttl_ms: d.pick([25_000, 10_000_000, 10_000_000, 315_360_000_000]),
      emission: d.pick([0, 70_000_000_000, 70_000_000_000, 100_000_000_000_000]),
      miner_bps: 5_000,
      validator_bps: 3_000,
      treasury_bps: 2_000,
      randomness_kind: n % 18 === 0 ? 1 : 0,
    },
  };
}

const op = (d: Dice, name: OperationName): Op => ({ name, seed: d.bits() });

function opsOf(d: Dice, { stories, others }: Profile): Op[] {
  const names = Object.entries(others).flatMap(([name, times]) =>
    Array<OperationName>(times).fill(name as OperationName)
  );
  const ops: Op[] = [];
  // Every other trace goes as its story does, or hardly a window would be paid.
  const calm = d.oneIn(2);
  for (const name of d.pick(stories)) {
    if (calm || !d.oneIn(20)) ops.push(op(d, name));
    if (!calm && d.oneIn(4)) ops.push(op(d, d.pick(names)));
  }
  for (let more = d.below(6); more > 0; more--) ops.push(op(d, d.pick(names)));
  return ops;
}

/** How often a trace looks at all there is. */
const LOOK_EVERY = 8;

/** Play a trace on a dev ledger, through `wrap`. */
export async function play(
  { setting, ops }: Trace,
  wrap?: (ledger: DevLedger) => DevLedger,
): Promise<Played> {
  using player = await Player.found(setting, wrap);
  player.origin = -1;
  await OPERATIONS.roll(player, new Dice(0));
  if (setting.startsIn > 0) {
    // Nothing can be done before the first window.
    await player.wait(setting.startsIn);
    await OPERATIONS.roll(player, new Dice(0));
  }
  for (const [i, { name, seed }] of ops.entries()) {
    player.origin = i;
    await OPERATIONS[name](player, new Dice(seed));
    if (i % LOOK_EVERY === LOOK_EVERY - 1) await lookAround(player);
  }
  player.origin = ops.length;
  await lookAround(player);
  await lookAtObjects(player);
  await lookAtRecords(player, new Dice(ops.length));
  await lookAtBalances(player);
  return {
    steps: player.steps,
    bytes: await player.tape(),
    literal: await player.tape(true),
  };
}
