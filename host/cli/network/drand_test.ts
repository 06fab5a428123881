import assert from "node:assert/strict";
import { QUICKNET, verifyBeacon } from "../../../enclave/protocol/drand.ts";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { DrandError, DrandRelays } from "./drand.ts";

/** Round 1000 of quicknet, as `GET /public/1000` gives it; the value of tests/vectors/drand.json. */
const ROUND = 1_000;

async function known(): Promise<string> {
  const vectors = JSON.parse(
    await Deno.readTextFile(new URL("../../../tests/vectors/drand.json", import.meta.url)),
  );
  const text = JSON.stringify(vectors);
  const found = new RegExp(`"round":"?${ROUND}"?[^}]*?"signature":"([0-9a-f]{96})"`).exec(text)
    ?.[1];
  assert.ok(found !== undefined, "the vectors have the round");
  return found;
}

/** Relays that answer by url, and the urls that were asked. */
function relays(answers: Readonly<Record<string, Response | Error>>) {
  const asked: string[] = [];
  const fetcher = ((url: string) => {
    asked.push(url);
    const answer = answers[new URL(url).host];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer!.clone());
  }) as unknown as typeof fetch;
  const urls = Object.keys(answers).map((host) => `https://${host}`);
  return { asked, source: new DrandRelays(QUICKNET, urls, fetcher) };
}

Deno.test("DrandRelays: asks for the chain's round, and its signature verifies", async () => {
  const signature = await known();
  const { asked, source } = relays({ a: Response.json({ round: ROUND, signature }) });
  const bytes = await source.signature(BigInt(ROUND));
  assert.deepEqual(asked, [`https://a/${toHex(QUICKNET.chainHash)}/public/${ROUND}`]);
  assert.equal(verifyBeacon(QUICKNET, BigInt(ROUND), bytes).length, 32);
});

Deno.test("DrandRelays: goes on to the next relay, and says of each why it gave nothing", async () => {
  const signature = await known();
  const good = Response.json({ round: ROUND, signature });
  const bad: Record<string, Response | Error> = {
    down: new TypeError("connection refused"),
    late: new Response("too early", { status: 425 }),
    other: Response.json({ round: ROUND + 1, signature }),
    short: Response.json({ round: ROUND, signature: "ab" }),
    html: new Response("<html>"),
    huge: new Response("x".repeat(5_000)),
  };
  const { asked, source } = relays({ ...bad, good });
  assert.equal((await source.signature(BigInt(ROUND))).length, 48);
  assert.equal(asked.length, 7);
  await assert.rejects(relays(bad).source.signature(BigInt(ROUND)), (error) => {
    assert.ok(error instanceof DrandError && error.retryable);
    assert.match(error.message, /down: connection refused; .*425.*round 1001.*too long/);
    return true;
  });
});
