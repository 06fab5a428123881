/**
 * `POST /process_job` over the real socket: what is bent, broken or too much is refused with a reason and signs
 * nothing, and the honest request behind it is answered.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { JudgeClient, JudgeError } from "../host/courier/judge_client.ts";
import {
  betterFile,
  chunksOf,
  hashOf,
  jobBody,
  jobPayload,
  manifestBytes,
} from "../tests/support/job.ts";
import { bodyOf, createTestJudge, TestNet, v1 } from "../tests/support/window.ts";
import type { Judge } from "./judge.ts";
import { type Bytes, utf8 } from "./protocol/bytes.ts";
import { decodeJobVerdict, type JobVerdict } from "./protocol/job_verdict.ts";
import { decodeBody, encodeBody, type JobPayload, SIGNED } from "./protocol/judge_messages.ts";
import { judgeHandler } from "./server.ts";

const net = new TestNet();
const file = await betterFile(net);
const honest = jobPayload(net, 7, manifestBytes(net, file));

interface Target {
  readonly judge: Judge;
  readonly client: JudgeClient;
  /** What is answered to `body`: status and refusal, or `signed`. */
  post(
    body: Bytes,
    path?: string,
    method?: string,
  ): Promise<readonly [status: number, text: string]>;
}

async function served(run: (target: Target) => Promise<void>): Promise<void> {
  const judge = await createTestJudge();
  give(judge);
  const dir = await Deno.makeTempDir();
  const path = `${dir}/judge.sock`;
  const server = Deno.serve({ path, onListen: () => {} }, judgeHandler(judge));
  const client = JudgeClient.unix(path);
  const proxied = Deno.createHttpClient({ proxy: { transport: "unix", path } });
  const post = async (body: Bytes, path = "/process_job", method = "POST") => {
    const init = method === "GET" ? { method } : { method, body };
    const response = await fetch(`http://judge${path}`, { ...init, client: proxied });
    const text = Array.from(await response.bytes(), (byte) => String.fromCodePoint(byte)).join("");
    return [response.status, text] as const;
  };
  try {
    await run({ judge, client, post });
  } finally {
    proxied.close();
    client.close();
    await server.shutdown();
    await judge.close();
    await Deno.remove(dir, { recursive: true });
  }
}

/** The chunks of base and result. */
function give(judge: Judge): void {
  for (const { hash, bytes } of chunksOf(net, net.file, file)) judge.blobs.put(hash, bytes);
}

function verdictIn(answer: string): JobVerdict {
  const bytes = Uint8Array.from(answer, (letter) => letter.codePointAt(0)!);
  return decodeJobVerdict(decodeBody(bytes, SIGNED).message);
}

const refusal = (code: string) => (error: unknown) => {
  assert.ok(error instanceof JudgeError, String(error));
  assert.equal(error.code, code);
  return true;
};

Deno.test("POST /process_job: answers a signed verdict, the same again, and another question never", () =>
  served(async ({ client }) => {
    const signed = await client.processJob(honest);
    assert.equal(decodeJobVerdict(signed.message).job, 7);
    assert.equal(signed.manifest, null);
    assert.deepEqual(await client.processJob(honest), signed);
    const other = jobPayload(net, 7, honest.base);
    await assert.rejects(client.processJob(other), refusal("already_signed"));
  }));

