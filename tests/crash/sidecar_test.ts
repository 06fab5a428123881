/**
 * A sidecar that fails in mid-window, through the miner's own loop: what passes is tried again, what does not costs the
 * window, and nothing that it made wrong is committed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { paramManifest } from "../../enclave/model/params.ts";
import { safetensorsHeader } from "../../enclave/model/safetensors.ts";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { patternedBatches } from "../../miner/adapters/conformance.ts";
import { bytesOf, decodeFrame, encodeFrame } from "../../miner/adapters/frame.ts";
import { SidecarAdapter } from "../../miner/adapters/sidecar.ts";
import { AdapterSource } from "../../miner/adapters/source.ts";
import { missed } from "./checks.ts";
import { FIRST, MODEL, World } from "./world.ts";

const MANIFEST = paramManifest(MODEL);
const BINARY = { headers: { "content-type": "application/octet-stream" } };

/** What the sidecar does wrong when it is asked to train for the nth time in a window. */
type Fault = "cut" | "down" | "nan" | "restart" | "other weights" | undefined;

/** A sidecar of the world's model whose gradient is small and the same in every window. */
class Sidecar implements AsyncDisposable {
  readonly tries = new Map<number, number>();
  readonly #fault: (window: number, attempt: number) => Fault;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #base = "";

  constructor(fault: (window: number, attempt: number) => Fault) {
    this.#fault = fault;
    const options = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
    this.#server = Deno.serve(
      { ...options, onError: () => new Response(null, { status: 500 }) },
      (request) => this.#answer(request),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/health") {
      const about = { model: "fake", device: "cpu", parameters: MANIFEST.total };
      return Response.json({ status: "ok", dialects: ["json", "binary-1"], ...about });
    }
    const body = await request.bytes();
    if (pathname === "/load_checkpoint") this.#base = toHex(sha256(body));
    return pathname === "/train" ? this.#train(body) : this.#frame({}, undefined);
  }

  #train(body: Uint8Array<ArrayBuffer>): Response {
    const { meta } = decodeFrame(body);
    const window = Number(meta.window);
    const attempt = (this.tries.get(window) ?? 0) + 1;
    this.tries.set(window, attempt);
    const gradient = new Float32Array(MANIFEST.total);
    for (let i = 0; i < 64; i++) gradient[i] = 1e-4 * (i + 1);
    switch (this.#fault(window, attempt)) {
      case "cut":
        return new Response(half(bytesOf(gradient)), BINARY);
      case "down":
        return Response.json({ error: "unreachable", message: "It is gone" }, { status: 503 });
      case "restart":
        this.#base = "";
        break;
      case "nan":
        gradient[5] = NaN;
    }
    if (meta.base !== this.#base) {
      return Response.json({ error: "wrong_base", message: "Other weights" }, { status: 409 });
    }
    return this.#frame({ batch: meta.sha256, loss: 2.5 }, bytesOf(gradient));
  }

  #frame(meta: object, data: Uint8Array | undefined): Response {
    return new Response(encodeFrame({ base: this.#base, instance: "a", ...meta }, data), BINARY);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function half(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.subarray(0, 1_000));
      controller.error(new Error("cut"));
    },
  });
}

Deno.test("miner with a sidecar: what passes is tried again, what does not costs the window and says why", async () => {
  await using sidecar = new Sidecar((window, attempt) => {
    if (window === FIRST) return attempt === 1 ? "cut" : undefined;
    if (window === FIRST + 1) return "down";
    if (window === FIRST + 2) return "nan";
    return attempt < 4 ? "restart" : undefined;
  });
  const context = {
    batches: patternedBatches(MODEL.context + 1, MODEL.batch),
    settings: { innerSteps: 1, lr: 1e-3, percent: 1 },
  };
  await using adapter = await SidecarAdapter.connect(context, { url: sidecar.url });
  const header = safetensorsHeader(MANIFEST);
  const lines: { readonly message: string; readonly fields: Record<string, unknown> }[] = [];
  const world = await World.found({
    source: new AdapterSource(adapter, { device: "cpu", header, decay: 0.9 }),
    log: (_level, target, message, fields = {}) => {
      if (target.startsWith("vramhub_miner")) lines.push({ message, fields });
    },
  });
  const parties = [world.validator(), world.miner(0)];
  try {
    await world.until(FIRST + 3);
    const revealed = async (window: number) =>
      (await world.ledger.window(window)).reveals.map(({ uid }) => uid);
    assert.deepEqual(await revealed(FIRST), [0]);
    assert.deepEqual(await revealed(FIRST + 1), []);
    assert.deepEqual(await revealed(FIRST + 2), []);
    assert.deepEqual(await revealed(FIRST + 3), [0]);
    const tries = (window: number) => sidecar.tries.get(window)!;
    assert.equal(tries(FIRST), 2);
    assert.ok(tries(FIRST + 1) > 10, "it is asked until the commit deadline");
    assert.equal(tries(FIRST + 2), 1);
    assert.equal(tries(FIRST + 3), 4);
    const failed = lines.filter(({ message }) => message === "Window failed");
    assert.deepEqual(
      failed.map(({ fields: { window, uid, during } }) => ({ window, uid, during })),
      [FIRST + 1, FIRST + 2].map((window) => ({ window, uid: 0, during: "training (sidecar)" })),
    );
    const reasons = failed.map(({ fields }) => String(fields.reason));
    assert.match(reasons[0]!, /refused \/train with status 503: It is gone/);
    assert.match(reasons[1]!, /element 5 is NaN/);
    assert.ok(lines.some(({ message }) => message === "Trying again"));
    const gone = await missed(world, "miner-0/steps.jsonl");
    assert.equal(gone.length, 2, JSON.stringify(gone));
  } finally {
    await world.close(parties);
  }
});
