/**
 * What a party says of itself over HTTP: `/metrics` for Prometheus, `/healthz` (it runs), `/readyz` (it does its work, or
 * what it waits for). It only answers, and by default this machine alone.
 *
 * @module
 */

/** Where Prometheus' exporters of OpenTelemetry listen. */
export const METRICS_PORT = 9_464;

/** A place to listen at. */
export interface Place {
  /** A name or address. */
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/**
 * A place out of `HOST:PORT`, `:PORT` or `PORT`, where this machine alone is the default host.
 *
 * @throws {RangeError} what is expected.
 */
export function parsePlace(text: string): Place {
  const [, host = "", digits = ""] = /^(?:(\[[0-9a-fA-F:.]+\]|[\w.-]*):)?(\d{1,5})$/.exec(text) ??
    [];
  const port = Number(digits);
  if (digits === "" || port > 65_535) {
    throw new RangeError(`expected HOST:PORT or a port, as in 127.0.0.1:${METRICS_PORT}`);
  }
  return { hostname: host.replace(/^\[|\]$/g, "") || "127.0.0.1", port };
}

/** What is answered from. */
export interface Told {
  /** The metrics, as text of `contentType`. */
  readonly metrics: () => Promise<string>;
  /** See `metrics`. */
  readonly contentType: string;
  /** What the party waits for; empty where it does its work. */
  readonly waitsFor: () => readonly string[];
  /** Why the process hangs, or null. */
  readonly hangs: () => string | null;
}

/** A running server. */
export interface MetricsServer extends AsyncDisposable {
  /** Of its root. */
  readonly url: string;
}

/** Serve until disposed of. */
export function serveMetrics({ hostname, port }: Place, told: Told): MetricsServer {
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname, port, signal: stop.signal, onListen: () => {} },
    (request) => respond(request, hostname, told),
  );
  const name = hostname.includes(":") ? `[${hostname}]` : hostname;
  return {
    url: `http://${name}:${server.addr.port}/`,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
}

async function respond(request: Request, hostname: string, told: Told): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Only GET\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  const { hostname: asked, pathname } = new URL(request.url);
  // A page elsewhere that had its own name point to this machine reads nothing here.
  const isLocal = ["127.0.0.1", "::1", "localhost"].includes(hostname);
  if (isLocal && !["127.0.0.1", "[::1]", "localhost"].includes(asked)) {
    return new Response("This server has another name\n", { status: 421 });
  }
  switch (pathname) {
    case "/metrics":
      return new Response(await told.metrics(), { headers: { "content-type": told.contentType } });
    case "/healthz": {
      const why = told.hangs();
      return Response.json({ ok: why === null, why }, { status: why === null ? 200 : 503 });
    }
    case "/readyz": {
      const waitsFor = told.waitsFor();
      const ready = waitsFor.length === 0;
      return Response.json({ ready, waitsFor }, { status: ready ? 200 : 503 });
    }
    default:
      return new Response("There are /metrics, /healthz and /readyz\n", { status: 404 });
  }
}
