import assert from "node:assert/strict";
import { encodeCanonical } from "./cbor.ts";
import { decodeStartup, encodeStartup, MAX_STARTUP, type Startup } from "./judge_startup.ts";

const bytes = (length: number) => new Uint8Array(length).fill(1);
const STARTUP: Startup = {
  socket_path: "/run/judge.sock",
  pkcs8: bytes(185),
  certificate: bytes(600),
  cabundle: [bytes(500), bytes(501)],
  pcrs: [bytes(48), bytes(48), bytes(48)],
  blob_bytes: 2 ** 31,
  threads: 0,
};

Deno.test("decodeStartup: reads what encodeStartup wrote, after its length", () => {
  const message = encodeStartup(STARTUP);
  assert.equal(new DataView(message.buffer).getUint32(0, true), message.length - 4);
  assert.deepEqual(decodeStartup(message.subarray(4)), STARTUP);
});

Deno.test("decodeStartup: refuses what is not exactly a startup message", () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ ...STARTUP, more: 1 }, "unknown_field"],
    [{ ...STARTUP, socket_path: "" }, "wrong_length"],
    [{ ...STARTUP, socket_path: "x".repeat(108) }, "wrong_length"],
    [{ ...STARTUP, pcrs: [bytes(48), bytes(48)] }, "wrong_length"],
    [{ ...STARTUP, pcrs: [bytes(48), bytes(48), bytes(47)] }, "wrong_length"],
    [{ ...STARTUP, cabundle: [] }, "wrong_length"],
    [{ ...STARTUP, certificate: bytes(1_025) }, "wrong_length"],
    [{ ...STARTUP, threads: 1_025 }, "out_of_range"],
  ];
  for (const [message, code] of cases) {
    assert.throws(() => decodeStartup(encodeCanonical(message)), { code });
  }
  assert.throws(() => decodeStartup(bytes(MAX_STARTUP + 1)), { code: "too_large" });
  assert.throws(() => decodeStartup(new Uint8Array(0)), { code: "truncated" });
});

Deno.test("encodeStartup: refuses a message that no judge would read", () => {
  assert.throws(() => encodeStartup({ ...STARTUP, pkcs8: bytes(MAX_STARTUP) }), RangeError);
});
