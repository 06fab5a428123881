import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { manifestOf } from "../../enclave/model/params.ts";
import { safetensorsHeader } from "../../enclave/model/safetensors.ts";
import { type Bytes, toHex } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { startServer } from "../../tests/support/sidecar.ts";
import type { AdapterContext } from "./adapter.ts";
import { conformance, patternedBatches } from "./conformance.ts";
import { bytesOf, decodeFrame, encodeFrame, type Frame } from "./frame.ts";
import { SidecarError } from "./sidecar_http.ts";
import { TemplarAdapter, type TemplarOptions } from "./templar.ts";

/** Python's standard library is all that the stand-in needs. */
async function hasPython(): Promise<boolean> {
  const args = ["-c", "import http.server"];
  try {
    const command = new Deno.Command("python3", { args, stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch {
    return false;
  }
}

const python = await hasPython();
const context: AdapterContext = {
  batches: patternedBatches(33, 2),
  settings: { innerSteps: 2, lr: 0.5, percent: 1 },
};

/** Start the stand-in on a free port; it ends with the test. */
function startStandIn() {
  const script = new URL("./templar_stand_in.py", import.meta.url).pathname;
  return startServer("python3", [script, "--port", "0"], { VRAMHUB_TEMPLAR_TOKEN: "secret" });
}

Deno.test({
  name: "TemplarAdapter: a stand-in for a Templar process passes the suite (needs python3)",
  ignore: !python,
  async fn() {
    await using process = await startStandIn();
    const layout = toHex(sha256(safetensorsHeader(manifestOf({ "bigram.weight": [256, 256] }))));
    await rejects(TemplarAdapter.connect(context, { url: process.url }), /401: The bearer token/);
    const options = { url: `${process.url}/`, token: "secret", total: 65_536, layout };
    await using adapter = await TemplarAdapter.connect(context, options);
    equal(adapter.device, "cpu");
    const found = await Array.fromAsync(conformance(adapter, { betas: [10, 1, 0.1] }));
    deepEqual(found.filter(({ fault }) => fault !== undefined), []);
    const batch = await adapter.getAssignedBatch(1, 2);
    const { gradient } = await adapter.trainStep(batch);
    equal((await adapter.compressGradient(gradient)).indices.length, 16 * 40);
    for (const change of [{ total: 65_535 }, { layout: "00" }]) {
      await rejects(
        TemplarAdapter.connect(context, { ...options, ...change }),
        (error) => error instanceof SidecarError && error.code === "wrong_model",
      );
    }
  },
});

const TOTAL = 6;
const GRADIENT = Float32Array.of(1, -2, 0.5, 0, 3, 0.25);
const BASE = new Uint8Array(20).fill(7);
const batch = await context.batches.assigned(1, 2);

/** What a bent process answers to one path, `honest` being the frame it should send. */
type Bend = (honest: Frame, request: Request) => Response | Promise<Response>;

function framed({ meta, data }: Frame, headers: HeadersInit = {}): Response {
  const type = { "content-type": "application/octet-stream" };
  return new Response(encodeFrame(meta, data), { headers: { ...type, ...headers } });
}

/** A process of six parameters, in this one. */
class Bent implements AsyncDisposable {
  readonly url: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #bends: Readonly<Record<string, Bend>>;
  #base = "";

  constructor(bends: Readonly<Record<string, Bend>> = {}) {
    this.#bends = bends;
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {}, onError: () => new Response(null) },
      (request) => this.#answer(request),
    );
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const bend = this.#bends[pathname];
    if (pathname === "/health") {
      const health = { status: "ok", dialects: ["templar-1"], model: "six", device: "cuda:0" };
      const honest = { meta: { ...health, parameters: TOTAL }, data: new Uint8Array() };
      return bend?.(honest, request) ?? Response.json(honest.meta);
    }
    const honest = this.#honest(pathname, decodeFrame(await request.bytes()));
    return bend?.(honest, request) ?? framed(honest);
  }

  #honest(path: string, { meta, data }: Frame): Frame {
    if (path === "/load_checkpoint") this.#base = toHex(sha256(data));
    const places = bytesOf(Uint32Array.of(1, 4)).slice();
    if (path === "/compress_gradient") return { meta: { gradient: meta.sha256 }, data: places };
    const about = { base: this.#base, instance: "a", batch: meta.sha256, loss: 2.5 };
    const body = path === "/train_step" ? bytesOf(GRADIENT).slice() : new Uint8Array();
    return { meta: about, data: path === "/save_checkpoint" ? BASE : body };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

async function connected(process: Bent, more: TemplarOptions = {}): Promise<TemplarAdapter> {
  const options = { url: process.url, total: TOTAL, timeoutMs: 2_000, ...more };
  return await TemplarAdapter.connect(context, options);
}

/** Everything that a window asks of a process. */
async function mine(process: Bent, more: TemplarOptions = {}) {
  const adapter = await connected(process, more);
  await adapter.loadCheckpoint(BASE);
  await adapter.forwardLoss(batch);
  const { gradient } = await adapter.trainStep(batch);
  const update = await adapter.compressGradient(gradient);
  deepEqual(await adapter.saveCheckpoint(), BASE);
  await adapter.applyGradient(gradient, 1);
  return update;
}

Deno.test("TemplarAdapter: the process chooses places, the values are the gradient's", async () => {
  await using process = new Bent();
  const update = await mine(process);
  deepEqual(update, {
    total: TOTAL,
    indices: Uint32Array.of(1, 4),
    values: Float32Array.of(-2, 3),
  });
});

Deno.test("TemplarAdapter: sends its token", async () => {
  const tokens: (string | null)[] = [];
  await using process = new Bent({
    "/health": ({ meta }, request) => {
      tokens.push(request.headers.get("authorization"));
      return Response.json(meta);
    },
  });
  await connected(process, { token: "secret" });
  deepEqual(tokens, ["Bearer secret"]);
});

const floats = (...values: number[]) => bytesOf(Float32Array.from(values)).slice();
const places = (...values: number[]) => bytesOf(Uint32Array.from(values)).slice();
const meta = (change: object): Bend => (honest) =>
  framed({ ...honest, meta: { ...honest.meta, ...change } });
const data = (bytes: Bytes): Bend => (honest) => framed({ ...honest, data: bytes });
const health = (change: object): Bend => (honest) => Response.json({ ...honest.meta, ...change });

const slow: Bend = async (honest) => {
  await new Promise((resolve) => setTimeout(resolve, 400));
  return framed(honest);
};

/** Half of the frame, then nothing more. */
const half: Bend = (honest) => {
  const body = encodeFrame(honest.meta, honest.data);
  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(body.subarray(0, body.length >> 1));
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.error(new Error("cut"));
    },
  });
  return new Response(stream, { headers: { "content-type": "application/octet-stream" } });
};

