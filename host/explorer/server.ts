/**
 * VRAMScan's server: pages, scripts, the API and its events, on one port. It only reads, asks nobody else, and
 * lets the browser run nothing that is not its own.
 *
 * @module
 */
import type { Ledger } from "../ledger/ledger.ts";
import { type Log, reason } from "../ledger/log.ts";
import { answer, type ApiParts } from "./api.ts";
import { type Asset, asset, bundle } from "./bundle.ts";
import { enclaves } from "./enclaves.ts";
import { Live } from "./live.ts";
import { WindowIndex } from "./window_index.ts";

const TARGET = "vramhub_explorer";
const API = "/api/v1";
/** Paths that have a page. */
const PAGES =
  /^\/(|miners(\/\d+)?|validators|windows|window\/\d+|enclaves|datasets|training|wallet\/0x[0-9a-f]{64}|join|docs|search\/[^/]+)$/;
/** Longest path and query. */
const MAX_URL = 1_024;

/** Nothing but what this server sends runs, is shown or is asked for. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
    // Whoever takes text as markup is stopped, in our script and in the packages.
    "require-trusted-types-for 'script'; trusted-types 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** What an explorer is started with. */
export interface ExplorerOptions {
  /** What is shown. The caller closes it. */
  readonly ledger: Ledger;
  /** How the network is called. */
  readonly networkName: string;
  /** Of a block explorer, or null. */
  readonly explorerUrl: string | null;
  /** A window's receipt, where one is kept. */
  readonly receipt: ApiParts["receipt"];
  /** How the components are that parties on this machine tell of; none without it. */
  readonly components?: ApiParts["components"];
  /** The module that verifies in the browser; bundled when a page first asks for it. */
  readonly proof: URL;
  /** Where to listen; default 127.0.0.1. */
  readonly hostname?: string;
  /** Default 4322; 0 takes a free one. */
  readonly port?: number;
  /** How often the ledger's log is read; default 500 ms. */
  readonly pollMs?: number;
  /** Log lines. */
  readonly log: Log;
}

/** A running explorer. */
export interface Explorer extends AsyncDisposable {
  /** Of its first page. */
  readonly url: string;
}

/** Start an explorer; resolves once it listens and its page is bundled. */
export async function startExplorer(options: ExplorerOptions): Promise<Explorer> {
  const { hostname = "127.0.0.1", ledger, log, pollMs = 500, port = 4322 } = options;
  const stop = new AbortController();
  const index = new WindowIndex(ledger);
  const { components = () => Promise.resolve([]) } = options;
  const live = new Live({ ledger, index, pollMs, components });
  const assets = await loadAssets(options.proof);
  const parts: ApiParts = { ...options, components, index, fault: () => live.fault };
  await index.refresh().catch(() => {}); // what is wrong is told to the pages
  const server = Deno.serve({
    hostname,
    port,
    signal: stop.signal,
    automaticCompression: true,
    onListen: () => {},
    onError: (error) => {
      log("error", TARGET, "Request failed", { reason: reason(error) });
      return new Response("Internal error", { status: 500 });
    },
  }, (request) => respond(request, hostname, parts, live, assets));
  const work = [
    live.run(stop.signal),
    live.watchComponents(stop.signal),
    warm(parts, stop.signal).catch((error) =>
      log("warn", TARGET, "History not read", { reason: reason(error) })
    ),
  ];
  const name = hostname.includes(":") ? `[${hostname}]` : hostname;
  return {
    url: `http://${name}:${server.addr.port}/`,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([server.finished, ...work]);
    },
  };
}

/** Read and check beforehand what the first pages show. */
async function warm(parts: ApiParts, signal: AbortSignal): Promise<void> {
  await parts.index.fill(signal);
  if (!signal.aborted) await enclaves(parts);
}

type Assets = Readonly<Record<string, () => Promise<Asset>>>;

