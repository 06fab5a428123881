import assert from "node:assert/strict";
import { fromHex, toHex } from "../enclave/protocol/bytes.ts";
import { QUICKNET, timeOfRound, verifyBeacon } from "../enclave/protocol/drand.ts";
import { VARIABLES } from "./config/variables.ts";
import { DrandRelays, PUBLIC_RELAYS } from "./drand.ts";
import type { Log } from "./ledger/log.ts";
import { assignmentBeacon, BeaconUnavailable } from "./ledger/randomness.ts";

/** Rounds as quicknet published them. */
const RECORDED = new Map([
  [
    "123",
    "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482" +
    "e26cd02df835d3546d23c4b13e0dfc92",
  ],
  [
    "1000",
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125" +
    "e342b73a8dd2bacbe47e4b6b63ed5e39",
  ],
]);
const CHAIN = toHex(QUICKNET.chainHash);

type Answer = (round: string, request: Request) => Response | Promise<Response>;

/** A relay as drand's are. */
const honest: Answer = (round) => {
  const signature = RECORDED.get(round);
  if (signature === undefined) return new Response("EOF", { status: 404 });
  return Response.json({ round: Number(round), randomness: "00", signature });
};
/** Gives the signature of another round. */
const lying: Answer = (round) => {
  const signature = RECORDED.get(round === "123" ? "1000" : "123");
  return Response.json({ round: Number(round), signature });
};
const closed: Answer = () => new Response("no", { status: 503 });

interface Asked {
  readonly drand: DrandRelays;
  readonly lines: string[];
  /** How often each relay was asked. */
  readonly asked: number[];
  readonly urls: string[];
}

/** Relays on loopback that answer so. */
async function withRelays(
  answers: Answer[],
  body: (asked: Asked) => Promise<void>,
  now = timeOfRound(QUICKNET, 2_000n),
): Promise<void> {
  const asked = answers.map(() => 0);
  const servers = answers.map((_, i) =>
    Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      const { pathname } = new URL(request.url);
      const [, round] = new RegExp(`^/relay/${CHAIN}/public/(\\d+)$`).exec(pathname)!;
      asked[i]!++;
      return answers[i]!(round!, request);
    })
  );
  const lines: string[] = [];
  const log: Log = (level, _, message, fields) =>
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const urls = servers.map(({ addr }, i) =>
    `http://127.0.0.1:${addr.port}/relay${i % 2 === 0 ? "" : "/"}`
  );
  const options = { relays: urls, log, now: () => now, patienceMs: 300, hedgeMs: 100 };
  try {
    await body({ drand: new DrandRelays(QUICKNET, options), lines, asked, urls });
  } finally {
    await Promise.all(servers.map((server) => server.shutdown()));
  }
}

const right = (round: bigint, signature: Uint8Array) =>
  assert.equal(toHex(signature), RECORDED.get(`${round}`));

Deno.test("DrandRelays: gives quicknet's rounds, and asks for each once", () =>
  withRelays([honest, honest], async ({ asked, drand, lines }) => {
    const [a, b, c] = await Promise.all([123n, 123n, 1_000n].map((r) => drand.signature(r)));
    right(123n, a!);
    right(123n, b!);
    right(1_000n, c!);
    a!.fill(0); // the caller's own
    right(123n, await drand.signature(123n));
    verifyBeacon(drand.chain, 123n, await drand.signature(123n));
    assert.deepEqual(asked, [2, 0]);
    assert.deepEqual(lines, []);
  }));

Deno.test("DrandRelays: a relay that lies is skipped with one line, and asked last from then on", () =>
  withRelays([lying, honest], async ({ asked, drand, lines, urls }) => {
    right(123n, await drand.signature(123n));
    right(1_000n, await drand.signature(1_000n));
    assert.deepEqual(asked, [1, 2]);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /^warn Relay skipped: its signature is wrong/);
    assert(lines[0]!.includes(urls[0]!));
  }));

