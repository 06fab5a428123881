/**
 * A network whose randomness comes over HTTP: relays of the world's own chain, in drand's form, on loopback.
 *
 * @module
 */
import assert from "node:assert/strict";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { DrandRelays } from "../../host/drand.ts";
import type { Log } from "../../host/ledger/log.ts";
import type { BeaconSource } from "../../host/ledger/randomness.ts";
import { FIRST, World } from "../crash/world.ts";

/** Serve what `answer` gives, in drand's form. */
function serve(answer: (round: bigint) => Uint8Array | undefined) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const round = BigInt(/\/public\/(\d+)$/.exec(request.url)![1]!);
    const signature = answer(round);
    if (signature === undefined) return new Response("down", { status: 503 });
    return Response.json({ round: Number(round), signature: toHex(signature) });
  });
}

Deno.test("drand: windows run over relays, one of which lies; an outage is one line, and the ledger skips what it met", async () => {
  let local: BeaconSource | undefined;
  let down = false;
  const signature = (round: bigint) => down ? undefined : local!.signature(round) as Uint8Array;
  const honest = serve(signature);
  const liar = serve((round) => signature(round - 1n));
  const lines: string[] = [];
  const log: Log = (level, _, message) => {
    if (level === "warn" || level === "error" || message.includes("drand")) lines.push(message);
  };
  let drand: DrandRelays | undefined;
  const box: { world?: World } = {};
  const world = box.world = await World.found({
    hparams: { randomness_kind: 0 },
    log,
    beacon: (chain) => {
      local = chain;
      const relays = [liar, honest].map(({ addr }) => `http://127.0.0.1:${addr.port}`);
      const now = () => box.world?.turns.now() ?? 0;
      return drand ??= new DrandRelays(chain.chain, { relays, log, now });
    },
  });
  const parties = [world.validator(), world.miner(0), world.miner(1)];
  const at = async (window: number) =>
    await world.turns.drive(async () => await world.window() >= window);
  try {
    await at(FIRST + 1);
    const { deadlines } = await world.ledger.window(FIRST + 1);
    await world.turns.drive(() => world.turns.now() >= deadlines.commit);
    down = true; // FIRST is judged, FIRST + 1 is committed to
    await at(FIRST + 4);
    down = false;
    await world.until(FIRST + 4);
    const views = [];
    for (let n = FIRST; n <= FIRST + 4; n++) views.push(await world.ledger.window(n));
    const [first, unjudged, , , last] = views;
    assert.deepEqual([first!.status, first!.reveals.length], ["closed", 2]);
    assert.deepEqual([unjudged!.status, unjudged!.reveals.length], ["skipped", 2]);
    assert.equal(views[2]!.payout, null);
    assert.deepEqual([last!.status, last!.reveals.length], ["closed", 2]);
    assert.deepEqual(lines, [
      "Relay skipped: its signature is wrong",
      "No drand relay answers: everybody waits, and a window without its randomness is skipped by the ledger",
      "A drand relay answers again",
    ]);
  } finally {
    await world.close(parties);
    await Promise.all([honest.shutdown(), liar.shutdown()]);
  }
});
