import assert from "node:assert/strict";
import { openTracer } from "./tracing.ts";

/** What a party does of a window, in a process whose tracer Deno itself brings. */
const CHILD = `
  import { during, watchWork } from "${new URL("../ledger/work.ts", import.meta.url)}";
  import { openTracer } from "${new URL("./tracing.ts", import.meta.url)}";
  const tracer = await openTracer(true);
  watchWork((name, fields, work) => tracer(name, fields, work));
  await during("window", { window: 7, uid: 3 }, async () => {
    await during("judge", { window: 7, uid: 3 }, () => Promise.resolve());
    await during("outcome", { window: 7, uid: 3 }, () => Promise.reject(new RangeError("s3cret")))
      .catch(() => {});
  });
`;

interface Span {
  readonly name: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly intValue?: string | number; readonly doubleValue?: number };
  }[];
}

Deno.test("openTracer: a collector gets the spans of a window and its phases, without what an error says", async () => {
  const spans: Span[] = [];
  let all = "";
  await using collector = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const text = await request.text();
      all += text;
      if (new URL(request.url).pathname === "/v1/traces") {
        for (const { scopeSpans } of JSON.parse(text).resourceSpans) {
          for (const { spans: some } of scopeSpans) spans.push(...some);
        }
      }
      return Response.json({});
    },
  );
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--quiet",
      "--config",
      new URL("../../deno.json", import.meta.url).pathname,
      CHILD,
    ],
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const byName = new Map(spans.map((span) => [span.name, span]));
  const [window, judge, outcome] = ["window", "judge", "outcome"].map((name) => byName.get(name)!);
  assert.equal(judge!.parentSpanId, window!.spanId);
  assert.equal(outcome!.parentSpanId, window!.spanId);
  const fields = Object.fromEntries(
    judge!.attributes.map(({ key, value }) => [key, Number(value.intValue ?? value.doubleValue)]),
  );
  assert.deepEqual(fields, { "vramhub.window": 7, "vramhub.uid": 3 });
  assert.deepEqual(outcome!.status, { message: "RangeError", code: 2 });
  assert.ok(!all.includes("s3cret"));
});

Deno.test("openTracer: without Deno's switch there is none", async () => {
  assert.equal(await openTracer(false), null);
});