async function loadAssets(proofEntry: URL): Promise<Assets> {
  const file = async (name: string, type: string) => {
    const made = asset(type, await Deno.readFile(new URL(name, import.meta.url)));
    return () => Promise.resolve(made);
  };
  const script = await bundle(new URL("./page/main.ts", import.meta.url));
  let proof: Promise<Asset> | undefined;
  return {
    "/app.js": () => Promise.resolve(script),
    "/proof.js": () =>
      proof ??= bundle(proofEntry).catch((error) => {
        proof = undefined; // the next page may have more luck
        throw error;
      }),
    "/style.css": await file("./page/style.css", "text/css; charset=utf-8"),
    "/icon.svg": await file("./page/icon.svg", "image/svg+xml"),
    [`${API}/openapi.json`]: await file("./openapi.json", "application/json"),
    "/": await file("./page/index.html", "text/html; charset=utf-8"),
  };
}

async function respond(
  request: Request,
  hostname: string,
  parts: ApiParts,
  live: Live,
  assets: Assets,
): Promise<Response> {
  if (request.url.length > MAX_URL) return text(414, "The address is too long");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return text(405, "Only GET: nothing here can be changed", { allow: "GET, HEAD" });
  }
  const { host, pathname, searchParams } = new URL(request.url);
  if (!isOurs(host, hostname)) return text(421, "This server has another name");
  const file = assets[pathname];
  if (file !== undefined) return fileResponse(request, await file());
  if (pathname.startsWith(`${API}/`)) {
    return await apiResponse(pathname.slice(API.length), searchParams, parts, live);
  }
  const page = await assets["/"]!();
  return fileResponse(request, page, PAGES.test(pathname) ? 200 : 404);
}

/** Another name for this machine is a foreign page that had its own name point here. */
function isOurs(host: string, hostname: string): boolean {
  const name = host.replace(/:\d+$/, "");
  if (hostname === "0.0.0.0" || hostname === "::") return true;
  return ["localhost", "127.0.0.1", "[::1]", hostname].includes(name);
}

async function apiResponse(
  path: string,
  search: URLSearchParams,
  parts: ApiParts,
  live: Live,
): Promise<Response> {
  if (path === "/live") {
    const stream = live.listen();
    if (stream === null) return json(503, errorOf("busy", "Too many pages listen"));
    return new Response(stream, {
      headers: {
        ...HEADERS,
        "content-type": "text/event-stream",
        "cache-control": "no-store, no-transform",
      },
    });
  }
  if (path === "/health") {
    const { fault } = live;
    const { isWhole, windows } = parts.index.size;
    return json(fault === null ? 200 : 503, { ok: fault === null, fault, windows, isWhole });
  }
  const receipt = /^\/windows\/(\d{1,15})\/receipt$/.exec(path);
  if (receipt !== null) {
    const bytes = await parts.receipt(Number(receipt[1]));
    if (bytes === null) return json(404, errorOf("not_found", "No receipt is kept of this window"));
    const headers = { ...HEADERS, "content-type": "application/cbor", "cache-control": "no-store" };
    return new Response(bytes, { headers });
  }
  const { body, status } = await answer(parts, path, search);
  return json(status, body);
}

function errorOf(code: string, message: string) {
  return { error: { code, message } };
}

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...HEADERS, "content-type": "application/json", "cache-control": "no-store" },
  });
}

function fileResponse(request: Request, { body, etag, type }: Asset, status = 200): Response {
  const headers = { ...HEADERS, "content-type": type, "cache-control": "no-cache", etag };
  // A proxy or the compression may have made the tag a weak one.
  const known = request.headers.get("if-none-match")?.replace(/^W\//, "");
  if (known === etag && status === 200) return new Response(null, { status: 304, headers });
  return new Response(body, { status, headers });
}

function text(status: number, message: string, more: Record<string, string> = {}): Response {
  const headers = { ...HEADERS, "content-type": "text/plain; charset=utf-8", ...more };
  return new Response(message, { status, headers });
}
