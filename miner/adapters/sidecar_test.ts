import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { manifestOf } from "../../enclave/model/params.ts";
import { safetensorsHeader } from "../../enclave/model/safetensors.ts";
import { type Bytes, toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { DEFAULT_HPARAMS } from "../../enclave/protocol/hparams.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import type { AdapterContext } from "./adapter.ts";
import { patternedBatches } from "./conformance.ts";
import { bytesOf, decodeFrame, encodeFrame, floatsOf } from "./frame.ts";
import { readJsonGradient } from "./json_gradient.ts";
import { SidecarAdapter, type SidecarOptions } from "./sidecar.ts";
import { SidecarError } from "./sidecar_http.ts";
import { AdapterSource } from "./source.ts";

const TOTAL = 6;
const GRADIENT = Float32Array.of(1, -2, 0.5, 0, 3, 0.25);
const HEADER = safetensorsHeader(manifestOf({ w: [TOTAL] }));
const THETA = Float32Array.from({ length: TOTAL }, (_, i) => i);
const context: AdapterContext = {
  batches: patternedBatches(9, 2),
  settings: { innerSteps: 1, lr: 1e-3, percent: 50 },
};
const batch = await context.batches.assigned(1, 2);

type Answer = Response | Promise<Response>;
/** What a bent sidecar answers to one path, `honest` being what it should. */
type Bend = (honest: () => Promise<Response>, request: Request) => Answer;

/** A sidecar of six parameters, in this process. */
class Bent implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly url: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #binary: boolean;
  readonly #bends: Readonly<Record<string, Bend>>;
  base: string | null = null;
  instance = "a";

  constructor(binary: boolean, bends: Readonly<Record<string, Bend>> = {}) {
    this.#binary = binary;
    this.#bends = bends;
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {}, onError: () => new Response(null) },
      (request) => this.#answer(request),
    );
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    this.asked.push(pathname);
    const bend = this.#bends[pathname];
    const honest = () => this.honest(pathname, request);
    return bend === undefined ? await honest() : await bend(honest, request);
  }

  async honest(path: string, request: Request): Promise<Response> {
    if (path === "/health") {
      const more = this.#binary ? { dialects: ["json", "binary-1"], parameters: TOTAL } : {};
      return Response.json({ status: "ok", model: "six", device: "cpu", ...more });
    }
    const body = await request.bytes();
    if (this.#binary) return this.#binaryAnswer(path, body);
    if (path === "/train") return Response.json({ gradient: [...GRADIENT], loss: 2.5 });
    return Response.json(path === "/forward_loss" ? { loss: 2.5 } : { ok: true });
  }

  #binaryAnswer(path: string, body: Bytes): Response {
    if (path === "/load_checkpoint") this.base = toHex(sha256(body));
    const meta = path === "/train" ? decodeFrame(body).meta : {};
    if (path === "/train" && meta.base !== this.base) {
      return Response.json({ error: "wrong_base", message: "Other weights" }, { status: 409 });
    }
    const reply = { base: this.base, instance: this.instance, batch: meta.sha256, loss: 2.5 };
    return binary(encodeFrame(reply, path === "/train" ? bytesOf(GRADIENT) : undefined));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function binary(body: Bytes): Response {
  return new Response(body, { headers: { "content-type": "application/octet-stream" } });
}

/** The honest binary answer with another head or data. */
async function changed(answer: Response, meta: object, data?: Uint8Array): Promise<Response> {
  const frame = decodeFrame(await answer.bytes());
  return binary(encodeFrame({ ...frame.meta, ...meta }, data ?? frame.data));
}

async function produce(sidecar: Bent, options: SidecarOptions = {}, topk_bps = 5_000) {
  const adapter = await SidecarAdapter.connect(context, {
    url: sidecar.url,
    total: TOTAL,
    timeoutMs: 2_000,
    ...options,
  });
  const source = new AdapterSource(adapter, { device: adapter.device, header: HEADER, decay: 1 });
  return await source.produce({
    window: 2,
    uid: 1,
    hparams: { ...DEFAULT_HPARAMS, topk_bps },
    theta: THETA,
    pages: batch.pages,
  });
}

for (const isBinary of [false, true]) {
  const dialect = isBinary ? "binary" : "the seed's JSON";
  Deno.test(`AdapterSource: a window through a sidecar, in ${dialect}`, async () => {
    await using sidecar = new Bent(isBinary);
    const { update, loss } = await produce(sidecar);
    equal(loss, 2.5);
    deepEqual([...update.indices], [0, 1, 4]);
    deepEqual([...update.values], [1, -2, 3]);
    deepEqual(sidecar.asked, ["/health", "/load_checkpoint", "/train"]);
  });
}

const text = (body: string) =>
  new Response(body, { headers: { "content-type": "application/json" } });
const floats = (...values: number[]) => bytesOf(Float32Array.from(values));

/** Half of what was promised, then nothing more. */
function half(body: Bytes, type: string): Response {
  const headers = { "content-type": type };
  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(body.subarray(0, body.length >> 1));
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.error(new Error("cut"));
    },
  });
  return new Response(stream, { headers });
}

