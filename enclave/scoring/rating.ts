/**
 * Skill ratings: the Plackett–Luce model of Weng and Lin ("A Bayesian Approximation Method for Online Ranking",
 * JMLR 12, 2011, algorithm 4) as OpenSkill computes it, one player a team. The results have the very bits of npm
 * `openskill` 5.0.1: same gamma (sigma / c), same kappa (1e-4), same treatment of ties, tau added first, same
 * order of every sum.
 *
 * A float sum depends on its order, and openskill's order is that of its input. Here players are put in a
 * canonical order first, ascending rank and then ascending uid, so that no order of the input changes a bit of
 * anybody's result. Who recomputes with openskill gives it the teams in that order.
 *
 * The only functions used beyond + − × ÷ are the square root, which IEEE 754 defines to the bit, and `Math.exp`,
 * which V8 computes in software (fdlibm), alike on every processor.
 *
 * @module
 */

/** What is believed of a player's skill: a normal distribution. */
export interface Rating {
  /** Its mean. */
  readonly mu: number;
  /** Its standard deviation, above 0. */
  readonly sigma: number;
}

/** Somebody in a game. */
export interface Player extends Rating {
  /** Who it is: different for each player of a game. It only orders those of equal rank. */
  readonly uid: number;
}

/** The uid of the virtual player: above every miner's, a u16, so that it comes last among equals. */
export const VIRTUAL_UID = 65_536;

/** The model's constants. */
export interface RatingOptions {
  /** Deviation of a performance around the skill. */
  readonly beta: number;
  /** What a game adds to a deviation, so that a rating never freezes. */
  readonly tau: number;
}

/** OpenSkill's own constants: beta 25/6, tau 25/300. */
export const DEFAULT_OPTIONS: RatingOptions = { beta: 25 / 6, tau: 25 / 300 };

/** The least share of a variance that one game leaves. */
const KAPPA = 1e-4;

/**
 * The ratings after one game, in the order of `players`. A lower rank is better, equal ranks are a tie; only the
 * order of ranks matters, not their distances.
 *
 * @throws {RangeError} where there is no player, a uid is there twice, ranks are not one finite number each, or a
 * rating or constant is out of range.
 */
export function ratePlackettLuce(
  players: readonly Player[],
  ranks: readonly number[],
  options: RatingOptions = DEFAULT_OPTIONS,
): Rating[] {
  assertGame(players, ranks, options);
  const { beta, tau } = options;
  const order = players
    .map(({ uid, mu, sigma }, at) => ({ at, rank: ranks[at]!, uid, mu, sigma }))
    .sort((a, b) => a.rank - b.rank || a.uid - b.uid);
  const game = order.map(({ rank, mu, sigma }) => {
    const widened = Math.sqrt(sigma * sigma + tau * tau);
    return { rank, mu, sigma: widened, variance: widened * widened };
  });

  let total = 0;
  for (const { variance } of game) total += variance + beta * beta;
  const c = Math.sqrt(total);
  for (const { mu } of game) {
    // Sums of strengths this small or large would be zero or infinite, and every rating NaN.
    if (Math.abs(mu) / c > MAX_LOG_STRENGTH) {
      throw new RangeError(`Cannot rate a game as a 'mu' of ${mu} is too far from 0`);
    }
  }
  // For each player, the strengths of all who did no better, and how many share the place.
  const strengths = game.map(({ mu }) => Math.exp(mu / c));
  const rest = game.map(({ rank }) => {
    let sum = 0;
    game.forEach((other, j) => {
      if (other.rank >= rank) sum += strengths[j]!;
    });
    return sum;
  });
  const tied = game.map(({ rank }) => game.filter((other) => other.rank === rank).length);

  const out = new Array<Rating>(players.length);
  game.forEach(({ rank, mu, sigma, variance }, i) => {
    let omega = 0;
    let delta = 0;
    for (let q = 0; q < game.length && game[q]!.rank <= rank; q++) {
      const share = strengths[i]! / rest[q]!;
      omega += (i === q ? 1 - share : -share) / tied[q]!;
      delta += share * (1 - share) / tied[q]!;
    }
    const gamma = Math.sqrt(variance) / c;
    const shrink = 1 - delta * (variance / (c * c)) * gamma;
    out[order[i]!.at] = {
      mu: mu + omega * (variance / c),
      sigma: sigma * Math.sqrt(Math.max(shrink, KAPPA)),
    };
  });
  return out;
}

/** Largest constant or deviation, and largest mu in units of c (e^700 is near binary64's largest number). */
const MAX_SIGMA = 1e6;
const MAX_LOG_STRENGTH = 700;

function assertGame(
  players: readonly Player[],
  ranks: readonly number[],
  { beta, tau }: RatingOptions,
): void {
  const fail = (why: string) => {
    throw new RangeError(`Cannot rate a game as its input is not valid: ${why}`);
  };
  if (players.length < 1) fail("there is no player");
  if (ranks.length !== players.length) {
    fail(`${players.length} players have ${ranks.length} ranks`);
  }
  const uids = new Set(players.map(({ uid }) => uid));
  if (uids.size !== players.length || uids.has(NaN)) fail("a uid is there twice or NaN");
  if (!ranks.every(Number.isFinite)) fail("a rank is not finite");
  if (!(beta > 0 && beta <= MAX_SIGMA)) fail(`'beta' is ${beta}`);
  if (!(tau >= 0 && tau <= MAX_SIGMA)) fail(`'tau' is ${tau}`);
  for (const { mu, sigma } of players) {
    if (!Number.isFinite(mu)) fail(`a 'mu' is ${mu}`);
    if (!(sigma > 0 && sigma <= MAX_SIGMA)) fail(`a 'sigma' is ${sigma}`);
  }
}
