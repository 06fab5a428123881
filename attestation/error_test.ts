import assert from "node:assert/strict";
import { Refusal } from "../enclave/protocol/refusal.ts";
import { AttestationError, reading } from "./error.ts";

Deno.test("reading: turns a refusal into this package's, and names the part where it names no field", () => {
  const fields = [["uid", "uid"], [undefined, "payload"]] as const;
  for (const [field, named] of fields) {
    const refuse = () => {
      throw new Refusal("too_deep", "Cannot read it", field);
    };
    assert.throws(
      () => reading("payload", refuse),
      new AttestationError("too_deep", "Cannot read it (in the payload)", named),
    );
  }
  assert.equal(reading("payload", () => 7), 7);
});

Deno.test("reading: a defect passes through as it is, and is no refusal", () => {
  const defect = new RangeError("a defect");
  const fail = () => {
    throw defect;
  };
  assert.throws(() => reading("payload", fail), (e) => e === defect);
});
