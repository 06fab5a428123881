/**
 * Spans of windows and their phases, by OpenTelemetry as Deno itself brings it: `OTEL_DENO=true` switches it on, and
 * `OTEL_EXPORTER_OTLP_ENDPOINT` says where they go. Without that this module costs nothing.
 *
 * @module
 */
import type { WorkFields } from "../ledger/work.ts";

/** Runs `work` in a span. */
export type Tracer = <T>(name: string, fields: WorkFields, work: () => Promise<T>) => Promise<T>;

/** Begins every attribute, e.g. `vramhub.window`. */
const PREFIX = "vramhub.";

/** The tracer of this process, or null where nobody switched one on. */
export async function openTracer(enabled: boolean): Promise<Tracer | null> {
  if (!enabled) return null;
  const { SpanStatusCode, trace } = await import("@opentelemetry/api");
  const tracer = trace.getTracer("vramhub");
  return (name, fields, work) => {
    const attributes = Object.fromEntries(
      Object.entries(fields).map(([field, value]) => [PREFIX + field, value]),
    );
    return tracer.startActiveSpan(name, { attributes }, async (span) => {
      try {
        return await work();
      } catch (error) {
        const message = error instanceof Error ? error.name : "Error";
        span.setStatus({ code: SpanStatusCode.ERROR, message }); // the message could hold a secret
        throw error;
      } finally {
        span.end();
      }
    });
  };
}
