import assert from "node:assert/strict";
import { tunnelLine } from "./explorer.ts";

Deno.test("tunnelLine: says how to reach an explorer over SSH, and nothing on a machine with a screen", () => {
  const env = { SSH_CONNECTION: "192.0.2.7 50000 198.51.100.2 22", USER: "user" };
  const line = tunnelLine("http://127.0.0.1:4322/", env);
  assert.match(line!, /ssh -N -L 4322:127\.0\.0\.1:4322 user@198\.51\.100\.2, /);
  assert.match(line!, /http:\/\/localhost:4322\/$/);
  assert.equal(tunnelLine("http://127.0.0.1:4322/", {}), null);
});
