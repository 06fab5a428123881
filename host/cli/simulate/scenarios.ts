/**
 * The scenarios: worlds of miners, and what the policy makes of them.
 *
 * @module
 */
import { PayPolicy } from "./policy.ts";
import {
  Chance,
  CURVATURE,
  honest,
  measureAll,
  more,
  RANDOM_BEFORE,
  type SimulatedMiner,
  SKILL,
} from "./world.ts";

/** What a run paid. */
export interface Run {
  /** VRAM in 1e-9 by owner. */
  readonly paid: ReadonlyMap<number, number>;
  /** VRAM in 1e-9 for junk, whoever owns it. */
  readonly junk: number;
  /** The window of each uid's first payment. */
  readonly firstPaid: ReadonlyMap<number, number>;
  /** All that was paid. */
  readonly total: number;
}

/** Play `windows` windows. */
export function play(miners: readonly SimulatedMiner[], windows: number, seed: number): Run {
  const chance = new Chance(seed);
  const policy = new PayPolicy();
  const byUid = new Map(miners.map((miner) => [miner.uid, miner]));
  const paid = new Map(miners.map(({ owner }) => [owner, 0]));
  const firstPaid = new Map<number, number>();
  let junk = 0;
  for (let window = 0; window < windows; window++) {
    const entries = measureAll(miners, window, chance);
    const payments = policy.step(RANDOM_BEFORE, entries, chance.matches(window));
    for (const { uid, reward } of payments) {
      if (reward === 0n) continue;
      if (!firstPaid.has(uid)) firstPaid.set(uid, window);
      const { owner, skill } = byUid.get(uid)!;
      paid.set(owner, paid.get(owner)! + Number(reward));
      if (skill === 0) junk += Number(reward);
    }
  }
  return { paid, junk, firstPaid, total: Number(policy.issued) };
}

/** A line of the table. Ratios are of a share of all pay to the ideal share, proportional to skill: 1 is ideal. */
export interface Line {
  /** The scenario. */
  readonly scenario: string;
  /** Slots. */
  readonly miners: number;
  /** Windows played. */
  readonly windows: number;
  /** Owners that trained and got nothing, as a share of all such owners of all runs. */
  readonly unpaid: number;
  /** Lowest ratio among owners of a run, mean over the runs. */
  readonly lowest: number;
  /** Highest. */
  readonly highest: number;
  /** The scenario's own figure. */
  readonly figure?: { readonly name: string; readonly value: number };
}

/** Ratio of each owner's share to the ideal one, by owner; owners without skill are left out. */
export function ratios(
  miners: readonly SimulatedMiner[],
  windows: number,
  run: Run,
): Map<number, number> {
  const ideal = new Map<number, number>();
  for (let window = 0; window < windows; window++) {
    const present = miners.filter(({ from, skill }) => from <= window && skill > 0);
    const sum = present.reduce((total, { skill }) => total + skill, 0);
    for (const { owner, skill } of present) {
      ideal.set(owner, (ideal.get(owner) ?? 0) + skill / sum / windows);
    }
  }
  return new Map(
    [...ideal].map(([owner, share]) => [owner, run.paid.get(owner)! / run.total / share]),
  );
}

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Seeds of `runs` runs. */
function seeds(seed: number, runs: number): number[] {
  return Array.from({ length: runs }, (_, i) => seed + i);
}

/** How a scenario is played. */
export interface Play {
  /** Windows. */
  readonly windows: number;
  /** Seed of the first run. */
  readonly seed: number;
  /** Runs that are averaged. */
  readonly runs: number;
}

