/**
 * Who mines in a simulation, and what the judge would measure of them. A score, in 1e-6 nats, is
 *
 *     skill · (1 + PAGES · g(window) + SPREAD · g(uid, window)) + LUCK · g'(uid, window)
 *
 * with g standard normal: the window's random pages are the same for everybody, a miner's own draw is not, and an
 * update that taught nothing still moves the loss a little to either side. Of the loss on a miner's own pages only
 * the sign against the random ones enters the policy: its own pages gain more in OWN of the windows where it
 * trained on them, in half of them where it did not. SPREAD, OWN and CURVATURE are what `deno task bench` measures of honest
 * miners, taken from the preset where they are worse.
 *
 * @module
 */
import type { Draw } from "../../../enclave/protocol/draw.ts";
import type { ReportEntry } from "../../../enclave/protocol/report.ts";
import { VERDICT } from "../../../enclave/protocol/verdict.ts";

/** Skill of an ordinary miner: a hundredth of a nat. */
export const SKILL = 10_000;
/** Standard deviation that a window's pages give all scores, as a share. */
export const PAGES = 0.2;
/** Standard deviation of a miner's score around its skill, as a share. */
export const SPREAD = 0.65;
/** Standard deviation of the score of an update that taught nothing. */
export const LUCK = 100;
/** How often own pages gain more than random ones for who trained on them. */
export const OWN = 0.95;

/**
 * Parts of a gradient are worth more than the whole, since a loss curves: cut in n, `1 + CURVATURE · (1 − 1/n)` times
 * as much together. This is a quadratic loss whose curvature couples all parts alike; halves give what the bench
 * measures.
 */
export const CURVATURE = 0.5;

/** Loss on the random pages before any update; only differences matter. */
export const RANDOM_BEFORE = 8_000_000;

/** A slot in a simulation. */
export interface SimulatedMiner {
  /** The slot. */
  readonly uid: number;
  /** Who is paid for it: one owner may hold several slots. */
  readonly owner: number;
  /** Mean score in 1e-6 nats; 0 is junk. */
  readonly skill: number;
  /** Its first window. */
  readonly from: number;
  /** Whether it trained on the pages that its uid was assigned. */
  readonly ownPages: boolean;
}

/** What is drawn of chance; each kind is independent of the others. */
const KINDS = { pages: 1, score: 2, own: 3, matches: 4 } as const;

/** Randomness that depends on nothing but its names: who is added to a world changes nobody else's luck. */
export class Chance {
  readonly #seed: number;

  /** A world's chance, from a u32. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** The stream that deals the matches of `window`, in place of the judge's beacon. */
  matches(window: number): Draw {
    let counter = 0;
    return (bound) => Math.floor(this.uniform("matches", window, counter++)[0] * bound);
  }

  /** Two independent numbers in (0, 1). */
  uniform(kind: keyof typeof KINDS, window: number, which = 0): [number, number] {
    const state = [window, which, KINDS[kind]].reduce(scramble, this.#seed);
    const [u, v] = [scramble(state, 1), scramble(state, 2)];
    return [(u + 0.5) / 2 ** 32, (v + 0.5) / 2 ** 32];
  }
}

/** A u32 that depends on every bit of two others: MurmurHash3's rounds and finalizer (Appleby 2011), far cheaper than SHA-256. */
function scramble(state: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  let h = state ^ k;
  h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Two standard normal numbers from two uniform ones (Box and Muller 1958). */
function normal(u: number, v: number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(u));
  return [radius * Math.cos(2 * Math.PI * v), radius * Math.sin(2 * Math.PI * v)];
}

/** What the judge measures of everybody who is there in `window`, ascending by uid. */
export function measureAll(
  miners: readonly SimulatedMiner[],
  window: number,
  chance: Chance,
): ReportEntry[] {
  const [pages] = normal(...chance.uniform("pages", window));
  return miners.filter(({ from }) => from <= window).map((miner) => {
    const [spread, luck] = normal(...chance.uniform("score", window, miner.uid));
    const [own] = chance.uniform("own", window, miner.uid);
    const score = Math.round(miner.skill * (1 + PAGES * pages + SPREAD * spread) + LUCK * luck);
    const ownGainsMore = own < (miner.ownPages ? OWN : 0.5);
    return {
      uid: miner.uid,
      verdict: VERDICT.ok,
      ownBefore: RANDOM_BEFORE,
      ownAfter: RANDOM_BEFORE - score + (ownGainsMore ? -1 : 1),
      randomAfter: RANDOM_BEFORE - score,
    };
  });
}

/** `count` honest miners with uids and owners from 0 on. */
export function honest(
  count: number,
  change: (i: number) => Partial<SimulatedMiner> = () => ({}),
): SimulatedMiner[] {
  return Array.from(
    { length: count },
    (_, i) => ({ uid: i, owner: i, skill: SKILL, from: 0, ownPages: true, ...change(i) }),
  );
}

/** Slots besides `miners`, all of `owner`. */
export function more(
  miners: readonly SimulatedMiner[],
  count: number,
  slot: Omit<SimulatedMiner, "uid" | "from">,
): SimulatedMiner[] {
  const added = Array.from(
    { length: count },
    (_, i) => ({ ...slot, uid: miners.length + i, from: 0 }),
  );
  return [...miners, ...added];
}
