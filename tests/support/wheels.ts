/**
 * Small wheels and a server of them, for tests.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { concat, utf8 } from "../../enclave/protocol/bytes.ts";
import type { CudaLock, Wheel } from "../../miner/cuda/lock.ts";

/** Fields of a record, little-endian: [bytes, value]. */
function record(...fields: readonly (readonly [2 | 4, number])[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

/** A zip archive of `files`, every other one stored. The checksums are zeros: nothing reads them. */
export function zipOf(files: Readonly<Record<string, Uint8Array>>): Uint8Array<ArrayBuffer> {
  const locals: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let offset = 0;
  for (const [i, [name, content]] of Object.entries(files).entries()) {
    const method = i % 2 === 0 ? 8 : 0;
    const packed = method === 8 ? new Uint8Array(deflateRawSync(content)) : content;
    const path = utf8(name);
    const about = [
      [2, method],
      [4, 0], // time and date
      [4, 0], // CRC-32
      [4, packed.length],
      [4, content.length],
      [2, path.length],
    ] as const;
    const local = [record([4, 0x04034b50], [2, 20], [2, 0], ...about, [2, 0]), path, packed];
    central.push(
      record(
        ...[[4, 0x02014b50], [2, 20], [2, 20], [2, 0]] as const,
        ...about,
        ...[[2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]] as const,
      ),
      path,
    );
    locals.push(...local);
    offset += local.reduce((sum, { length }) => sum + length, 0);
  }
  const directory = concat(...central);
  const count = Object.keys(files).length;
  return concat(
    ...locals,
    directory,
    record(
      ...[[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count]] as const,
      ...[[4, directory.length], [4, offset], [2, 0]] as const,
    ),
  );
}

/** What a request is answered with in place of the wheel. */
export type Trick = (bytes: Uint8Array<ArrayBuffer>, request: Request) => Response | undefined;

/** Wheels that are served on this machine. */
export interface Served extends AsyncDisposable {
  /** A lock of them. */
  readonly lock: CudaLock;
  /** The requests so far: path and range. */
  readonly requests: string[];
  /** Have the next request answered by `trick`. */
  trick(trick: Trick): void;
}

/** The commit that the served provider is of. */
export const COMMIT = "0123456ab";

/** Serve a provider's wheel and a library's. */
export function serveWheels(): Served {
  const said = (commit: string) => utf8(`\0ORT Build Info: git-commit-id=${commit}, build\0`);
  const wheels = new Map([
    ["ort", {
      "onnxruntime/capi/libonnxruntime.so.9.9.9": said(COMMIT),
      "onnxruntime/capi/libonnxruntime_providers_shared.so": utf8("shared"),
      "onnxruntime/capi/libonnxruntime_providers_cuda.so": Uint8Array.from(
        { length: 300_000 },
        (_, i) => (i * i * 31) >>> 7,
      ),
      "onnxruntime/capi/unneeded.py": utf8("pass"),
    }],
    ["cudart", { "nvidia/cu13/lib/libcudart.so.13": utf8("runtime") }],
  ].map(([name, files]) => [name as string, zipOf(files as Record<string, Uint8Array>)] as const));
  const requests: string[] = [];
  const tricks: Trick[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const name = new URL(request.url).pathname.slice(1);
    const range = request.headers.get("range");
    requests.push(range === null ? name : `${name} ${range}`);
    const bytes = wheels.get(name);
    if (bytes === undefined) return new Response(null, { status: 404 });
    const tricked = tricks.shift()?.(bytes, request);
    if (tricked !== undefined) return tricked;
    if (range === null) return new Response(bytes);
    const from = Number(/^bytes=(\d+)-$/.exec(range)![1]);
    return new Response(bytes.subarray(from), { status: 206 });
  });
  const wheel = (name: string, keep: readonly string[]): Wheel => {
    const bytes = wheels.get(name)!;
    return {
      name,
      version: "9.9.9",
      sha256: createHash("sha256").update(bytes).digest("hex"),
      size: bytes.length,
      url: `http://127.0.0.1:${server.addr.port}/${name}`,
      keep,
    };
  };
  return {
    lock: {
      runtime: { version: "9.9.9", commit: COMMIT, cuda: 13, driver: 580 },
      wheels: [
        wheel("ort", [
          "onnxruntime/capi/libonnxruntime_providers_shared.so",
          "onnxruntime/capi/libonnxruntime_providers_cuda.so",
        ]),
        wheel("cudart", ["nvidia/cu13/lib/libcudart.so.13"]),
      ],
    },
    requests,
    trick: (trick) => void tricks.push(trick),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
