import assert from "node:assert/strict";
import { Metrics } from "./metrics.ts";
import { parsePlace, serveMetrics } from "./server.ts";

const DASHBOARD = new URL("./grafana.json", import.meta.url);

Deno.test("parsePlace: takes a port, a host with a port, and nothing else", () => {
  assert.deepEqual(parsePlace("9464"), { hostname: "127.0.0.1", port: 9_464 });
  assert.deepEqual(parsePlace(":0"), { hostname: "127.0.0.1", port: 0 });
  assert.deepEqual(parsePlace("0.0.0.0:1"), { hostname: "0.0.0.0", port: 1 });
  assert.deepEqual(parsePlace("[::1]:80"), { hostname: "::1", port: 80 });
  assert.deepEqual(parsePlace("metrics.local:80"), { hostname: "metrics.local", port: 80 });
  for (const wrong of ["", "host", "host:", "1:2:3", "::1:80", ":65536", "http://a:1", "a/b:1"]) {
    assert.throws(() => parsePlace(wrong), RangeError, wrong);
  }
});

Deno.test("serveMetrics: answers three paths, changes nothing, and hears to no foreign name", async () => {
  let hangs: string | null = null;
  await using server = serveMetrics({ hostname: "127.0.0.1", port: 0 }, {
    metrics: () => Promise.resolve("a 1\n"),
    contentType: "text/plain; version=0.0.4",
    waitsFor: () => ["the ledger: unreachable"],
    hangs: () => hangs,
  });
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(new URL(path, server.url), init);
    return [response.status, await response.text(), response.headers.get("content-type")];
  };
  assert.deepEqual(await get("metrics"), [200, "a 1\n", "text/plain; version=0.0.4"]);
  assert.deepEqual((await get("healthz")).slice(0, 2), [200, `{"ok":true,"why":null}`]);
  hangs = "asleep";
  assert.deepEqual((await get("healthz")).slice(0, 2), [503, `{"ok":false,"why":"asleep"}`]);
  assert.deepEqual((await get("readyz")).slice(0, 2), [
    503,
    `{"ready":false,"waitsFor":["the ledger: unreachable"]}`,
  ]);
  assert.equal((await get("other"))[0], 404);
  assert.equal((await get("metrics", { method: "POST" }))[0], 405);
  using connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: Number(new URL(server.url).port),
  });
  await connection.write(
    new TextEncoder().encode("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
  );
  const chunk = new Uint8Array(4_096);
  const length = await connection.read(chunk);
  assert.match(new TextDecoder().decode(chunk.subarray(0, length!)), /^HTTP\/1.1 421/);
});

Deno.test("grafana.json: every metric and label that a panel asks for is exported", async () => {
  const dashboard = JSON.parse(await Deno.readTextFile(DASHBOARD));
  const metrics = new Metrics(() => [
    { component: "judge", uid: 0, ok: true, fault: null, sinceMs: 0, last: null },
  ]);
  const names = new Set(await metrics.names());
  const exprs: string[] = dashboard.panels.flatMap((panel: { targets: { expr: string }[] }) =>
    panel.targets.map(({ expr }) => expr)
  );
  const asked = new Set(exprs.flatMap((expr) => expr.match(/\b(vramhub|process)_[a-z_]+/g) ?? []));
  assert.ok(asked.size > 12);
  for (const name of asked) assert.ok(names.has(name), `${name} is not exported`);
  // And nothing is exported that the dashboard does not show, but the parts of histograms.
  for (const name of names) {
    const base = name.replace(/_(bucket|sum|count)$/, "");
    assert.ok([...asked].some((one) => one.startsWith(base)), `${name} is not on the dashboard`);
  }
  const text = await metrics.text();
  for (const [, labels] of exprs.join(" ").matchAll(/by \(([a-z, ]+)\)/g)) {
    for (const label of labels!.split(", ").filter((one) => one !== "le")) {
      assert.match(LABELS, new RegExp(`\\b${label}\\b`), `${label} is a label of nothing`);
    }
  }
  assert.match(text, /vramhub_component_up\{component="judge",uid="0",reason=""\} 1/);
  const ids = dashboard.panels.map(({ id }: { id: number }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

Deno.test("README.md: lists every metric that is exported, and no other", async () => {
  const readme = await Deno.readTextFile(new URL("./README.md", import.meta.url));
  const listed = [...readme.matchAll(/^\| `((?:vramhub|process)_\w+)`/gm)].map(([, name]) => name);
  const names = (await new Metrics(() => []).names()).map((name) =>
    name.replace(/_(bucket|sum|count)$/, "")
  );
  assert.deepEqual(listed.sort(), [...new Set(names)].sort());
});

/** Every label that a metric has. */
const LABELS = "outcome verdict kind operation call level uid component reason";
