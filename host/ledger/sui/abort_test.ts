import assert from "node:assert/strict";
import { LEDGER_ERRORS, LedgerError, type LedgerModule } from "../../../enclave/protocol/errors.ts";
import { isFinal } from "../retry.ts";
import { type Abort, abortError, errorCodeOf, executionError } from "./abort.ts";
import { SUI_ERRORS, SuiError, type SuiErrorCode, UnknownAbort } from "./errors.ts";

const PACKAGE = `0x${"ab".repeat(32)}`;

function abort(module: string, code: number, constantName?: string, home = PACKAGE): Abort {
  return {
    abortCode: ((1n << 63n) | BigInt(code) << 48n | 0x1234_0005_0006n).toString(),
    location: { package: home, module },
    cleverError: { errorCode: code, constantName, value: "'words'" },
  };
}

Deno.test("abortError: every constant of the table comes back as the dev ledger throws it", () => {
  for (const [module, constants] of Object.entries(LEDGER_ERRORS)) {
    for (const [constant, code] of Object.entries(constants)) {
      const error = abortError(abort(module, code, constant), [PACKAGE]);
      assert.ok(error instanceof LedgerError);
      const same = new LedgerError(module as LedgerModule, constant, "'words'");
      assert.deepEqual([error.module, error.constant, error.code], [module, constant, code]);
      assert.equal(error.message, same.message);
    }
  }
});

Deno.test("abortError: reads the code out of the clever bits where the node decoded nothing", () => {
  const bare: Abort = { ...abort("score_ledger", 9), cleverError: undefined };
  assert.equal(errorCodeOf(bare), 9);
  const error = abortError(bare, [PACKAGE]);
  assert.equal(error instanceof LedgerError && error.constant, "EBadSignature");
});

Deno.test("abortError: keeps what no table names", () => {
  const unknown: [Abort, string][] = [
    [abort("score_ledger", 100, "EWrongVersion"), "score_ledger"],
    [abort("score_ledger", 9, "EAnother"), "score_ledger"], // the code of one, the name of another
    [abort("score_ledger", 9, "EBadSignature", `0x${"cd".repeat(32)}`), "score_ledger"],
    [abort("toString", 1), "toString"],
    [{ abortCode: "2", location: { package: "0x2", module: "balance" } }, "balance"],
    [{ abortCode: "7" }, ""],
  ];
  for (const [given, module] of unknown) {
    const error = abortError(given, [PACKAGE]);
    assert.ok(error instanceof UnknownAbort, JSON.stringify(given));
    assert.deepEqual(
      [error.module, error.abortCode, error.constant, error.retryable],
      [module, BigInt(given.abortCode), given.cleverError?.constantName, false],
    );
  }
});

Deno.test("abortError: Sui's verifier refuses a document as the dev ledger's does", () => {
  const error = abortError(
    { abortCode: "1", location: { package: "0x2", module: "nitro_attestation" } },
    [PACKAGE],
  );
  assert.equal(error instanceof LedgerError && error.constant, "EBadDocument");
});

Deno.test("executionError: congestion may pass, an empty wallet does not", () => {
  const code = (message: string) => {
    const error = executionError({ $kind: "Unknown", message }, [PACKAGE], "digest");
    assert.ok(error instanceof SuiError);
    return [error.code, error.retryable];
  };
  assert.deepEqual(code("InsufficientGas"), ["insufficient_gas", false]);
  assert.deepEqual(code("InsufficientCoinBalance in command 0"), ["insufficient_gas", false]);
  assert.deepEqual(
    code("ExecutionCanceledDueToConsensusObjectCongestion"),
    ["congested", true],
  );
  assert.deepEqual(code("ArityMismatch"), ["execution_failed", false]);
});

Deno.test("SuiError: its type says whether to try again", () => {
  for (const [code, retryable] of Object.entries(SUI_ERRORS)) {
    const error = new SuiError(code as SuiErrorCode, "words");
    assert.equal(error.retryable, retryable);
    assert.equal(isFinal(error), !retryable, code);
  }
});