function line(
  scenario: string,
  miners: readonly SimulatedMiner[],
  { windows, seed, runs }: Play,
  name?: string,
  figure?: (run: Run, seed: number) => number,
): Line {
  const played = seeds(seed, runs).map((seed) => ({ seed, run: play(miners, windows, seed) }));
  const all = played.map(({ run }) => [...ratios(miners, windows, run).values()]);
  const values = played.map(({ run, seed }) => figure?.(run, seed) ?? 0);
  return {
    scenario,
    miners: miners.length,
    windows,
    unpaid: all.flat().filter((ratio) => ratio === 0).length / all.flat().length,
    lowest: mean(all.map((ratios) => Math.min(...ratios))),
    highest: mean(all.map((ratios) => Math.max(...ratios))),
    ...(name === undefined ? {} : { figure: { name, value: mean(values) } }),
  };
}

/** Everybody is as good as the others. */
export function equalSkill(count: number, how: Play): Line {
  return line("equal skill", honest(count), how);
}

/** Skills evenly from half of the ordinary one to one and a half. */
export function differentSkill(count: number, how: Play): Line {
  const skill = (i: number) => Math.round(SKILL * (0.5 + i / Math.max(1, count - 1)));
  const miners = honest(count, (i) => ({ skill: skill(i) }));
  // Owner 0 has half of the ordinary skill, the last one has one and a half: three times as much.
  const best = (run: Run) => run.paid.get(count - 1)! / run.paid.get(0)!;
  return line("skill from 0.5 to 1.5", miners, how, "best earns, times the worst (ideal 3)", best);
}

/** A fifth comes at half time. */
export function newcomers(count: number, how: Play): Line {
  const half = Math.floor(how.windows / 2);
  const late = Math.ceil(count / 5);
  const miners = honest(count, (i) => ({ from: i < count - late ? 0 : half }));
  const name = "windows until a newcomer's first pay, the last one's";
  return line("a fifth are newcomers at half time", miners, how, name, (run) => {
    const waits = miners.filter(({ from }) => from > 0)
      .map(({ uid }) => (run.firstPaid.get(uid) ?? how.windows) - half + 1);
    return Math.max(...waits);
  });
}

/**
 * Owner 0 of `count` honest ones adds slots of junk. Honest miners being alike, owner 0 has the share of each of
 * them, and what its junk was paid besides: with J that part of all pay, (1 − J) / count + J instead of 1 / count.
 */
export function junkSybils(count: number, sybils: number, how: Play): Line {
  const miners = more(honest(count), sybils, { owner: 0, skill: 0, ownPages: false });
  const gain = ({ junk, total }: Run) => (count - 1) * junk / total;
  return line(`${sybils} junk sybils of one owner`, miners, how, "owner's gain", gain);
}

/**
 * Owner 0 of `count` honest ones cuts its gradient into `parts` disjoint ones. The first uid
 * trained on its own pages; the others did so only where the owner works on the pages of all of them.
 */
export function splitter(count: number, parts: number, allPages: boolean, how: Play): Line {
  const skill = Math.round(SKILL * (1 + CURVATURE * (1 - 1 / parts)) / parts);
  const first = honest(count, (i) => i === 0 ? { skill } : {});
  const miners = more(first, parts - 1, { owner: 0, skill, ownPages: allPages });
  // Of miners that are alike each has one share of `count`, whole.
  const kept = ({ paid, total }: Run) => count * paid.get(0)! / total;
  const name = "splitter earns, times its share whole";
  const pages = allPages ? "trains on all its uids' pages" : "on one uid's pages";
  return line(`gradient split in ${parts}, ${pages}`, miners, how, name, kept);
}

/** Slots of a network. */
const SLOTS = 256;

/** All scenarios of `counts` honest miners over `lengths` windows, where they fit into the slots. */
export function* scenarios(
  counts: readonly number[],
  lengths: readonly number[],
  seed: number,
  runs: number,
): Generator<Line> {
  for (const windows of lengths) {
    const how = { windows, seed, runs };
    for (const count of counts) {
      yield equalSkill(count, how);
      yield differentSkill(count, how);
      yield newcomers(count, how);
      yield junkSybils(count, Math.min(2 * count, SLOTS - count), how);
      yield splitter(count, 2, false, how);
      yield splitter(count, 2, true, how);
      yield splitter(count, 4, true, how);
    }
  }
}
