import assert from "node:assert/strict";
import { tunnelLine, withoutDetails } from "./explorer.ts";

Deno.test("tunnelLine: says how to reach an explorer over SSH, and nothing on a machine with a screen", () => {
  const env = { SSH_CONNECTION: "192.0.2.7 50000 198.51.100.2 22", USER: "user" };
  const line = tunnelLine("http://127.0.0.1:4322/", env);
  assert.match(line!, /ssh -N -L 4322:127\.0\.0\.1:4322 user@198\.51\.100\.2, /);
  assert.match(line!, /http:\/\/localhost:4322\/$/);
  assert.equal(tunnelLine("http://127.0.0.1:4322/", {}), null);
});

Deno.test("withoutDetails: keeps reasons, and neither paths nor addresses", () => {
  const fault = { reason: "gone", detail: "/srv/vram/ledger.sqlite" } as const;
  const state = { component: "ledger", uid: null, ok: false, sinceMs: 1, by: "miner-1" } as const;
  const last = { ...fault, fromMs: 1, untilMs: 2 };
  const [down, up] = withoutDetails([
    { ...state, fault, last },
    { ...state, ok: true, fault: null, last: null },
  ]);
  assert.deepEqual([down!.fault!.reason, down!.last!.untilMs], ["gone", 2]);
  assert.ok(!JSON.stringify(down).includes("/srv"));
  assert.deepEqual([up!.fault, up!.last], [null, null]);
});
