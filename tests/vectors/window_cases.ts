/**
 * Vectors of the rules of a window: its times, its hparams, the ledger's refusals.
 *
 * @module
 */
import { toHex } from "../../enclave/protocol/bytes.ts";
import { LEDGER_ERRORS } from "../../enclave/protocol/errors.ts";
import {
  DEFAULT_HPARAMS,
  encodeHparams,
  HPARAM_FIELDS,
  type Hparams,
  hparamsDigest,
} from "../../enclave/protocol/hparams.ts";
import { SETTLED, VERDICT } from "../../enclave/protocol/verdict.ts";
import { deadlines, type Epoch, windowAt } from "../../enclave/protocol/window.ts";
import { plain, u64 } from "./inputs.ts";

const DAY_ONE: Epoch = { firstWindow: 0, startMs: 0, windowMs: 600_000 };
const CALENDARS: Record<string, { epochs: Epoch[]; times: number[]; windows: number[] }> = {
  "the defaults: floor(now / 600000)": {
    epochs: [DAY_ONE],
    times: [0, 599_999, 600_000, 1_774_380_000_000, 1_774_380_599_999],
    windows: [0, 1, 2_957_300],
  },
  "windows of 60 s from window 5, of an hour from window 20": {
    epochs: [
      DAY_ONE,
      { firstWindow: 5, startMs: 3_000_000, windowMs: 60_000 },
      { firstWindow: 20, startMs: 3_900_000, windowMs: 3_600_000 },
    ],
    times: [2_999_999, 3_000_000, 3_059_999, 3_060_000, 3_899_999, 3_900_000, 7_500_000],
    windows: [3, 4, 5, 18, 19, 20],
  },
  "windows of 333 ms: deadlines are floored": {
    epochs: [{ firstWindow: 100, startMs: 1_000, windowMs: 333 }],
    times: [1_000, 1_332, 1_333],
    windows: [100, 101],
  },
};

/** `windows.json`. */
export function windows(): unknown {
  const { commit_bps, reveal_bps, report_bps, outcome_bps } = DEFAULT_HPARAMS;
  return {
    about:
      "Times of windows, in milliseconds. An epoch holds from its start; deadlines are exclusive, floor(length · bps / 10000) after the start of N (commit, reveal) or of N+1 (report, outcome).",
    bps: { commit_bps, reveal_bps, report_bps, outcome_bps },
    calendars: Object.entries(CALENDARS).map(([name, { epochs, times, windows }]) => ({
      name,
      epochs: epochs.map((epoch) => plain(epoch, "firstWindow", "startMs", "windowMs")),
      at: times.map((now) => ({ now_ms: u64(now), window: u64(windowAt(epochs, now)) })),
      deadlines: windows.map((window) => {
        const at = deadlines(epochs, window, DEFAULT_HPARAMS);
        return { window: u64(window), ...plain(at, ...Object.keys(at)) };
      }),
    })),
  };
}

/** What no ledger may take, and the field that is at fault. */
const REFUSED: readonly (readonly [change: Partial<Hparams>, periodMs: number, field: string])[] = [
  [{ window_ms: 199 }, 0, "window_ms"],
  [{ commit_bps: 9_500 }, 0, "commit_bps"],
  [{ report_bps: 9_000 }, 0, "report_bps"],
  [{ treasury_bps: 1 }, 0, "miner_bps"],
  [{ randomness_kind: 2 }, 0, "randomness_kind"],
  [{ workload: 2 }, 0, "workload"],
  [{ beta: 0 }, 0, "beta"],
  [{ max_gradient_bytes: 268_435_457 }, 0, "max_gradient_bytes"],
  [{ max_validators: 33 }, 0, "max_validators"],
  [{ unbonding_ms: 31_536_000_001 }, 0, "unbonding_ms"],
  [{ min_judge_ms: 357_001 }, 3_000, "window_ms"],
];

/** `hparams.json`. */
export function hparams(): unknown {
  const short = { ...DEFAULT_HPARAMS, window_ms: 20_000, beacon_margin_ms: 200 };
  const drawn = { ...short, min_judge_ms: 2_000, randomness_kind: 1 };
  return {
    about:
      'BCS of the fields in this order; digest = SHA-256("vramhub/hparams/v1" ‖ BCS). A change that is refused is one to the default, with a beacon of that period.',
    fields: HPARAM_FIELDS.map(([name, width, value, min, max]) => ({
      name,
      width,
      default: u64(value),
      min: u64(min),
      max: u64(max),
    })),
    encoded: [
      ["default", DEFAULT_HPARAMS] as const,
      ["20 s windows, randomness of the ledger", drawn] as const,
    ].map(
      ([name, values]) => ({
        name,
        values: plain(values, ...Object.keys(values)),
        bcs: toHex(encodeHparams(values)),
        digest: toHex(hparamsDigest(values)),
      }),
    ),
    accepted: [{ change: { min_judge_ms: "357000" }, beacon_period_ms: "3000" }],
    refused: REFUSED.map(([change, periodMs, field]) => ({
      change: plain(change, ...Object.keys(change)),
      beacon_period_ms: u64(periodMs),
      field,
    })),
  };
}

/** `errors.json`. */
export function errors(): unknown {
  return {
    about:
      "The ledger's refusals: Move module, constant, u8 of #[error(code = n)]. Beside them the codes of verdicts and of what is settled.",
    errors: LEDGER_ERRORS,
    verdicts: VERDICT,
    settled: SETTLED,
  };
}