Deno.test("POST /process_job: takes a strict body of its own and nothing else", () =>
  served(async ({ client, post }) => {
    const window = net.window(3, [v1(1, await net.train(3, 1))]);
    const wide = new Uint8Array(257);
    const many = Array(129).fill(honest.pages[0]);
    const bodies: readonly (readonly [body: Bytes, wanted: RegExp])[] = [
      [new Uint8Array(0), /^400.*truncated/],
      [utf8("job=7"), /^400/],
      [encodeBody({}), /^400.*missing_field/],
      [encodeBody({ payload: {} }), /^400.*missing_field/],
      [encodeBody({ payload: { ...honest }, more: 1 }), /^400.*unknown_field/],
      [encodeBody({ payload: { ...honest, more: 1 } }), /^400.*unknown_field/],
      // Anybody may post a job: no graph of their choice is run.
      [
        encodeBody({ payload: { ...honest, model: { package: wide } } }),
        /^400.*(unknown|missing)_field/,
      ],
      [encodeBody({ payload: { ...honest, job: -1 } }), /^400.*out_of_range/],
      [encodeBody({ payload: { ...honest, job: 2n ** 53n } }), /^400.*out_of_range/],
      [encodeBody({ payload: { ...honest, result: null } }), /^400.*wrong_kind/],
      [encodeBody({ payload: { ...honest, base_hash: wide } }), /^400.*wrong_length/],
      [encodeBody({ payload: { ...honest, dataset: wide } }), /^400.*wrong_length/],
      [encodeBody({ payload: { ...honest, pages: many } }), /^400.*wrong_length/],
      [bodyOf(window.report()), /^400.*(unknown|missing)_field/],
      [new Uint8Array([...jobBody(honest), 0]), /^400.*trailing/],
      [jobBody(honest).slice(0, -1), /^400.*truncated/],
    ];
    for (const [body, wanted] of bodies) {
      const [status, text] = await post(body);
      assert.match(`${status} ${text.replaceAll("\n", " ")}`, wanted);
    }
    assert.equal((await post(jobBody(honest), "/process_data"))[0], 400);
    assert.equal((await post(jobBody(honest), "/process_job?job=7"))[0], 400);
    assert.equal((await post(jobBody(honest), "/process_job", "PUT"))[0], 405);
    assert.equal((await post(jobBody(honest), "/process_job", "GET"))[0], 405);
    await client.processJob(honest);
  }));

Deno.test("POST /process_job: refuses inputs of other jobs, and signs the honest one afterwards", () =>
  served(async ({ client }) => {
    const other = jobPayload(net, 8, honest.result);
    const bent: readonly (readonly [change: Partial<JobPayload>, wanted: string])[] = [
      [{ job: 8, pages: [] }, "missing_page"],
      [{ pages: other.pages.slice(1) }, "missing_page"],
      [{ result: other.base }, "unbound_input"],
      [{ result_hash: hashOf(other.base) }, "unbound_input"],
      [{ dataset_root: honest.base_hash }, "unbound_input"],
    ];
    for (const [change, wanted] of bent) {
      await assert.rejects(client.processJob({ ...honest, ...change }), refusal(wanted), wanted);
    }
    assert.equal(decodeJobVerdict((await client.processJob(honest)).message).job, 7);
  }));

Deno.test("POST /process_job: no flipped bit of a request is an internal failure, or signed as if it were not there", () =>
  served(async ({ client, judge, post }) => {
    const body = jobBody(honest);
    const truth = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.nat(body.length - 1), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
        const flipped = body.slice();
        flipped[at]! ^= 1 << bit;
        const [status, text] = await post(flipped);
        if (status === 200) { // a bit of the number: a verdict on that job, which this one is not
          const { job } = verdictIn(text);
          assert.notEqual(job, 7);
          give(judge);
          return;
        }
        assert.ok(status >= 400 && status < 500, `${status} at ${at}: ${text.slice(0, 200)}`);
        truth.add(text.match(/error.(\w+)/)?.[1] ?? text);
      }),
      { numRuns: 150, examples: [[body.indexOf(0x6a) + 3, 0]] },
    );
    assert.ok(truth.size >= 3, [...truth].join());
    assert.equal(judge.busy, false);
    await client.processJob(honest);
  }));

Deno.test("POST /process_job: a judge at work answers BUSY before it reads the body", () =>
  served(async ({ client, judge, post }) => {
    const busy = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(judge), "busy")!;
    Object.defineProperty(judge, "busy", { get: () => true, configurable: true });
    await assert.rejects(client.processJob(honest), refusal("busy"));
    assert.match((await post(utf8("no body at all"))).join(" "), /^503 .*busy/s);
    Object.defineProperty(judge, "busy", busy);
    assert.equal(decodeJobVerdict((await client.processJob(honest)).message).job, 7);
  }));
