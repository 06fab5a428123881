/**
 * A simulation's lines for people.
 *
 * @module
 */
import { percent } from "../present/format.ts";
import type { Paint } from "../present/style.ts";
import { type Column, table } from "../present/table.ts";
import type { Line } from "./scenarios.ts";
import { CURVATURE, LUCK, OWN, PAGES, SKILL, SPREAD } from "./world.ts";

const COLUMNS: readonly Column<Line>[] = [
  { name: "scenario", rank: 0, align: "left", text: (line) => line.scenario },
  { name: "slots", rank: 0, align: "right", text: (line) => String(line.miners) },
  { name: "windows", rank: 0, align: "right", text: (line) => String(line.windows) },
  {
    name: "honest unpaid",
    rank: 0,
    align: "right",
    text: (line) => percent(line.unpaid, 1),
    style: (line) => line.unpaid > 0 ? "bad" : undefined,
  },
  {
    name: "lowest",
    unit: "share/ideal",
    rank: 0,
    align: "right",
    text: (line) => line.lowest.toFixed(2),
  },
  {
    name: "highest",
    unit: "share/ideal",
    rank: 0,
    align: "right",
    text: (line) => line.highest.toFixed(2),
  },
  {
    name: "and",
    rank: 1,
    align: "left",
    text: ({ figure }) => figure === undefined ? "" : `${figure.name}: ${figure.value.toFixed(4)}`,
  },
];

/** The table with what it rests on. */
export function show(lines: readonly Line[], width: number, paint: Paint): string {
  const share = (value: number) => percent(value, 1);
  const model = [
    `A score is skill (${SKILL} · 1e-6 nats) ± ${share(PAGES)} with the window's pages, ` +
    `± ${share(SPREAD)} of its own, ± ${LUCK} · 1e-6 of luck;`,
    `own pages gain more than random ones in ${share(OWN)} of the windows of who trained on them.`,
    `A gradient cut in two is worth ${share(1 + CURVATURE / 2)} of the whole, in four ${
      share(1 + CURVATURE * 3 / 4)
    }.`,
    "The ideal share is proportional to skill, from a miner's first window on; an owner's slots count together.",
  ];
  return [...table(COLUMNS, lines, width, paint), "", ...model].join("\n");
}
