// Real gRPC-web bytes over a custom fetch: framing by PROTOCOL-WEB.md of grpc/grpc (a flag, a length in four
// bytes big endian, the message; trailers in a last frame of flag 0x80), text mode in base64, messages by hand.
import assert from "node:assert/strict";
import { concat, fromHex, toHex, utf8 } from "../../../enclave/protocol/bytes.ts";
import { SuiError } from "./errors.ts";
import { Executor, PATIENCE } from "./execute.ts";
import { Clock, CLOCK_ID } from "./layout/framework.ts";
import * as windows from "./calls/windows.ts";
import { Outbox } from "./outbox.ts";
import { StateReader } from "./state_reader.ts";
import { openStore } from "./store.ts";
import { clientOf } from "./sui_ledger.ts";
import { DEPLOYMENT, PROFILE } from "./testing.ts";
import { Wallet } from "./wallet.ts";

/** A protobuf field of wire type 2: tag, length (below 2^14 here), bytes. */
function field(number: number, ...parts: Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  const tag = number << 3 | 2;
  const length = body.length < 0x80 ? [body.length] : [body.length & 0x7f | 0x80, body.length >> 7];
  return concat(Uint8Array.of(tag, ...length), body);
}
/** A protobuf field of wire type 0 (varint). */
function varint(number: number, value: number): Uint8Array {
  const out = [number << 3];
  for (; value >= 0x80; value = Math.floor(value / 128)) out.push(value & 0x7f | 0x80);
  return Uint8Array.of(...out, value);
}
const string = (number: number, text: string) => field(number, utf8(text));

function frame(flag: number, body: Uint8Array): Uint8Array {
  const head = new Uint8Array(5);
  head[0] = flag;
  new DataView(head.buffer).setUint32(1, body.length);
  return concat(head, body);
}

function answer(message: Uint8Array | null, status = 0, text = ""): Response {
  const trailers = frame(0x80, utf8(`grpc-status:${status}\r\ngrpc-message:${text}\r\n`));
  const body = message === null ? trailers : concat(frame(0, message), trailers);
  return new Response(btoa(String.fromCharCode(...body)), {
    headers: { "content-type": "application/grpc-web-text+proto" },
  });
}

/** The message of a request. */
async function messageOf(request: Request): Promise<Uint8Array> {
  const body = Uint8Array.from(atob(await request.text()), (char) => char.charCodeAt(0));
  assert.deepEqual([body[0], new DataView(body.buffer).getUint32(1)], [0, body.length - 5]);
  return body.subarray(5);
}

type Handler = (message: Uint8Array) => Response | Promise<Response>;

function fetching(handlers: Record<string, Handler>): { fetch: typeof fetch; paths: string[] } {
  const paths: string[] = [];
  return {
    paths,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const path = new URL(request.url).pathname;
      paths.push(path);
      assert.equal(request.method, "POST");
      assert.match(request.headers.get("content-type")!, /^application\/grpc-web-text/);
      return await handlers[path]!(await messageOf(request));
    },
  };
}

const LEDGER = "/sui.rpc.v2.LedgerService/";
const EXECUTION = "/sui.rpc.v2.TransactionExecutionService/";
const STATE = "/sui.rpc.v2.StateService/";

Deno.test("wire: the clock is read", async () => {
  const content = concat(fromHex(CLOCK_ID), fromHex("0068e5cf8b010000")); // u64 little endian
  const { fetch, paths } = fetching({
    [`${LEDGER}BatchGetObjects`]: (message) => {
      // requests (1): object_id (1)
      assert.ok(toHex(message).startsWith(toHex(field(1, string(1, CLOCK_ID)))));
      return answer(field(
        1, // objects
        field(
          1, // object
          string(2, CLOCK_ID), // object_id
          varint(3, 9), // version
          string(4, "4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S"), // digest
          field(5, varint(1, 3), varint(3, 1)), // owner: kind SHARED, version 1
          string(6, "0x2::clock::Clock"), // object_type
          field(8, field(2, content)), // contents: value
        ),
      ));
    },
  });
  const reader = new StateReader(clientOf(PROFILE, { fetch }), DEPLOYMENT);
  const clock = await reader.object(CLOCK_ID, Clock);
  assert.equal(clock?.value.timestamp_ms, 1_700_000_000_000);
  assert.equal(clock?.object.initialSharedVersion, "1");
  assert.deepEqual(paths, [`${LEDGER}BatchGetObjects`]);
});

