/**
 * The blocks of text that plain and terminal output share: header, scoreboard, end.
 *
 * @module
 */
import type { DoneEvent, NetworkEvent, PaidRow, SettledEvent, SettledRow } from "./events.ts";
import {
  change,
  count,
  duration,
  loss,
  percent,
  printable,
  rating,
  short,
  signed,
} from "./format.ts";
import { vram } from "./format.ts";
import { type Paint, verdictStyle } from "./style.ts";
import { type Column, table } from "./table.ts";

/** What stands in every header of test mode: nothing here was measured by hardware. */
export const BADGE = "SIMULATED";

/** A header: the badge, what follows, and details dimmed. */
export function header(title: string, details: string, paint: Paint): string {
  const rest = details === "" ? "" : `  ${paint("dim", details)}`;
  return `${paint("badge", ` ${BADGE} `)} ${paint("bold", title)}${rest}`;
}

/** The lines that introduce a network. */
export function networkLines(event: NetworkEvent, paint: Paint): string[] {
  const facts: [string, string][] = [
    ["model", `${event.model}, ${count(event.params)} parameters`],
    ["window", duration(event.windowMs)],
    ["judge", `${event.judge}, attested under a local test root, not by hardware`],
    ["ledger", `${event.ledger} (one file; no chain, no signatures of senders)`],
    ...Object.entries(event.pcrs).map(([i, hex]): [string, string] => [`PCR${i}`, short(hex)]),
    ["data", printable(event.dataDir)],
  ];
  return [
    header("VRAM HUB test network", "", paint),
    ...facts.map(([name, value]) => `  ${paint("dim", name.padEnd(8))}${value}`),
  ];
}

/** A settled window as a table, with what it did to the base below. */
export function settledLines(event: SettledEvent, width: number, paint: Paint): string[] {
  const validators = event.validators.map(({ uid, role, counted, reason, reward }) => {
    const who = role === undefined ? `validator ${uid}` : `validator ${uid} (${printable(role)})`;
    const why = reason === null ? "" : `: ${printable(reason)}`;
    return `${who} ${counted ? "counted" : "not counted"}${why}, ${vram(reward)} VRAM`;
  });
  const loss = `loss ${change(event.currentLoss, event.mergedLoss)} nats`;
  const merged = event.mergedLoss === null
    ? `base ${short(event.baseHash)} unchanged: nothing was merged`
    : event.baseMoved
    ? `base ${short(event.baseHash)} after the merge: ${loss}`
    : `base ${short(event.baseHash)} unchanged: the merge was no better, ${loss}`;
  const unpaid = event.rows.some(({ verdict }) => verdict === "accepted") && event.issued === "0"
    ? ["  pay begins with a miner's second accepted window"]
    : [];
  return [
    header(`Window ${event.window} settled`, `${vram(event.issued)} VRAM issued`, paint),
    ...indent(table(columns(event.rows), event.rows, width - 2, paint)),
    `  ${merged}`,
    ...unpaid.map((line) => paint("dim", line)),
    ...validators.map((line) => paint("dim", `  ${line}`)),
  ];
}

/** The end of a run: what was learned, who was paid. */
export function doneLines(event: DoneEvent, width: number, paint: Paint): string[] {
  const drop = event.heldoutStart - event.heldoutEnd;
  const style = drop > 0 ? "good" : "bad";
  return [
    header(`${event.windows} ${event.windows === 1 ? "window" : "windows"} settled`, "", paint),
    `  Held-out loss ${change(event.heldoutStart, event.heldoutEnd)} nats, ${
      paint(style, drop > 0 ? `${loss(drop)} lower` : "not lower")
    }`,
    ...indent(table(PAID, event.paid, width - 2, paint)),
  ];
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function columns(rows: readonly SettledRow[]): Column<SettledRow>[] {
  const whole = rows.reduce((sum, { weight }) => sum + weight, 0);
  return [
    { name: "uid", rank: 0, align: "right", text: ({ uid }) => String(uid) },
    { name: "role", rank: 4, align: "left", text: ({ role }) => role ?? "" },
    {
      name: "verdict",
      rank: 0,
      align: "left",
      text: ({ verdict }) => verdict,
      style: ({ verdict }) => verdictStyle(verdict),
    },
    {
      name: "own pages",
      unit: "loss, nats",
      rank: 8,
      align: "left",
      text: ({ ownBefore, ownAfter }) => change(ownBefore, ownAfter),
    },
    {
      name: "random pages",
      unit: "loss, nats",
      rank: 6,
      align: "left",
      text: ({ randomBefore, randomAfter }) => change(randomBefore, randomAfter),
    },
    {
      name: "score",
      unit: "nats",
      rank: 0,
      align: "right",
      text: ({ score }) => signed(score),
      style: ({ score }) => score === null ? "dim" : score > 0 ? "good" : "bad",
    },
    {
      name: "skill",
      unit: "μ ± σ",
      rank: 7,
      align: "right",
      text: ({ mu, sigma }) => rating(mu, sigma),
    },
    {
      name: "weight",
      unit: "share",
      rank: 5,
      align: "right",
      text: ({ weight }) => percent(weight, whole),
    },
    {
      name: "reward",
      unit: "VRAM",
      rank: 0,
      align: "right",
      text: ({ reward }) => vram(reward),
      style: ({ reward }) => BigInt(reward) > 0n ? "good" : "dim",
    },
    { name: "owner", rank: 9, align: "left", text: ({ owner }) => short(printable(owner)) },
  ];
}

const PAID: readonly Column<PaidRow>[] = [
  { name: "uid", rank: 0, align: "right", text: ({ uid }) => String(uid) },
  { name: "role", rank: 0, align: "left", text: ({ role }) => role },
  {
    name: "paid",
    unit: "VRAM",
    rank: 0,
    align: "right",
    text: ({ total }) => vram(total),
    style: ({ total }) => BigInt(total) > 0n ? "good" : "dim",
  },
];
