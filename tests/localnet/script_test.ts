import assert from "node:assert/strict";
import { modelHash } from "../../enclave/model/modelhash.ts";
import { PRESETS } from "../../enclave/model/presets.ts";
import { QUICKNET } from "../../enclave/protocol/drand.ts";
import { VirtualClock } from "../../host/ledger/clock.ts";
import type { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import type { Ledger } from "../../host/ledger/ledger.ts";
import { bytes32, T0 } from "../../host/ledger/testing.ts";
import { DATASET, devSide } from "./dev_side.ts";
import { playScript } from "./play.ts";
import { PEOPLE, type Person } from "./script.ts";

const address = (person: Person) =>
  `0x${(PEOPLE.indexOf(person) + 1).toString(16).padStart(64, "0")}`;
const ABOUT = {
  chainId: bytes32("chain"),
  ledgerId: bytes32("ledger"),
  modelHash: modelHash(PRESETS.tiny),
  baseHash: bytes32("base"),
  beacon: QUICKNET,
  startMs: T0,
};

/** Play the script on two dev ledgers, the first of which may be bent. */
async function playOnTwo(bend: (ledger: DevLedger) => Ledger = (ledger) => ledger) {
  const clocks = [new VirtualClock(T0), new VirtualClock(T0)] as const;
  using first = devSide(clocks[0], address, ABOUT);
  using second = devSide(clocks[1], address, ABOUT);
  const lines: string[] = [];
  const count = await playScript({
    first: { as: () => bend(first.ledger) },
    second,
    address,
    window: 0,
    until: (ms) => Promise.resolve(clocks[0].set(ms)),
    follow: () => {
      clocks[1].set(clocks[0].now());
      return Promise.resolve(clocks[0].now());
    },
    said: (line) => lines.push(line),
  });
  return { count, lines };
}

Deno.test("localnet script: every step is played on both ledgers, and those that must be refused are", async () => {
  const { count, lines } = await playOnTwo();
  assert.ok(count.taken > 40 && count.refused > 25, JSON.stringify(count));
  assert.equal(DATASET.pageCount >= 10, true);
  for (
    const [step, constant] of [
      ["miner0: commits twice", "EAlreadyCommitted"],
      ["miner0: reveals too early", "ETooEarly"],
      ["miner0: claims nothing", "ENothingToClaim"],
      ["admin: generates them twice", "EAlreadyGenerated"],
      ["stranger: may not", "ENotValidator"],
    ]
  ) {
    const line = lines.find((line) => line.startsWith(`${step}:`));
    assert.ok(line !== undefined, `${step} was taken`);
    assert.match(line, /refused, \w+::E\w+$/, `${step}, ${constant}`);
  }
});

Deno.test("localnet script: a ledger that differs is found", async () => {
  const lenient = (ledger: DevLedger) =>
    new Proxy(ledger as Ledger, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (name === "claim") {
          return () =>
            Promise.reject(new LedgerError("vram_token", "ENothingToClaim", "Another constant"));
        }
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  await assert.rejects(playOnTwo(lenient), /miner0: claims nothing/);
});
