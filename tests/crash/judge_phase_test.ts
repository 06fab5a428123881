/**
 * A judge that comes back with another key, in each phase of a window: before the reveal deadline that costs nothing,
 * behind it at most its validator's report. With one validator a report that is missed is a window that is skipped.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Deadlines } from "../../enclave/protocol/window.ts";
import type { Validator } from "../../host/validator.ts";
import { checkCoins, checkOnce, checkWhole, missed } from "./checks.ts";
import { Life } from "./faults.ts";
import { FIRST, World } from "./world.ts";

/** When it happens: at a time, or as the judge is asked for a message. */
type Moment = ((deadlines: Deadlines) => number) | "report" | "outcome";

/** The phases, and whether the running window's report is lost. */
const PHASES: readonly (readonly [name: string, at: Moment, lost: boolean])[] = [
  ["before the commit deadline", ({ commit, start }) => (start + commit) / 2, false],
  [
    "between the commit and the reveal deadline",
    ({ commit, reveal }) => (commit + reveal) / 2,
    false,
  ],
  // A look at the judge later, which is a fiftieth of a window, it is still early enough.
  ["just before the reveal deadline", ({ reveal }) => reveal - 250, false],
  ["behind the reveal deadline, before the report", ({ end, reveal }) => (reveal + end) / 2, true],
  ["while it measures", "report", true],
  ["between the report and the outcome", "outcome", false],
  ["behind the outcome", ({ end, report }) => (end + report) / 2, false],
];

/** How it happens. */
const WAYS = {
  /** A process of the validator's own, which hears of its end and starts it again. */
  ended: async (world: World, validator: () => Validator) => {
    await world.judge.end();
    void validator().mend();
  },
  /** An enclave that is there again, under the same address: the courier has to notice. */
  "back unseen": async (world: World) => {
    await world.judge.end();
    await world.judge.restart();
  },
  /** As both, and attested again before it answers the question that its predecessor was asked. */
  "replaced within a question": async (world: World, validator: () => Validator) => {
    await world.judge.end();
    await world.judge.restart();
    await validator().mend();
  },
} as const;

for (const [way, happens] of Object.entries(WAYS)) {
  for (const [phase, at, lost] of PHASES) {
    if (way === "replaced within a question" && typeof at === "function") continue;
    const cost = lost ? "its report alone is missed" : "no window is lost";
    Deno.test(`judge ${way} ${phase}: attested and registered again by itself, ${cost}`, async () => {
      const world = await World.found();
      const life = new Life();
      let started: Validator | undefined;
      const validator = () => started!;
      const parties = [
        world.validator(life, {}, (validator) => started = validator),
        world.miner(0),
        world.miner(1),
        world.watch(() => validator().mend()),
      ];
      try {
        if (typeof at === "function") {
          const { deadlines } = await world.ledger.window(FIRST);
          parties.push(world.at(at(deadlines), "fate", () => happens(world, validator)));
        } else {
          let times = 1;
          world.judge.onProcess = async (kind) => {
            if (kind === at && times-- > 0) await happens(world, validator);
          };
        }
        await world.until(FIRST + 2);
        for (const { error, name } of parties) assert.equal(error, undefined, name);
        const events = await world.ledger.events(0, 1_000);
        const keys = events.filter(({ kind }) => kind === "enclave_registry::EnclaveRegistered")
          .map(({ body }) => String(body.key));
        assert.equal(new Set(keys).size, 2, "another key was registered");
        assert.equal(keys.length, 2, "each key was registered once");
        assert.deepEqual(await missed(world), lost ? [`${FIRST} report`] : []);
        if (lost) {
          const { skipReason, status } = await world.ledger.window(FIRST);
          assert.deepEqual([status, skipReason], ["skipped", "no quorum of reports"]);
        } else await checkWhole(world, FIRST);
        await checkWhole(world, FIRST + 1);
        await checkWhole(world, FIRST + 2);
        await checkOnce(world, [life]);
        checkCoins(world);
      } finally {
        await world.close(parties);
      }
    });
  }
}