Deno.test("DrandRelays: whatever else a relay answers, the next one is asked", async (t) => {
  const json = (value: unknown): Answer => () => Response.json(value);
  const signature = RECORDED.get("123")!;
  const bad: Record<string, Answer> = {
    "an error": closed,
    "a redirect": () => Response.redirect("http://127.0.0.1:1/", 302),
    "a page": () => new Response("<html>"),
    "null": json(null),
    "another round": json({ round: 124, signature }),
    "no signature": json({ round: 123 }),
    "a short signature": json({ round: 123, signature: signature.slice(2) }),
    "no point": json({ round: 123, signature: "ff".repeat(48) }),
    "a long answer": () => new Response(" ".repeat(5_000)),
    "an endless answer": () =>
      new Response(
        new ReadableStream({ pull: (out) => out.enqueue(new Uint8Array(1 << 16)) }),
      ),
  };
  for (const [name, answer] of Object.entries(bad)) {
    await t.step(name, () =>
      withRelays([answer, closed, honest], async ({ asked, drand }) => {
        right(123n, await drand.signature(123n));
        assert.deepEqual(asked, [1, 1, 1]);
      }));
  }
});

Deno.test("DrandRelays: a relay that is slow is overtaken, one that hangs has its time", async () => {
  let release = () => {};
  const hanging: Answer = () =>
    new Promise((resolve) => release = () => resolve(new Response("late")));
  await withRelays([hanging, honest], async ({ asked, drand }) => {
    right(123n, await drand.signature(123n));
    assert.deepEqual(asked, [1, 1]);
    release();
  });
  await withRelays([hanging], async ({ drand }) => {
    await assert.rejects(drand.signature(123n), { message: /no answer within 300 ms/ });
    release();
  });
});

Deno.test("DrandRelays: where none answers, one line says so, and another when one does again", async () => {
  let answer = closed;
  const relay: Answer = (round, request) => answer(round, request);
  await withRelays([relay, relay, lying], async ({ drand, lines }) => {
    for (let i = 0; i < 3; i++) {
      const error = await drand.signature(123n).catch((error) => error);
      assert(error instanceof BeaconUnavailable && error.retryable);
      assert.match(
        error.message,
        /^Cannot get round 123 of drand: .*503.*not the chain's signature/,
      );
    }
    const said = () => lines.filter((line) => !line.includes("Relay skipped"));
    assert.equal(said().length, 1);
    assert.match(said()[0]!, /^warn No drand relay answers: everybody waits, .* is skipped/);
    answer = honest;
    right(123n, await drand.signature(123n));
    assert.equal(said().length, 2);
    assert.match(said()[1]!, /^info A drand relay answers again/);
    answer = closed;
    right(123n, await drand.signature(123n)); // known by now
    await assert.rejects(drand.signature(1_000n), BeaconUnavailable);
    assert.equal(said().length, 3);
  });
});

Deno.test("DrandRelays: a round that has just become due is waited for without a line", () =>
  withRelays([closed], async ({ drand, lines }) => {
    await assert.rejects(drand.signature(123n), BeaconUnavailable);
    assert.deepEqual(lines, []);
  }, timeOfRound(QUICKNET, 123n) + 2_000));

Deno.test("PUBLIC_RELAYS: are what the setting has where nobody sets it", () => {
  assert.equal(VARIABLES.DRAND_RELAYS.default, PUBLIC_RELAYS.join(","));
});

Deno.test("DrandRelays: no relay, or one that is no service, is refused", () => {
  const log = () => {};
  for (const relays of [[], ["api.drand.sh"], ["file:///etc"], ["https://api.drand.sh", ""]]) {
    assert.throws(() => new DrandRelays(QUICKNET, { relays, log }), RangeError);
  }
});

Deno.test("assignmentBeacon: a ledger that draws its own seeds asks no relay", () =>
  withRelays([honest], async ({ asked, drand }) => {
    const assignSeed = fromHex("07".repeat(32), 32);
    const randomness = { kind: "ledger", assignSeed, judgeSeed: new Uint8Array(32) } as const;
    const view = { context: { randomness } } as unknown as Parameters<typeof assignmentBeacon>[0];
    assert.deepEqual(await assignmentBeacon(view, drand), assignSeed);
    assert.deepEqual(asked, [0]);
  }));
