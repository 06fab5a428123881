/**
 * Hyperparameters: integers only, in declared order, so that their BCS digest is the same in Move and here.
 * They are stored with the window that they rule, take effect at the next window, and are kept for three.
 *
 * @module
 */
import { BcsReader, BcsWriter } from "./bcs.ts";
import type { Bytes } from "./bytes.ts";
import { tagged } from "./hash.ts";
import { Refusal } from "./refusal.ts";

/** Name, width, default, minimum and maximum of each field. The order is the encoding. */
export const HPARAM_FIELDS = [
  ["window_ms", "u64", 600_000, 200, 604_800_000], // length of a window
  ["commit_bps", "u16", 8_000, 1, 9_999], // in N: commits end (exclusive)
  ["reveal_bps", "u16", 9_500, 1, 10_000], // in N: reveals end
  ["report_bps", "u16", 6_000, 1, 9_999], // in N+1: reports for N end
  ["outcome_bps", "u16", 9_000, 1, 10_000], // in N+1: outcomes for N end
  ["beacon_margin_ms", "u64", 30_000, 0, 3_600_000], // reveal deadline to the judge's beacon
  ["min_judge_ms", "u64", 60_000, 0, 86_400_000], // what a judge needs at the least
  ["randomness_kind", "u8", 0, 0, 1], // 0 drand, 1 drawn by the ledger
  ["workload", "u8", 1, 1, 1], // 1 loss-delta
  ["version", "u8", 1, 1, 1], // of the workload's rules
  ["beta", "u64", 1_000_000_000, 1, 100_000_000_000], // outer step in 1e-9
  ["max_update_norm", "u64", 20_000_000, 1, 1_000_000_000_000], // L2, in 1e-6
  ["topk_bps", "u16", 100, 1, 10_000], // share of entries that a miner keeps; advice
  ["own_pages", "u16", 4, 1, 64], // assigned and measured pages of a miner
  ["random_pages", "u16", 8, 1, 64], // pages drawn for everybody
  ["heldout_pages", "u16", 16, 1, 256], // pages that measure a base
  ["max_judged", "u16", 256, 1, 256], // gradients a window measures at most
  ["top_g", "u16", 15, 1, 256], // gradients merged
  ["overlap_bps", "u16", 9_000, 1, 10_001], // shared indices above which correlated values are a copy
  ["correlation_bps", "u16", 9_500, 1, 10_000], // cosine of the shared values
  ["max_gradient_bytes", "u32", 52_428_800, 64, 268_435_456], // the seeds' cap
  ["retention_windows", "u32", 144, 3, 100_000], // gradients are served this long
  ["checkpoint_frequency", "u32", 100, 1, 100_000], // windows between uploads of a whole file
  ["min_miner_stake", "u64", 1_000_000_000, 0, Number.MAX_SAFE_INTEGER], // MIST
  ["min_validator_stake", "u64", 10_000_000_000, 1, Number.MAX_SAFE_INTEGER], // MIST
  ["unrevealed_fee", "u64", 10_000_000, 0, Number.MAX_SAFE_INTEGER], // MIST, for a commit never revealed
  ["eviction_fee", "u64", 100_000_000, 0, Number.MAX_SAFE_INTEGER], // MIST, doubles with each eviction of a window
  ["max_miners", "u16", 256, 1, 256],
  ["max_validators", "u16", 32, 1, 32],
  ["immunity_windows", "u32", 12, 0, 100_000], // a newcomer cannot be evicted this long
  ["inactive_windows", "u32", 144, 1, 1_000_000], // a slot without an accepted gradient is freed
  ["emission", "u64", 70_000_000_000, 0, 1_000_000_000_000_000], // VRAM (1e-9) a window before halving
  ["miner_bps", "u16", 10_000, 0, 10_000],
  ["validator_bps", "u16", 0, 0, 10_000],
  ["treasury_bps", "u16", 0, 0, 10_000],
  ["slash_bps", "u16", 10_000, 0, 10_000], // of the stake, for two different signed messages
  ["unbonding_ms", "u64", 604_800_000, 0, 31_536_000_000], // seven days; a year at the most
  ["document_age_ms", "u64", 600_000, 1_000, 86_400_000], // oldest attestation document a registration takes
  ["key_ttl_ms", "u64", 2_592_000_000, 1_000, 315_360_000_000], // an enclave key expires
] as const;

/** A hyperparameter's name. */
export type HparamName = typeof HPARAM_FIELDS[number][0];
/** Every hyperparameter, an integer each. */
export type Hparams = { readonly [K in HparamName]: number };

/** The defaults, which are the seeds' where the seeds have one. */
export const DEFAULT_HPARAMS: Hparams = Object.fromEntries(
  HPARAM_FIELDS.map(([name, , value]) => [name, value]),
) as Hparams;

/** BCS of the fields in declared order. */
export function encodeHparams(hparams: Hparams): Bytes {
  const writer = new BcsWriter();
  for (const [name, width] of HPARAM_FIELDS) writer[width](hparams[name]);
  return writer.finish();
}

/** The inverse of {@link encodeHparams}; values are checked by {@link checkHparams}. */
export function decodeHparams(bytes: Uint8Array): Hparams {
  const reader = new BcsReader(bytes);
  const entries = HPARAM_FIELDS.map(([name, width]) =>
    [name, width === "u64" ? reader.count() : reader[width]()] as const
  );
  reader.finish();
  const hparams = Object.fromEntries(entries) as Hparams;
  checkHparams(hparams);
  return hparams;
}

/** `SHA-256("vramhub/hparams/v1" ‖ BCS)`. */
export function hparamsDigest(hparams: Hparams): Bytes {
  return tagged("vramhub/hparams/v1", encodeHparams(hparams));
}

/**
 * Refuse hparams that no window could live by: bounds of each field, order of the deadlines, and enough
 * time between the reveal deadline of N and the report deadline in N+1 for the beacon and the judge:
 * `(window_ms − reveal) + report ≥ margin + one beacon period + min_judge_ms`.
 *
 * @throws {Refusal} `bad_hparam`, with the field.
 */
export function checkHparams(hparams: Hparams, beaconPeriodMs = 0): void {
  for (const [name, , , min, max] of HPARAM_FIELDS) {
    const value = hparams[name];
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new Refusal("bad_hparam", `${name} is ${value}, it must lie in ${min}..${max}`, name);
    }
  }
  const h = hparams;
  if (h.commit_bps >= h.reveal_bps) {
    throw new Refusal("bad_hparam", "commit_bps must be below reveal_bps", "commit_bps");
  }
  if (h.report_bps >= h.outcome_bps) {
    throw new Refusal("bad_hparam", "report_bps must be below outcome_bps", "report_bps");
  }
  if (h.miner_bps + h.validator_bps + h.treasury_bps !== 10_000) {
    throw new Refusal("bad_hparam", "The emission shares must sum to 10000 bps", "miner_bps");
  }
  const judging = h.window_ms - share(h.window_ms, h.reveal_bps) + share(h.window_ms, h.report_bps);
  const needed = h.beacon_margin_ms + beaconPeriodMs + h.min_judge_ms;
  if (judging < needed) {
    throw new Refusal(
      "bad_hparam",
      `${judging} ms from the reveal to the report deadline are too few: beacon and judge need ${needed} ms`,
      "window_ms",
    );
  }
}

/** `floor(value · bps / 10000)`, exact. */
export function share(value: number, bps: number): number {
  return Number(BigInt(value) * BigInt(bps) / 10_000n);
}
