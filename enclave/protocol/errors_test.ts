import assert from "node:assert/strict";
import { LEDGER_ERRORS, LedgerError, type LedgerModule, requireThat } from "./errors.ts";

Deno.test("LEDGER_ERRORS: codes count from 1 in each module, fit a u8, and names are Move constants", () => {
  for (const [module, table] of Object.entries(LEDGER_ERRORS)) {
    assert.match(module, /^[a-z]+(_[a-z]+)*$/);
    const codes = Object.values(table);
    assert.deepEqual(codes, codes.map((_, i) => i + 1), module);
    assert(codes.length < 256);
    for (const name of Object.keys(table)) assert.match(name, /^E[A-Z][A-Za-z]+$/);
  }
});

Deno.test("LedgerError: carries module, constant and code", () => {
  for (const [module, table] of Object.entries(LEDGER_ERRORS)) {
    for (const [constant, code] of Object.entries(table)) {
      const error = new LedgerError(module as LedgerModule, constant, "why");
      assert.deepEqual([error.module, error.constant, error.code], [module, constant, code]);
      assert.equal(error.message, `${module}::${constant}: why`);
      assert.equal(error.name, "LedgerError");
      assert(error instanceof Error);
    }
  }
});

Deno.test("LedgerError: a constant that is not in its module's table is a RangeError", () => {
  for (const constant of ["ENope", "EWrongWindow", "", "toString", "__proto__"]) {
    assert.throws(() => new LedgerError("hparams", constant, "why"), RangeError, constant);
  }
});

Deno.test("requireThat: throws the refusal unless the condition holds", () => {
  requireThat(true, "hparams", "ENotAdmin", "unused");
  assert.throws(
    () => requireThat(false, "gradient_registry", "ECommitsClosed", "too late"),
    (e) => e instanceof LedgerError && e.constant === "ECommitsClosed" && e.code === 2,
  );
});