const refuses: Bend = () =>
  Response.json({ error: "wrong_base", message: "Other weights" }, { status: 409 });

const FAULTS: readonly (readonly [string, string, Bend, string, RegExp])[] = [
  ["is slow", "/train_step", slow, "timeout", /process did not finish \/train_step within 0.2 s/],
  ["gives half a body", "/train_step", half, "cut", /broke off|ends at/],
  [
    "gives no frame",
    "/train_step",
    () => framed({ meta: [] as never, data: floats() }),
    "bad_frame",
    /no JSON object/,
  ],
  [
    "gives a shorter gradient",
    "/train_step",
    data(floats(1, 2)),
    "wrong_size",
    /8 bytes are not 6/,
  ],
  [
    "gives a longer gradient",
    "/train_step",
    data(new Uint8Array(1 << 17)),
    "too_large",
    /Templar process's answer/,
  ],
  ["gives NaN", "/train_step", data(floats(1, 2, NaN, 4, 5, 6)), "non_finite", /element 2 is NaN/],
  ["gives zeros", "/train_step", data(floats(0, 0, 0, 0, 0, 0)), "zero", /zero everywhere/],
  ["gives no loss", "/train_step", meta({ loss: "much" }), "non_finite", /no(t a)? finite number/],
  [
    "has a loss of null",
    "/forward_loss",
    meta({ loss: null }),
    "non_finite",
    /no(t a)? finite number/,
  ],
  ["answers for other pages", "/train_step", meta({ batch: "00" }), "wrong_batch", /other pages/],
  ["answers for other weights", "/train_step", meta({ base: "00" }), "wrong_base", /other weights/],
  ["restarted in between", "/train_step", meta({ instance: "b" }), "wrong_base", /other weights/],
  [
    "lost its weights",
    "/train_step",
    refuses,
    "wrong_base",
    /process refused .* 409: Other weights/,
  ],
  ["loads other weights", "/load_checkpoint", meta({ base: "00" }), "bad_reply", /loaded other/],
  ["saves other weights", "/save_checkpoint", data(floats(1)), "bad_reply", /another hash/],
  [
    "fails",
    "/load_checkpoint",
    () => new Response("<html>", { status: 500 }),
    "failed",
    /no reason/,
  ],
  ["answers in JSON", "/train_step", () => Response.json({}), "bad_reply", /other dialect/],
  [
    "compresses another gradient",
    "/compress_gradient",
    meta({ gradient: "00" }),
    "bad_reply",
    /another gradient/,
  ],
  [
    "chooses places that descend",
    "/compress_gradient",
    data(places(4, 1)),
    "bad_reply",
    /do not ascend/,
  ],
  ["chooses a place twice", "/compress_gradient", data(places(4, 4)), "bad_reply", /do not ascend/],
  [
    "chooses a place behind the model",
    "/compress_gradient",
    data(places(6)),
    "bad_reply",
    /do not ascend/,
  ],
  [
    "chooses half a place",
    "/compress_gradient",
    data(new Uint8Array(6)),
    "bad_reply",
    /another gradient/,
  ],
  [
    "is a sidecar",
    "/health",
    health({ dialects: ["binary-1"] }),
    "bad_reply",
    /is no Templar bridge/,
  ],
  ["is not well", "/health", health({ status: "starting" }), "bad_reply", /is no Templar bridge/],
  [
    "has another model",
    "/health",
    health({ parameters: 7 }),
    "wrong_model",
    /'six' is not the ledger's/,
  ],
];

