/**
 * From what the ledger holds of a window to what is shown of it.
 *
 * @module
 */
import { toHex } from "../../../enclave/protocol/bytes.ts";
import type { Metric } from "../../../enclave/protocol/report.ts";
import { scoreOf } from "../../../enclave/protocol/settle.ts";
import { hasMetrics, type SettledName, verdictName } from "../../../enclave/protocol/verdict.ts";
import type { Ledger, MinerRow, Payout, WindowView } from "../../ledger/ledger.ts";
import type { RunEvent, SettledRow } from "../present/mod.ts";

const nats = (metric: Metric) => metric === null ? null : metric / 1e6;

/** The event that shows `view`: a settled window with every active miner, or a skipped one. Roles and liars by uid. */
export async function windowEvent(
  view: WindowView,
  ledger: Ledger,
  roles: ReadonlyMap<number, string>,
  liars: ReadonlyMap<number, string>,
): Promise<RunEvent> {
  const { window, payout, settled } = view;
  if (payout === null || settled === null) {
    const reason = view.skipReason ?? "no gradient was revealed";
    return { event: "skipped", window, reason };
  }
  const miners = (await ledger.miners()).filter((miner) => miner.activeFrom <= window);
  return {
    event: "settled",
    window,
    rows: miners.map((miner) => rowOf(miner, view, payout, roles.get(miner.uid))),
    validators: payout.validators.map(({ uid, counted, reward }) => ({
      uid,
      ...(liars.has(uid) ? { role: liars.get(uid)! } : {}),
      counted,
      reason: counted
        ? null
        : view.reported.includes(uid)
        ? "it abstained or deviated too often"
        : "no valid report",
      reward: reward.toString(),
    })),
    issued: payout.issued.toString(),
    baseHash: toHex(payout.mergedHash ?? (await ledger.window(window + 1)).baseHash),
    baseMoved: payout.mergedHash !== null,
    currentLoss: nats(payout.currentLoss),
    mergedLoss: nats(payout.mergedLoss),
  };
}

function rowOf(
  miner: MinerRow,
  { settled }: WindowView,
  payout: Payout,
  role: string | undefined,
): SettledRow {
  const row = settled!.rows.find(({ uid }) => uid === miner.uid);
  const paid = payout.miners.find(({ uid }) => uid === miner.uid);
  const measured = row !== undefined && hasMetrics(row.verdict);
  return {
    uid: miner.uid,
    ...(role === undefined ? {} : { role }),
    verdict: row === undefined ? "no_reveal" : verdictName(row.verdict) as SettledName,
    ownBefore: nats(row?.ownBefore ?? null),
    ownAfter: nats(row?.ownAfter ?? null),
    randomBefore: measured ? nats(settled!.randomBefore) : null,
    randomAfter: nats(row?.randomAfter ?? null),
    score: measured ? scoreOf(settled!.randomBefore, row.randomAfter) / 1e6 : null,
    mu: (paid?.mu ?? miner.mu) / 1e6,
    sigma: (paid?.sigma ?? miner.sigma) / 1e6,
    weight: Number(paid?.weight ?? 0n),
    reward: (paid?.reward ?? 0n).toString(),
    owner: miner.owner,
  };
}
