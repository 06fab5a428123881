/**
 * `scores`: who is how good, and what it earned.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import { scoreOf } from "../../../enclave/protocol/settle.ts";
import { hasMetrics, verdictName } from "../../../enclave/protocol/verdict.ts";
import { ConfigError } from "../../config/mod.ts";
import type { Ledger, MinerRow, WindowView } from "../../ledger/ledger.ts";
import { ordinal } from "../../ledger/pay.ts";
import { percent, rating, short, signed, vram } from "../present/format.ts";
import { type Column, table } from "../present/table.ts";
import { defineCommand, type Entry } from "./command.ts";
import { windowOr } from "./window_state.ts";

/** Owners whose claimable rewards are looked up for a whole table: each is a call. */
const MAX_BALANCES = 32;

/** A miner's row. */
interface Row {
  readonly uid: number;
  readonly owner: string;
  readonly mu: number;
  readonly sigma: number;
  readonly ordinal: number;
  readonly verdict: string | null;
  readonly score: number | null;
  readonly weight: bigint;
  readonly earned: bigint;
  readonly claimable: bigint | null;
}

/** The command. */
export const scores: Entry = defineCommand(
  "scores",
  message`Show ratings, and of a closed window each miner's verdict, weight and pay.`,
  ["what miner 3 earned in window 120", "scores --uid 3 --window 120"],
  object({
    uid: optional(option("--uid", integer({ metavar: "UID", min: 0, max: 65_535 }), {
      description: message`One miner alone.`,
    })),
    window: optional(option("--window", integer({ metavar: "N", min: 0 }), {
      description: message`A window that is over; the last closed one without it.`,
    })),
  }),
  async (context, args) => {
    using opened = await context.open();
    const { ledger } = opened;
    const [miners, view] = await Promise.all([ledger.miners(), windowOf(ledger, args.window)]);
    const chosen = miners.filter(({ uid }) => args.uid === undefined || uid === args.uid);
    if (args.uid !== undefined && chosen.length === 0) {
      throw new ConfigError("missing", `Cannot show miner ${args.uid}: nobody holds this slot now`);
    }
    const claimable = await claimables(ledger, chosen);
    const rows = chosen.map((miner) => rowOf(miner, view, claimable.get(miner.owner) ?? null));
    const total = view?.payout?.miners.reduce((sum, { weight }) => sum + weight, 0n) ?? 0n;
    return {
      json: {
        window: view?.window ?? null,
        status: view?.status ?? null,
        issued: view?.payout?.issued ?? null,
        rows: rows.map((row) => ({ ...row, share: shareOf(row.weight, total) })),
      },
      text: (paint, width) => [
        view === undefined
          ? "no window is closed yet"
          : `window ${view.window}, ${view.status}${
            view.payout === null ? "" : `, ${vram(String(view.payout.issued))} VRAM issued`
          }`,
        ...table(columns(total), rows, width, paint),
      ],
    };
  },
);

/** The window that is asked for, or the last closed one. */
async function windowOf(
  ledger: Ledger,
  asked: number | undefined,
): Promise<WindowView | undefined> {
  if (asked !== undefined) return await ledger.window(asked);
  const current = await ledger.currentWindow();
  // The last one may still be judged; the one before it is over, unless nobody closed it.
  const views = await Promise.all([1, 2, 3].map((back) => windowOr(ledger, current - back)));
  return views.find((view) => view?.status === "closed");
}

async function claimables(ledger: Ledger, miners: readonly MinerRow[]) {
  const owners = [...new Set(miners.map(({ owner }) => owner))].slice(0, MAX_BALANCES);
  const held = await Promise.all(owners.map((owner) => ledger.balance(owner)));
  return new Map(owners.map((owner, i) => [owner, held[i]!.claimable]));
}

function rowOf(miner: MinerRow, view: WindowView | undefined, claimable: bigint | null): Row {
  const settled = view?.settled?.rows.find(({ uid }) => uid === miner.uid);
  const reveal = view?.reveals.find(({ uid }) => uid === miner.uid);
  // A slot that changed hands since: its former owner's window.
  const same = reveal === undefined || reveal.generation === miner.generation;
  const paid = same ? view?.payout?.miners.find(({ uid }) => uid === miner.uid) : undefined;
  const measured = same && settled !== undefined && hasMetrics(settled.verdict);
  const { mu, owner, sigma, uid } = miner;
  return {
    uid,
    owner,
    mu: mu / 1e6,
    sigma: sigma / 1e6,
    ordinal: ordinal(mu, sigma) / 1e6,
    verdict: !same || settled === undefined ? null : verdictName(settled.verdict) ?? null,
    score: measured ? scoreOf(view!.settled!.randomBefore, settled.randomAfter) / 1e6 : null,
    weight: paid?.weight ?? 0n,
    earned: paid?.reward ?? 0n,
    claimable,
  };
}

/** `part / whole` with 6 decimals; weights pass 2^53. */
function shareOf(part: bigint, whole: bigint): number {
  return whole === 0n ? 0 : Number(part * 1_000_000n / whole) / 1e6;
}

function columns(total: bigint): Column<Row>[] {
  return [
    { name: "uid", rank: 0, align: "right", text: ({ uid }) => String(uid) },
    { name: "skill", unit: "μ ± σ", rank: 3, align: "right", text: (r) => rating(r.mu, r.sigma) },
    {
      name: "rating",
      unit: "μ − 3σ",
      rank: 0,
      align: "right",
      text: ({ ordinal }) => ordinal.toFixed(2).replace(/^-(0\.00)$/, "$1"),
    },
    { name: "verdict", rank: 4, align: "left", text: ({ verdict }) => verdict ?? "–" },
    { name: "score", unit: "nats", rank: 2, align: "right", text: ({ score }) => signed(score) },
    {
      name: "weight",
      unit: "share",
      rank: 0,
      align: "right",
      text: ({ weight }) => percent(shareOf(weight, total), 1),
    },
    {
      name: "earned",
      unit: "VRAM",
      rank: 0,
      align: "right",
      text: ({ earned }) => vram(String(earned)),
    },
    {
      name: "claimable",
      unit: "VRAM",
      rank: 1,
      align: "right",
      text: ({ claimable }) => claimable === null ? "–" : vram(String(claimable)),
    },
    { name: "owner", rank: 5, align: "left", text: ({ owner }) => short(owner) },
  ];
}
