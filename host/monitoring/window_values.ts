/**
 * A window that ended, as the few numbers that a dashboard of a run takes.
 *
 * @module
 */
import { SETTLED } from "../../enclave/protocol/verdict.ts";
import type { WindowView } from "../ledger/ledger.ts";

const NATS = 1e6;
const VRAM = 1e9;

/** Losses in nats and VRAM in whole tokens; of the slots of `miner` and `validators` what is their own. */
export function windowValues(
  { payout, reveals, settled, status }: WindowView,
  miner: number | null,
  validators: readonly number[],
): Record<string, number> {
  const values: Record<string, number> = {
    "window/closed": Number(status === "closed"),
    "window/reveals": reveals.length,
  };
  const nats = (name: string, metric: number | null | undefined) => {
    if (metric !== null && metric !== undefined) values[name] = metric / NATS;
  };
  if (settled !== null) {
    const accepted = settled.rows.filter(({ verdict }) => verdict === SETTLED.accepted);
    values["window/accepted"] = accepted.length;
    nats("window/base_loss", settled.randomBefore);
  }
  if (payout !== null) {
    values["window/issued_vram"] = Number(payout.issued) / VRAM;
    values["window/base_moved"] = Number(payout.mergedHash !== null);
    nats("window/merged_loss", payout.mergedLoss);
  }
  const own = payout?.miners.find(({ uid }) => uid === miner);
  if (miner !== null) {
    values["miner/revealed"] = Number(reveals.some(({ uid }) => uid === miner));
    const row = settled?.rows.find(({ uid }) => uid === miner);
    values["miner/accepted"] = Number(row?.verdict === SETTLED.accepted);
    if (own !== undefined) {
      values["miner/reward_vram"] = Number(own.reward) / VRAM;
      nats("miner/rating", own.mu);
    }
  }
  for (const row of payout?.validators.filter(({ uid }) => validators.includes(uid)) ?? []) {
    values[`validator/${row.uid}/counted`] = Number(row.counted);
    values[`validator/${row.uid}/reward_vram`] = Number(row.reward) / VRAM;
  }
  return values;
}
