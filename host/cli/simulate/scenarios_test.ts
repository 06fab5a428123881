import assert from "node:assert/strict";
import { DEFAULT_HPARAMS } from "../../../enclave/protocol/hparams.ts";
import {
  differentSkill,
  equalSkill,
  junkSybils,
  newcomers,
  play,
  ratios,
  scenarios,
  splitter,
} from "./scenarios.ts";
import { honest, more } from "./world.ts";

const HOW = { windows: 50, seed: 1, runs: 2 };

Deno.test("equalSkill: of 50 honest miners over 50 windows none goes unpaid", () => {
  const { unpaid, lowest, highest } = equalSkill(50, HOW);
  assert.equal(unpaid, 0);
  assert.ok(lowest > 0.3 && highest < 2.5, `${lowest} to ${highest}`);
});

Deno.test("equalSkill: 250 honest miners are all paid, too", () => {
  assert.equal(equalSkill(250, { ...HOW, runs: 1 }).unpaid, 0);
});

Deno.test("differentSkill: the best earn more than in proportion, the worst are paid", () => {
  const { unpaid, figure } = differentSkill(50, HOW);
  assert.equal(unpaid, 0);
  assert.ok(figure!.value > 3, `${figure!.value}`);
});

Deno.test("newcomers: are paid from their second accepted window on", () => {
  const { unpaid, figure } = newcomers(10, HOW);
  assert.equal(unpaid, 0);
  assert.ok(figure!.value >= 2 && figure!.value < 4, `${figure!.value}`);
});

Deno.test("junkSybils: a hundred slots of junk gain their owner less than a hundredth", () => {
  const { figure } = junkSybils(50, 100, HOW);
  assert.ok(figure!.value < 0.01, `${figure!.value}`);
});

Deno.test("junkSybils: who owns nothing but junk earns less than a thousandth of its slots' share", () => {
  const miners = more(honest(50), 100, { owner: 50, skill: 0, ownPages: false });
  const { junk, total } = play(miners, 50, 1);
  assert.ok(junk / total < 0.001 * 100 / 150, `${junk / total}`);
});

Deno.test("splitter: of 50 miners one that splits what it trained for one uid earns less than half", () => {
  for (const parts of [2, 4]) {
    const { figure } = splitter(50, parts, false, HOW);
    assert.ok(figure!.value < 0.5, `${parts}: ${figure!.value}`);
  }
});

Deno.test("splitter: of 50 miners one that trains for all its uids still loses by splitting", () => {
  for (const windows of [50, 200]) {
    for (const parts of [2, 4]) {
      const { figure } = splitter(50, parts, true, { ...HOW, windows });
      assert.ok(figure!.value < 0.9, `${parts} parts, ${windows} windows: ${figure!.value}`);
    }
  }
});

Deno.test("play: the same seed gives the same payments, another one others", () => {
  const miners = honest(9);
  assert.deepEqual(play(miners, 10, 3), play(miners, 10, 3));
  assert.notDeepEqual(play(miners, 10, 3).paid, play(miners, 10, 4).paid);
});

Deno.test("play: pays out no more than the emission, and nothing in the first window", () => {
  assert.equal(play(honest(5), 1, 1).total, 0);
  const { paid, total } = play(honest(5), 20, 1);
  const sum = [...paid.values()].reduce((all, amount) => all + amount, 0);
  assert.equal(sum, total);
  assert.ok(total <= 19 * DEFAULT_HPARAMS.emission);
});

Deno.test("ratios: proportional pay is 1 for everybody", () => {
  const miners = honest(4, (i) => ({ skill: 100 * (1 + i) }));
  const paid = new Map([[0, 1], [1, 2], [2, 3], [3, 4]]);
  const run = { paid, junk: 0, firstPaid: new Map<number, number>(), total: 10 };
  for (const ratio of ratios(miners, 7, run).values()) {
    assert.ok(Math.abs(ratio - 1) < 1e-12);
  }
});

Deno.test("scenarios: no world has more slots than a network", () => {
  for (const { miners, scenario } of scenarios([2, 250], [2], 1, 1)) {
    assert.ok(miners <= 256, `${scenario}: ${miners}`);
  }
});
