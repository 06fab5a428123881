/**
 * A STAND-IN for a Walrus publisher and aggregator, for tests: the published HTTP interface over a map, strict about
 * what it is asked, with faults on demand. Blob ids are SHA-256 here; Walrus computes them from its erasure code.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** How the stand-in misbehaves. */
export type WalrusFault =
  | "none"
  | "busy"
  | "garbage"
  | "redirect"
  | "endless"
  | "forged"
  | "slow"
  | "not yet";

/** A stand-in on loopback. */
export interface WalrusStandIn extends AsyncDisposable {
  /** Serves as publisher and as aggregator. */
  readonly url: string;
  /** Epochs asked for, by blob id. */
  readonly epochs: ReadonlyMap<string, number>;
  /** From now on. */
  fault: WalrusFault;
}

const MAX_BLOB = 10 << 20; // what public publishers take

/** Start one on a free port. */
export function startWalrusStandIn(): WalrusStandIn {
  const blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  const epochs = new Map<string, number>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const url = new URL(request.url);
    const misbehaved = misbehave(standIn.fault, url);
    if (misbehaved !== undefined) return misbehaved;
    if (request.method === "PUT" && url.pathname === "/v1/blobs") {
      return await take(request, url);
    }
    const [, id, range] = /^\/v1\/blobs\/([A-Za-z0-9_-]{43})(\/byte-range)?$/.exec(url.pathname) ??
      [];
    if (request.method !== "GET" || id === undefined) return status(404, "no such route");
    const blob = blobs.get(id);
    if (blob === undefined) return status(404, "the requested blob ID does not exist on Walrus");
    return range === undefined ? new Response(blob) : part(blob, url);
  });

  async function take(request: Request, url: URL): Promise<Response> {
    const wanted = [...url.searchParams.keys()];
    const count = Number(url.searchParams.get("epochs"));
    if (wanted.some((name) => name !== "epochs") || !Number.isInteger(count) || count < 1) {
      return status(400, "bad query");
    }
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.length > MAX_BLOB) return status(413, "the blob is too large");
    const blobId = createHash("sha256").update(bytes).digest("base64url");
    const known = blobs.has(blobId);
    blobs.set(blobId, bytes);
    epochs.set(blobId, count);
    const endEpoch = 100 + count;
    return Response.json(
      known ? { alreadyCertified: { blobId, event: { txDigest: "", eventSeq: "0" }, endEpoch } } : {
        newlyCreated: {
          blobObject: { id: `0x${"0".repeat(64)}`, blobId, size: bytes.length, deletable: true },
          cost: 132_300,
        },
      },
    );
  }

  const standIn: WalrusStandIn = {
    url: `http://127.0.0.1:${server.addr.port}`,
    epochs,
    fault: "none",
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return standIn;
}

function part(blob: Uint8Array<ArrayBuffer>, url: URL): Response {
  const start = Number(url.searchParams.get("start"));
  const length = Number(url.searchParams.get("length"));
  if (start + length > blob.length) return status(416, "the range is outside of the blob");
  return new Response(blob.slice(start, start + length), { status: 206 });
}

function misbehave(fault: WalrusFault, url: URL): Response | undefined {
  switch (fault) {
    case "busy":
      return status(503, "no capacity");
    case "garbage":
      return new Response("<html>captive portal</html>");
    case "redirect":
      return new Response(null, { status: 302, headers: { location: `${url.origin}/elsewhere` } });
    case "endless":
      return new Response(
        new ReadableStream({ pull: (out) => out.enqueue(new Uint8Array(1 << 16)) }),
      );
    case "forged":
      return new Response("forged");
    case "slow":
      return new Response(new ReadableStream({ start: (out) => out.enqueue(Uint8Array.of(1)) }));
    case "not yet":
      return status(404, "the requested blob ID does not exist on Walrus");
    case "none":
      return undefined;
  }
}

/** Walrus's error envelope. */
function status(code: number, message: string): Response {
  const error = { status: "ERROR", code, message, details: [] };
  return Response.json({ error }, { status: code });
}
