/**
 * Tests of settlement, of averages and of pay.
 *
 * @module
 */
import {
  emissionAt,
  HALVING_TRIGGER,
  MINING_ALLOCATION,
  payWeight,
  split,
} from "../../../host/ledger/pay.ts";
import { effectiveAverage } from "../../../enclave/protocol/settle.ts";
import { biased, equals, list, type MoveTest, type MoveTests, vectors } from "./write.ts";

const USES = ["vramhub::reward_distributor as rd"];

/** A judge's entry, or the settled one. */
interface Entry {
  verdict: number;
  own_before: string | null;
  own_after: string | null;
  random_after: string | null;
}

/** What judges' entries settle as, field by field, and what follows from it. */
export function settleTests(): MoveTests {
  const { settlements, averages } = vectors("settle");
  const tests: MoveTest[] = [];
  for (const { name, stakes, random_before, settled_random_before, miners } of settlements) {
    const known = random_before.flatMap((value: string | null, i: number) =>
      value === null ? [] : [[biased(value), stakes[i]]]
    );
    tests.push({
      name: `${name} measure the base`,
      body: [equals(
        `rd::lower_median(${
          [0, 1].map((k) => list("u64", known.map((pair: string[]) => pair[k]!))).join(", ")
        })`,
        biased(settled_random_before),
      )],
    });
    for (const { what, reports, settled, average_from_zero } of miners) {
      const column = (field: keyof Entry) =>
        `&${list("u64", reports.map((entry: Entry) => biased(entry[field])))}`;
      const before = biased(settled_random_before);
      const medians = [settled.own_before, settled.own_after, settled.random_after].map(biased);
      const average = `rd::next_average(1000000, ${before}, ${medians.join(", ")})`;
      tests.push({
        name: `${name} ${what}`,
        body: [
          `let (verdict, own_before, own_after, random_after) = rd::settle_entry(${
            [
              `&${list("u8", reports.map(({ verdict }: Entry) => verdict))}`,
              column("own_before"),
              column("own_after"),
              column("random_after"),
              `&${list("u64", stakes)}`,
              before,
            ].join(", ")
          });`,
          equals("verdict", settled.verdict),
          equals("own_before", medians[0]!),
          equals("own_after", medians[1]!),
          equals("random_after", medians[2]!),
          equals("rd::has_metrics(verdict)", `${average_from_zero !== null}`),
          ...average_from_zero === null ? [] : [equals(average, average_from_zero)],
        ],
      });
    }
  }
  averages.forEach((steps: { sign: number; average: string; effective: string }[], run: number) => {
    let previous = "1000000";
    tests.push({
      name: `average over run ${run}`,
      body: steps.flatMap(({ sign, average, effective }, i) => {
        // Random pages gain 3; the miner's own gain as much, one less or one more.
        const losses = [10, 10, 7 - sign, 7].map(biased);
        const from = previous;
        previous = average;
        return [
          equals(`rd::next_average(${from}, ${losses.join(", ")})`, average),
          // Below zero a weight is nothing.
          equals(`rd::effective_average(${average}, ${i + 1})`, positive(effective)),
        ];
      }),
    });
  });
  return { module: "reward_distributor", topic: "settle", uses: USES, tests };
}

/** Weights, emission and the split of a pot, as `host/ledger/pay.ts` has them now. */
export function payTests(): MoveTests {
  const emission = 70_000_000_000;
  const issued = [
    0n,
    HALVING_TRIGGER - 1n,
    HALVING_TRIGGER,
    MINING_ALLOCATION - 1n,
    MINING_ALLOCATION,
  ];
  const ratings = [[25_000_000, 8_333_333], [30_000_000, 5_000_000], [60_000_000, 1_000_000], [
    15_000_000,
    5_000_000,
  ], [-1, 1]];
  const stored = [[1_000_000, 8], [1_000_000, 9], [1_050_000, 1], [2_000_000, 300], [0, 9]];
  const weights = ratings.flatMap(([mu, sigma]) =>
    stored.flatMap(([average, measured]) =>
      [1, 2].flatMap((accepted) =>
        [-3, 0, 3].map((score) => {
          const effective = effectiveAverage(average!, measured!);
          const weight = payWeight({ mu: mu!, sigma: sigma!, average: effective, score, accepted });
          const losses = [biased(11_000_000), biased(11_000_000 - score)];
          return equals(
            `rd::pay_weight(${
              [biased(mu!), sigma, average, measured, accepted, ...losses].join(", ")
            })`,
            weight,
          );
        })
      )
    )
  );
  const pots: [bigint, bigint[]][] = [
    [70_000_000_000n, [1n, 1n, 1n]],
    [70_000_000_000n, [0n, 0n]],
    [7n, [5n, 3n, 0n]],
    [10_500_000_000_000_000n, [40_000_000n ** 4n, 1n, 40_000_000n ** 4n]],
    [1n, []],
  ];
  const tests: MoveTest[] = [
    { name: "weights of performances", body: weights },
    {
      name: "emission by what was issued",
      body: issued.map((before) =>
        equals(`rd::emission_at(${before}, ${emission})`, emissionAt(before, emission))
      ),
    },
    {
      name: "pots are split by weight",
      body: pots.map(([pot, parts]) =>
        equals(`rd::split(${pot}, &${list("u256", parts)})`, list("u64", split(pot, parts)))
      ),
    },
  ];
  return { module: "reward_distributor", topic: "pay", uses: USES, tests };
}

function positive(value: string): string {
  return value.startsWith("-") ? "0" : value;
}
