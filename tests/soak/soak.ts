/**
 * `deno task soak`: a whole network on the tiny model for many windows of virtual time, with the real judge and
 * made-up gradients. After every window the coins are counted; memory and open files must stay flat.
 *
 *     deno task soak --windows 500
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { checkCoins } from "../crash/checks.ts";
import { FIRST, World } from "../crash/world.ts";

/** Windows after which caches and journals are as large as they get: a journal keeps 80 windows. */
const WARM_UP = 90;
/** What garbage that is not yet collected may make of a difference, in bytes; more while all is still warming up. */
const slackBytes = (windows: number) => windows > 2 * WARM_UP ? 32 << 20 : 128 << 20;
const MINERS = 3;

interface Sample {
  readonly window: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly files: number;
}

const { values } = parseArgs({
  args: Deno.args,
  options: {
    windows: { type: "string", default: "500" },
    json: { type: "boolean", default: false },
  },
});
const windows = Number(values.windows);
if (!Number.isInteger(windows) || windows < 1) {
  console.error(`error: --windows must be a positive number: it is ${values.windows}`);
  Deno.exit(2);
}

const world = await World.found({
  miners: MINERS,
  hparams: { checkpoint_frequency: 50, retention_windows: 10 },
});
const parties = [
  world.validator(),
  ...Array.from({ length: MINERS }, (_, uid) => world.miner(uid)),
  world.aggregator(),
];
const samples: Sample[] = [];
const started = performance.now();
let settled = 0;
for (let window = FIRST; window < FIRST + windows; window++) {
  await world.until(window);
  for (const party of parties) assert.equal(party.error, undefined, party.name);
  checkCoins(world);
  const { payout } = await world.ledger.window(window);
  settled += Number(payout !== null);
  const { heapUsed: heapBytes, rss: rssBytes } = Deno.memoryUsage();
  samples.push({ window, rssBytes, heapBytes, files: openFiles() });
  const shown = window === FIRST || (window - FIRST + 1) % Math.ceil(windows / 10) === 0;
  if (shown && !values.json) show(samples.at(-1)!);
}
const seconds = (performance.now() - started) / 1_000;
const { issued } = world.ledger.audit();
await world.close(parties);

assert.equal(settled, windows, "a window was not settled");
const warm = samples.slice(Math.min(WARM_UP, Math.floor(windows / 2)));
const half = Math.floor(warm.length / 2);
const [before, after] = [warm.slice(0, half), warm.slice(half)];
const most = (of: readonly Sample[], pick: (sample: Sample) => number) => Math.max(...of.map(pick));
const growth = {
  rssBytes: most(after, (s) => s.rssBytes) - most(before, (s) => s.rssBytes),
  heapBytes: least(after) - least(before),
  files: most(after, (s) => s.files) - most(before, (s) => s.files),
};
if (values.json) {
  console.log(JSON.stringify({ windows, settled, seconds, growth, last: samples.at(-1) }));
} else {
  console.log(
    `${settled} windows settled in ${seconds.toFixed(0)} s, ${Number(issued) / 1e9} VRAM issued, ` +
      `coins conserved after each`,
  );
  console.log(
    `from the first half to the second: RSS ${mib(growth.rssBytes)}, heap ${
      mib(growth.heapBytes)
    }, ` +
      `open files ${growth.files}`,
  );
}
const slack = slackBytes(windows);
const isFlat = growth.files <= 0 && growth.rssBytes <= slack && growth.heapBytes <= slack;
if (!isFlat) console.error("error: memory or open files grow");
Deno.exit(isFlat ? 0 : 1);

/** The heap just after a collection: the least that it came down to. */
function least(of: readonly Sample[]): number {
  return Math.min(...of.map(({ heapBytes }) => heapBytes));
}

function openFiles(): number {
  return Deno.build.os === "linux" ? [...Deno.readDirSync("/proc/self/fd")].length : 0;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function show({ files, heapBytes, rssBytes, window }: Sample): void {
  const numbers = `RSS ${mib(rssBytes)}, heap ${mib(heapBytes)}, open files ${files}`;
  console.log(`window ${String(window).padStart(4)}: ${numbers}`);
}
