import assert from "node:assert/strict";
import { DEFAULT_HPARAMS, type HparamName } from "../../enclave/protocol/hparams.ts";
import type { ReportEntry } from "../../enclave/protocol/report.ts";
import {
  AVERAGE_ZERO,
  effectiveAverage,
  nextAverage,
  scoreOf,
  settleEntry,
} from "../../enclave/protocol/settle.ts";
import { SETTLED, VERDICT } from "../../enclave/protocol/verdict.ts";
import { earns, emissionAt, payWeight, split } from "../../host/ledger/pay.ts";
import { read } from "./sources.ts";

const GUIDE = "host/docs/INCENTIVES.md";
const VRAM = 1_000_000_000n;

type Row = Readonly<Record<string, string>>;

/** The rows of every table whose header has these columns. */
function rowsOf(...columns: string[]): Row[] {
  const tables = read(GUIDE).split(/\n\n/).filter((part) => part.startsWith("|"));
  const rows = tables.flatMap((table) => {
    const [head, , ...body] = table.split("\n").filter((line) => line.startsWith("|"))
      .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
    if (columns.join() !== head!.join()) return [];
    return body.map((cells) => Object.fromEntries(cells.map((cell, i) => [head![i]!, cell])));
  });
  assert.ok(rows.length > 1, `no table has ${columns.join(", ")}`);
  return rows;
}

/** A decimal number in 1e-6. */
const micro = (text: string) => Math.round(Number(text) * 1e6);
/** A value in 1e-6 as text. */
const decimal = (value: number) => (value / 1e6).toFixed(6);

const entry = (uid: number, more: Partial<ReportEntry> = {}): ReportEntry => ({
  uid,
  verdict: VERDICT.ok,
  ownBefore: 10,
  ownAfter: 10,
  randomAfter: 10,
  ...more,
});

Deno.test("INCENTIVES: scores and verdicts are what the ledger settles", () => {
  for (const row of rowsOf("random before", "random after", "score", "verdict")) {
    const [before, after] = [micro(row["random before"]!), micro(row["random after"]!)];
    assert.equal(decimal(scoreOf(before, after)), row.score);
    const value = entry(0, { ownBefore: before, ownAfter: after, randomAfter: after });
    const { verdict } = settleEntry([{ value, stake: 1n }], before);
    assert.equal(verdict, SETTLED[row.verdict as keyof typeof SETTLED], row.score);
  }
});

Deno.test("INCENTIVES: weights are those of ordinal-v1", () => {
  for (const row of rowsOf("μ", "σ", "average", "score", "accepted windows", "weight")) {
    const weight = payWeight({
      mu: micro(row.μ!),
      sigma: micro(row.σ!),
      average: micro(row.average!),
      score: micro(row.score!),
      accepted: Number(row["accepted windows"]),
    });
    const shown = weight === 0n ? "0" : (Number(weight) / 1e24).toFixed(6);
    assert.equal(shown, row.weight, JSON.stringify(row));
  }
});

Deno.test("INCENTIVES: averages move as the ledger moves them", () => {
  const tables = rowsOf("measured windows", "average", "counts as");
  const second = tables.findLastIndex((row) => row["measured windows"] === "1");
  const signs = [() => 1, (window: number) => window % 2 === 1 ? 1 : -1];
  for (const [i, rows] of [tables.slice(0, second), tables.slice(second)].entries()) {
    let average = AVERAGE_ZERO;
    for (let window = 1; window <= 60; window++) {
      const gain = signs[i]!(window);
      // Random pages gain 10, the miner's own 10 more or less.
      const row = { ownBefore: 100, ownAfter: 90 - 5 * gain, randomAfter: 90 };
      average = nextAverage(average, 100, row);
      const said = rows.find((row) => row["measured windows"] === String(window));
      if (said === undefined) continue;
      assert.equal(decimal(average - AVERAGE_ZERO), said.average, `window ${window}`);
      assert.equal(decimal(effectiveAverage(average, window)), said["counts as"]);
    }
  }
});

Deno.test("INCENTIVES: the pot is split as the ledger splits it", () => {
  for (const row of rowsOf("weights", "of a pot of", "paid")) {
    const weights = row.weights!.split(", ").map((text) => BigInt(micro(text)));
    const paid = split(BigInt(row["of a pot of"]!) * VRAM, weights)
      .map((amount) => (Number(amount) / 1e9).toFixed(9));
    assert.equal(paid.join(", "), row.paid);
  }
});

Deno.test("INCENTIVES: a window issues what is left of the schedule", () => {
  for (const row of rowsOf("issued before", "a window issues")) {
    const issued = emissionAt(BigInt(row["issued before"]!) * VRAM, DEFAULT_HPARAMS.emission);
    assert.equal(Number(issued) / 1e9, Number(row["a window issues"]));
  }
});

Deno.test("INCENTIVES: who earns as a validator is who the ledger pays", () => {
  for (const row of rowsOf("entries", "abstained", "deviated", "earns")) {
    const [count, abstained, deviated] = [row.entries, row.abstained, row.deviated].map(Number);
    const entries = Array.from({ length: count! }, (_, uid) => {
      if (uid < abstained!) return entry(uid, { verdict: VERDICT.unavailable });
      return uid < abstained! + deviated! ? entry(uid, { ownAfter: 16 }) : entry(uid);
    });
    const rows = entries.map(({ uid }) => ({
      ...entry(uid),
      verdict: SETTLED.accepted,
      priorMu: 0,
      priorSigma: 0,
    }));
    const does = earns({ randomBefore: 10, entries }, { randomBefore: 10, rows });
    assert.equal(does ? "yes" : "no", row.earns, JSON.stringify(row));
  }
});

Deno.test("INCENTIVES: what it costs is what hparams start with", () => {
  for (const row of rowsOf("hparam", "default", "in")) {
    const name = row.hparam!.replaceAll("`", "") as HparamName;
    const unit = /SUI|VRAM/.test(row.in!) ? 1e9 : 1;
    assert.equal(DEFAULT_HPARAMS[name] / unit, Number(row.default), name);
  }
});
