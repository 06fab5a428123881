import assert from "node:assert/strict";
import fc from "fast-check";
import { rate } from "openskill";
import { plackettLuce } from "openskill/models";
import { muFromFixed, muToFixed, sigmaFromFixed, sigmaToFixed } from "./fixed.ts";
import { type Player, ratePlackettLuce, type Rating, VIRTUAL_UID } from "./rating.ts";

const vectors: {
  games: {
    name: string;
    ranks: number[];
    before: { mu: string; sigma: string }[];
    after: { mu: string; sigma: string }[];
  }[];
} = JSON.parse(
  Deno.readTextFileSync(new URL("../../tests/vectors/rating.json", import.meta.url)),
);

for (const { name, ranks, before, after } of vectors.games) {
  Deno.test(`ratePlackettLuce: the vector "${name}", from fixed point to fixed point`, () => {
    const players = before.map(({ mu, sigma }, uid) => ({
      uid,
      mu: muFromFixed(BigInt(mu)),
      sigma: sigmaFromFixed(BigInt(sigma)),
    }));
    const rated = ratePlackettLuce(players, ranks).map(({ mu, sigma }) => ({
      mu: muToFixed(mu).toString(),
      sigma: sigmaToFixed(sigma).toString(),
    }));
    assert.deepEqual(rated, after);
  });
}

const finite = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const games = fc.array(
  fc.record({ mu: finite(-50, 100), sigma: finite(0.01, 10), rank: fc.nat(6) }),
  { minLength: 1, maxLength: 12 },
);
const options = fc.record({ beta: finite(1, 10), tau: finite(0, 1) });

/** What openskill makes of the players, given to it in canonical order. */
function openskill(
  players: readonly Player[],
  ranks: readonly number[],
  { beta, tau }: { beta: number; tau: number },
): Rating[] {
  const order = players.map((_, at) => at).sort((a, b) =>
    ranks[a]! - ranks[b]! || players[a]!.uid - players[b]!.uid
  );
  const teams = order.map((at) => [{ mu: players[at]!.mu, sigma: players[at]!.sigma }]);
  const rank = order.map((at) => ranks[at]!);
  const out = rate(teams, { model: plackettLuce, rank, beta, tau, mu: 25, sigma: 25 / 3 });
  const rated = new Array<Rating>(players.length);
  order.forEach((at, i) => {
    const { mu, sigma } = out[i]![0]!;
    rated[at] = { mu, sigma };
  });
  return rated;
}

Deno.test("ratePlackettLuce: every bit is openskill's, ties included", () => {
  fc.assert(
    fc.property(games, options, (game, options) => {
      const players = game.map(({ mu, sigma }, uid) => ({ uid, mu, sigma }));
      const ranks = game.map(({ rank }) => rank);
      const rated = ratePlackettLuce(players, ranks, options);
      assert.deepEqual(rated, openskill(players, ranks, options));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("ratePlackettLuce: the order of the input changes nobody's bits, of like players in a tie either", () => {
  const alike = fc.array(
    fc.record({
      mu: fc.constantFrom(25, 30),
      sigma: fc.constantFrom(8, 3),
      rank: fc.nat(1),
    }),
    { minLength: 2, maxLength: 8 },
  );
  fc.assert(
    fc.property(fc.oneof(games, alike), fc.infiniteStream(fc.nat()), (game, noise) => {
      const players = game.map(({ mu, sigma, rank }, uid) => ({ uid, mu, sigma, rank }));
      const shuffled = players
        .map((player) => ({ player, key: noise.next().value! }))
        .sort((a, b) => a.key - b.key)
        .map(({ player }) => player);
      const byUid = (list: typeof players) => {
        const rated = ratePlackettLuce(list, list.map(({ rank }) => rank));
        return new Map(list.map(({ uid }, i) => [uid, rated[i]]));
      };
      assert.deepEqual(byUid(shuffled), byUid(players));
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("ratePlackettLuce: only the order of ranks matters", () => {
  fc.assert(fc.property(games, (game) => {
    const players = game.map(({ mu, sigma }, uid) => ({ uid, mu, sigma }));
    const ranks = game.map(({ rank }) => rank);
    assert.deepEqual(
      ratePlackettLuce(players, ranks),
      ratePlackettLuce(players, ranks.map((rank) => 10 * rank - 7)),
    );
  }));
});

Deno.test("ratePlackettLuce: who beats the virtual player gains, who loses to it falls", () => {
  const fresh = { mu: 25, sigma: 25 / 3 };
  const pair = [{ uid: 4, ...fresh }, { uid: VIRTUAL_UID, ...fresh }];
  assert(ratePlackettLuce(pair, [0, 1])[0]!.mu > 25);
  assert(ratePlackettLuce(pair, [1, 0])[0]!.mu < 25);
  assert.equal(ratePlackettLuce(pair, [0, 0])[0]!.mu, 25);
});

Deno.test("ratePlackettLuce: refuses what would not give numbers", () => {
  const player = { uid: 0, mu: 25, sigma: 8 };
  const other = { ...player, uid: 1 };
  const bad: [Player[], number[], { beta: number; tau: number }?][] = [
    [[], []],
    [[player, other], [0]],
    [[player, player], [0, 1]],
    [[player, other], [0, NaN]],
    [[player, other], [0, Infinity]],
    [[{ ...player, mu: NaN }], [0]],
    [[{ ...player, mu: Infinity }], [0]],
    [[{ ...player, mu: 1e6 }, other], [0, 1]],
    [[{ ...player, mu: -1e6 }, other], [0, 1]],
    [[{ ...player, sigma: 0 }], [0]],
    [[{ ...player, sigma: -1 }], [0]],
    [[{ ...player, sigma: NaN }], [0]],
    [[player, other], [0, 1], { beta: 0, tau: 0 }],
    [[player, other], [0, 1], { beta: NaN, tau: 0 }],
    [[player, other], [0, 1], { beta: 4, tau: -1 }],
  ];
  for (const [players, ranks, options] of bad) {
    assert.throws(() => ratePlackettLuce(players, ranks, options), RangeError);
  }
});