for (const [what, path, bend, code, line] of FAULTS) {
  Deno.test(`TemplarAdapter: gives nothing where the process ${what}`, async () => {
    await using process = new Bent({ [path]: bend });
    await rejects(mine(process, { timeoutMs: bend === slow ? 200 : 2_000 }), (error) => {
      if (!(error instanceof SidecarError || error instanceof Refusal)) throw error;
      equal(error.code, code, error.message);
      ok(line.test(error.message) && !/sidecar|\n/.test(error.message), error.message);
      return true;
    });
  });
}

Deno.test("TemplarAdapter: refuses a gradient that is not finite or does not fit, before it asks", async () => {
  const never: Bend = () => new Response(null, { status: 500 });
  await using process = new Bent({ "/compress_gradient": never, "/apply_gradient": never });
  const adapter = await connected(process);
  for (const bad of [GRADIENT.subarray(1), Float32Array.of(1, 2, NaN, 4, 5, 6)]) {
    await rejects(adapter.compressGradient(bad), Refusal);
    await rejects(adapter.applyGradient(bad, 1), Refusal);
  }
});

Deno.test("TemplarAdapter.connect: says where nothing answers", async () => {
  const process = new Bent();
  await process[Symbol.asyncDispose]();
  await rejects(
    connected(process),
    (error) =>
      error instanceof SidecarError && error.code === "unreachable" &&
      error.message === `No Templar process answers at ${process.url}`,
  );
});
