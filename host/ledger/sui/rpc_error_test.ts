import assert from "node:assert/strict";
import { readError, sendFault } from "./rpc_error.ts";
import { rpcError } from "./testing.ts";

// Texts of crates/sui-types/src/error.rs and of the transaction driver, as nodes send them.
const TEXTS = {
  stale:
    "Transaction is rejected as invalid by more than 1/3 of validators by stake (non-retriable). " +
    "Non-retriable errors: [Object ID 0x14bb Version 0x2330e35a Digest 2jX46b is not available for " +
    "consumption, current version: 0x2330e35c]",
  rebuilt: "Transaction needs to be rebuilt because object 0x14 version 0x5 is unavailable for " +
    "consumption, current version: 0x7",
  locked:
    "Object (0x4a3c, SequenceNumber(106), o#3dntck) already locked by a different transaction: " +
    "TransactionDigest(5e513q)",
  equivocated: "Transaction is equivocated until the next epoch",
  gas: "Balance of gas object 10 is lower than the needed amount: 100",
  expired: "Transaction Expired",
};

Deno.test("sendFault: knows the refusals after which nothing was executed", () => {
  const refused = (message: string) => sendFault(rpcError("INVALID_ARGUMENT", message));
  assert.equal(refused(TEXTS.stale), "stale");
  assert.equal(refused(TEXTS.rebuilt), "stale");
  assert.equal(refused(encodeURIComponent(TEXTS.locked)), "locked");
  assert.equal(refused(TEXTS.equivocated), "locked");
  assert.equal(refused(TEXTS.gas), "gas");
  assert.equal(refused(TEXTS.expired), "expired");
  assert.equal(refused("Invalid user signature"), "rejected");
});

Deno.test("sendFault: everything else may have been executed", () => {
  for (const code of ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL", "UNKNOWN"]) {
    assert.equal(sendFault(rpcError(code, "connection reset")), "unknown", code);
  }
  assert.equal(sendFault(new TypeError("error sending request")), "unknown");
  assert.equal(sendFault("thrown text"), "unknown");
});

Deno.test("sendFault: a node that has not seen our coin yet says nothing about the transaction", () => {
  const behind =
    "Object ID 0x1 Version 0x9 Digest 2j is not available for consumption, current version: 0x7";
  assert.equal(sendFault(rpcError("INVALID_ARGUMENT", behind)), "unknown");
});

Deno.test("readError: a dead node is retryable and says what to do, a refusal is not", () => {
  const dead = readError(new TypeError("tcp connect error: Connection refused"));
  assert.deepEqual([dead.code, dead.retryable], ["unavailable", true]);
  assert.match(dead.message, /is it running/);
  assert.equal(readError(rpcError("INVALID_ARGUMENT", "bad mask")).code, "rejected");
  assert.equal(readError(dead), dead);
});
