import assert from "node:assert/strict";
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { ConfigError } from "../../config/mod.ts";
import { SuiError } from "../../ledger/sui/errors.ts";
import { StoreError } from "../../store/store.ts";
import { statusOf } from "./exit.ts";

Deno.test("statusOf: 1 a refusal, 2 a wrong setting, 3 what may pass", () => {
  const cases: [unknown, number][] = [
    [new LedgerError("peer_registry", "ENotOwner", ""), 1],
    [new Refusal("bad_hparam", ""), 1],
    [new ConfigError("missing", ""), 2],
    [new SyntaxError("an address"), 2],
    [new SuiError("not_deployed", ""), 2],
    [new SuiError("bad_wallet", ""), 2],
    [new SuiError("unavailable", ""), 3],
    [new SuiError("outcome_unknown", ""), 3],
    [new SuiError("insufficient_gas", ""), 1],
    [new StoreError("unavailable", "k", ""), 3],
    [new StoreError("wrong_hash", "k", ""), 1],
    [new Error("anything"), 1],
    ["thrown text", 1],
  ];
  for (const [error, status] of cases) assert.equal(statusOf(error), status, String(error));
});
