/**
 * Ratings: one game of everybody, and a whole window as the judge deals it.
 *
 * @module
 */
import { sha256 } from "../../../enclave/protocol/hash.ts";
import { drawFromSeed } from "../../../enclave/protocol/draw.ts";
import type { SettledRow } from "../../../enclave/protocol/settle.ts";
import { SETTLED } from "../../../enclave/protocol/verdict.ts";
import { rateWindow } from "../../../enclave/scoring/outcome.ts";
import { ratePlackettLuce } from "../../../enclave/scoring/rating.ts";
import { type Figure, medianMs, ms, uniform } from "../figures.ts";

const MINERS = 256;

/** The figures. */
export async function* rating(): AsyncGenerator<Figure> {
  const draw = uniform(1);
  const players = Array.from(
    { length: MINERS },
    (_, uid) => ({ uid, mu: 20 + 10 * draw(), sigma: 2 + 6 * draw() }),
  );
  const ranks = players.map(({ uid }) => uid);
  yield ms(
    "Plackett–Luce, one game of 256",
    await medianMs(() => ratePlackettLuce(players, ranks), { runs: 31, warmup: 5 }),
  );
  const rows: SettledRow[] = players.map(({ uid, mu, sigma }) => ({
    uid,
    verdict: SETTLED.accepted,
    ownBefore: 5_000_000,
    ownAfter: 4_980_000,
    randomAfter: 4_990_000 - Math.floor(10_000 * draw()),
    priorMu: Math.round(mu * 1e6),
    priorSigma: Math.round(sigma * 1e6),
  }));
  const seed = sha256(new Uint8Array(32));
  yield ms(
    "ratings of a window of 256 in matches of four",
    await medianMs(() => rateWindow(5_000_000, rows, drawFromSeed(seed)), { runs: 31, warmup: 5 }),
  );
}