Deno.test("wire: a call is simulated and executed, and sent again after a broken answer", async () => {
  const wallet = Wallet.fromPrivateKey(
    "suiprivkey1qrwsjvr6gwaxmsvxk4cfun99ra8uwxg3c9pl0nhle7xxpe4s80y05ctazer",
  );
  const gasUsed = concat(varint(1, 1_000_000), varint(2, 2_000_000)); // computation, storage
  const done = (digest: string) =>
    field(
      1, // transaction
      string(1, digest),
      field(
        4, // effects
        field(4, varint(1, 1)), // status: success
        field(6, gasUsed), // gas_used
        string(7, digest), // transaction_digest
      ),
    );
  const sent: string[] = [];
  const { fetch, paths } = fetching({
    [`${STATE}ListOwnedObjects`]: () =>
      answer(field(
        1, // objects
        string(2, `0x${"c0".repeat(32)}`), // object_id
        varint(3, 5), // version
        string(4, "4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S"), // digest
        field(5, varint(1, 1), string(2, wallet.address)), // owner: kind ADDRESS
        string(6, "0x2::coin::Coin<0x2::sui::SUI>"), // object_type
        concat(Uint8Array.of(101 << 3 & 0x7f | 0x80, 101 >> 4), varint(0, 9_000_000_000).slice(1)), // balance (101)
      )),
    [`${LEDGER}GetEpoch`]: () => answer(field(1, varint(1, 5), varint(8, 1_000))), // epoch: number, price
    [`${EXECUTION}SimulateTransaction`]: () => answer(done("simulated")),
    [`${EXECUTION}ExecuteTransaction`]: (message) => {
      sent.push(toHex(message));
      // A proxy that gives up: the node may have the transaction, or not.
      if (sent.length === 1) return new Response("upstream timeout", { status: 504 });
      const [signed] = outbox.pending();
      // transaction (1): bcs (1): value (2)
      assert.ok(toHex(message).startsWith(toHex(field(1, field(1, field(2, signed!.bytes))))));
      return answer(done(signed!.digest));
    },
    // NOT_FOUND, percent-encoded as on the wire
    [`${LEDGER}GetTransaction`]: () => answer(null, 5, "Transaction%20not%20found"),
  });
  const db = openStore(":memory:", "wire");
  const outbox = new Outbox(db, wallet.address);
  const client = clientOf(PROFILE, { fetch });
  const executor = new Executor({
    client,
    reader: new StateReader(client, DEPLOYMENT),
    wallet,
    outbox,
    patience: { ...PATIENCE, sleep: () => Promise.resolve() },
  });
  const { digest } = await executor.run(() => windows.settle(DEPLOYMENT, 12, 64));
  assert.equal(new Set(sent).size, 1);
  assert.deepEqual(paths.slice(2).map((path) => path.split("/").at(-1)), [
    "SimulateTransaction",
    "ExecuteTransaction",
    "GetTransaction",
    "ExecuteTransaction",
  ]);
  assert.match(digest, /^[1-9A-HJ-NP-Za-km-z]{43,44}$/);
  db.close();
});

Deno.test("wire: nothing that listens is a typed error", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const client = clientOf({ name: "localnet", url: `http://127.0.0.1:${port}` });
  await assert.rejects(
    new StateReader(client, DEPLOYMENT).object(CLOCK_ID, Clock),
    (error) => error instanceof SuiError && error.code === "unavailable" && error.retryable,
  );
});