const slow: Bend = async (honest) => {
  await new Promise((resolve) => setTimeout(resolve, 400));
  return await honest();
};

const FAULTS: readonly (readonly [string, boolean, string, Bend, string, RegExp])[] = [
  ["is slow", false, "/train", slow, "timeout", /did not finish \/train within 0.2 s/],
  ["is slow", true, "/train", slow, "timeout", /did not finish \/train within 0.2 s/],
  [
    "gives half a body",
    false,
    "/train",
    () => half(utf8(JSON.stringify({ gradient: [...GRADIENT], loss: 1 })), "application/json"),
    "cut",
    /broke off|ends at/,
  ],
  [
    "gives half a body",
    true,
    "/train",
    async (honest) => half(await (await honest()).bytes(), "application/octet-stream"),
    "cut",
    /broke off|ends at/,
  ],
  [
    "ends its JSON early",
    false,
    "/train",
    () => text('{"gradient":[1,2'),
    "bad_reply",
    /ends before/,
  ],
  [
    "gives a shorter gradient",
    false,
    "/train",
    () => text('{"gradient":[1,2],"loss":1}'),
    "wrong_size",
    /has 2 elements and not 6/,
  ],
  [
    "gives a longer gradient",
    false,
    "/train",
    () => text(`{"gradient":[${Array(9).fill(1)}],"loss":1}`),
    "wrong_size",
    /has more than 6 elements/,
  ],
  [
    "gives a shorter gradient",
    true,
    "/train",
    async (honest) => changed(await honest(), {}, floats(1, 2)),
    "wrong_size",
    /8 bytes are not 6/,
  ],
  [
    "gives NaN",
    false,
    "/train",
    () => text('{"gradient":[1,2,3,NaN,5,6],"loss":1}'),
    "non_finite",
    /element 3 is NaN/,
  ],
  [
    "gives NaN",
    true,
    "/train",
    async (honest) => changed(await honest(), {}, floats(1, 2, 3, NaN, 5, 6)),
    "non_finite",
    /element 3 is NaN/,
  ],
  [
    "gives a loss of NaN",
    false,
    "/train",
    () => text('{"gradient":[1,2,3,4,5,6],"loss":NaN}'),
    "non_finite",
    /loss is NaN/,
  ],
  [
    "gives no loss",
    true,
    "/train",
    async (honest) => changed(await honest(), { loss: null }),
    "non_finite",
    /loss is not a finite number/,
  ],
  [
    "gives zeros",
    true,
    "/train",
    async (honest) => changed(await honest(), {}, floats(0, 0, 0, 0, 0, 0)),
    "zero",
    /zero everywhere/,
  ],
  [
    "answers for other pages",
    true,
    "/train",
    async (honest) => changed(await honest(), { batch: "00" }),
    "wrong_batch",
    /other pages/,
  ],
  [
    "always answers for other weights",
    true,
    "/train",
    async (honest) => changed(await honest(), { base: "00" }),
    "wrong_base",
    /other weights/,
  ],
  [
    "loads other weights",
    true,
    "/load_checkpoint",
    async (honest) => changed(await honest(), { base: "00" }),
    "bad_reply",
    /loaded other weights/,
  ],
  [
    "does not load",
    false,
    "/load_checkpoint",
    () => Response.json({ ok: false }),
    "bad_reply",
    /did not load/,
  ],
  [
    "fails",
    false,
    "/load_checkpoint",
    () => new Response("<html>", { status: 500 }),
    "failed",
    /status 500: it gave no reason/,
  ],
  [
    "answers in the other dialect",
    true,
    "/train",
    () => Response.json({}),
    "bad_reply",
    /other dialect/,
  ],
  [
    "sends more than a gradient",
    true,
    "/train",
    () => binary(new Uint8Array(1 << 17)),
    "too_large",
    /more than \d+ bytes/,
  ],
  [
    "is another program",
    false,
    "/health",
    () => Response.json({ hello: 1 }),
    "bad_reply",
    /is no sidecar/,
  ],
  [
    "has another model",
    true,
    "/health",
    () => Response.json({ status: "ok", model: "big", device: "cpu", parameters: 7 }),
    "wrong_model",
    /'big' is not the ledger's model/,
  ],
];

for (const [what, isBinary, path, bend, code, line] of FAULTS) {
  const dialect = isBinary ? "binary" : "JSON";
  Deno.test(`AdapterSource: gives nothing where the sidecar ${what} (${dialect})`, async () => {
    await using sidecar = new Bent(isBinary, { [path]: bend });
    const timeoutMs = bend === slow ? 200 : 2_000;
    await rejects(produce(sidecar, { timeoutMs }), (error) => {
      if (!(error instanceof SidecarError || error instanceof Refusal)) throw error;
      equal(error.code, code, error.message);
      equal(line.test(error.message), true, error.message);
      equal(error.message.includes("\n"), false);
      return true;
    });
  });
}

