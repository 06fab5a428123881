import assert from "node:assert/strict";
import { DEFAULT_HPARAMS } from "../../enclave/protocol/hparams.ts";
import { judgeMs, minersPerWindow } from "./capacity.ts";

Deno.test("judgeMs: half of what lies between reveals and report, less the beacon's margin", () => {
  const hparams = {
    ...DEFAULT_HPARAMS,
    window_ms: 100_000,
    reveal_bps: 9_000,
    report_bps: 5_000,
    beacon_margin_ms: 4_000,
  };
  assert.equal(judgeMs(hparams), 28_000);
  assert.equal(minersPerWindow(1_000, hparams), 28);
  assert.equal(minersPerWindow(28_001, hparams), 0);
});