Deno.test("AdapterSource: loads again where the sidecar restarted between loading and training", async () => {
  let restarted = false;
  await using sidecar: Bent = new Bent(true, {
    "/train": (honest) => {
      if (!restarted) [restarted, sidecar.base, sidecar.instance] = [true, null, "b"];
      return honest();
    },
  });
  const { update } = await produce(sidecar);
  deepEqual([...update.values], [1, -2, 3]);
  deepEqual(sidecar.asked.slice(1), ["/load_checkpoint", "/train", "/load_checkpoint", "/train"]);
});

Deno.test("AdapterSource: tries again where the sidecar is busy, or shutting down to be started again", async () => {
  for (const error of ["busy", "stopping"]) {
    let refused = false;
    await using sidecar = new Bent(true, {
      "/train": (honest) => {
        if (refused) return honest();
        refused = true;
        return Response.json({ error, message: "Later" }, { status: 503 });
      },
    });
    const { update } = await produce(sidecar);
    deepEqual([...update.values], [1, -2, 3], error);
  }
});

Deno.test("AdapterSource: a restart that is answered over is refused, then loaded again", async () => {
  let answers = 0;
  await using sidecar = new Bent(true, {
    "/train": async (honest) => changed(await honest(), answers++ === 0 ? { instance: "b" } : {}),
  });
  deepEqual([...(await produce(sidecar)).update.values], [1, -2, 3]);
  equal(answers, 2);
});

Deno.test("AdapterSource: sends no more than the ledger takes, and the largest of it", async () => {
  await using sidecar = new Bent(true);
  const { update } = await produce(sidecar, {}, 2_000);
  deepEqual([...update.indices], [4]);
  deepEqual([...update.values], [3]);
});

Deno.test("SidecarAdapter.connect: says where nothing answers", async () => {
  const sidecar = new Bent(false);
  await sidecar[Symbol.asyncDispose]();
  await rejects(
    SidecarAdapter.connect(context, { url: sidecar.url, total: TOTAL }),
    (error) => error instanceof SidecarError && error.code === "unreachable",
  );
});

Deno.test("SidecarAdapter.connect: sends its token, and asks the size of a sidecar that tells none", async () => {
  const tokens: (string | null)[] = [];
  await using sidecar = new Bent(false, {
    "/health": (honest, request) => {
      tokens.push(request.headers.get("authorization"));
      return honest();
    },
  });
  await SidecarAdapter.connect(context, { url: `${sidecar.url}/`, total: TOTAL, token: "secret" });
  deepEqual(tokens, ["Bearer secret"]);
  await rejects(SidecarAdapter.connect(context, { url: sidecar.url }), /does not say how large/);
});

async function* chunks(body: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = utf8(body);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

Deno.test("readJsonGradient: equals JSON.parse, however the bytes arrive", async () => {
  const value = fc.float({ noNaN: true, noDefaultInfinity: true });
  await fc.assert(
    fc.asyncProperty(
      fc.array(value, { maxLength: 20 }),
      value,
      fc.integer({ min: 1, max: 9 }),
      async (gradient, loss, size) => {
        const body = JSON.stringify({ loss, gradient }, null, size % 2);
        const read = await readJsonGradient(chunks(body, size), gradient.length);
        const plain = JSON.parse(body);
        deepEqual(read.gradient, Float32Array.from(plain.gradient));
        equal(read.loss, plain.loss);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("readJsonGradient: refuses what is not the seed's answer", async () => {
  for (
    const body of [
      "",
      "[]",
      "{}",
      '{"gradient":[[1]],"loss":1}',
      '{"gradient":[1],"loss":1}x',
      '{"gradient":[1e999],"loss":1}',
      '{"gradient":[x],"loss":1}',
      `{"gradient":[${"1".repeat(100)}],"loss":1}`,
      '{"gradient":[1],"loss":{"a":1}}',
    ]
  ) await rejects(readJsonGradient(chunks(body, 5), 1), Refusal, body);
});

Deno.test("decodeFrame: gives back what was encoded, and refuses the rest", () => {
  const frame = encodeFrame({ a: 1 }, Uint8Array.of(7));
  deepEqual(decodeFrame(frame), { meta: { a: 1 }, data: Uint8Array.of(7) });
  throws(() => encodeFrame({ a: "x".repeat(1 << 16) }), RangeError);
  for (const bad of [frame.slice(0, 3), frame.slice(0, 8), encodeFrame([] as never)]) {
    throws(() => decodeFrame(bad), Refusal);
  }
  throws(() => floatsOf(new Uint8Array(7), 2), Refusal);
});
