/**
 * VRAMScan over a large ledger: each answer of its API, and how long a browser takes to its first page. The
 * ledger is a real one of two windows; its tables are then filled with copies of the second.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { startExplorer } from "../../../host/explorer/server.ts";
import { T0, TestNetwork, WINDOW_MS } from "../../../host/ledger/testing.ts";
import { findChromium, launch } from "../../browser/browser.ts";
import { type Figure, medianMs, ms, peakMemory, quantile } from "../figures.ts";

const WINDOWS = 10_000;
const MINERS = 256;
const VALIDATORS = 32;
/** The newest windows, which hold every gradient and report; older ones hold a sixteenth of the gradients. */
const WHOLE = 200;

const PROOF = new URL("../../../host/cli/explorer_proof.ts", import.meta.url);

/** The paths and what they are called. */
const ASKED: readonly (readonly [name: string, path: string])[] = [
  ["the network", "/network"],
  ["200 windows", "/windows?limit=200"],
  ["50 windows of long ago", "/windows?before=3000"],
  ["the curve, 300 points", "/curve"],
  ["a window that is being judged, 256 gradients", `/windows/${WINDOWS}`],
  ["a window that ended, 256 gradients", `/windows/${WINDOWS - 5}`],
  ["one gradient's judges", `/windows/${WINDOWS - 5}/gradients/7`],
  ["256 miners", "/miners"],
  ["a miner", "/miners/7"],
  ["a miner's last 8 windows", "/miners/7/windows"],
  ["the validators and their documents", "/validators"],
  ["a validator's last 8 windows", "/validators/1/windows"],
  ["the job board", "/jobs"],
  ["a quote", "/jobs/quote?modelParamsM=124&datasetTokensM=1000"],
  ["a miner's windows of long ago", "/miners/16/windows?before=9900"],
  ["a search by number", "/search?q=7"],
  ["a search by hash", `/search?q=${"ab".repeat(32)}`],
];

async function largeLedger(path: string): Promise<TestNetwork> {
  const uids = Array.from({ length: MINERS }, (_, uid) => uid);
  const validators = Array.from({ length: VALIDATORS }, () => 10_000n);
  const network = await TestNetwork.found({ path, miners: MINERS, validators });
  for (const window of [0, 1]) {
    await network.play(window, uids);
    for (const i of validators.keys()) await network.report(i, window);
    while (!await network.ledger.settle(window, 64));
    for (const i of validators.keys()) await network.outcome(i, window);
  }
  fill(path);
  network.clock.set(T0 + (WINDOWS + 1) * WINDOW_MS);
  return network;
}

/** Copies of window 1 up to {@link WINDOWS}. */
function fill(path: string): void {
  const db = new DatabaseSync(path);
  db.exec("pragma synchronous = off; begin");
  const numbers = (from: number, to: number) =>
    `with recursive n(w) as (select ${from} union all select w + 1 from n where w < ${to})`;
  const copy = (table: string, from: number, where = "") => {
    const names = (db.prepare(`pragma table_info(${table})`).all() as { name: string }[])
      .map(({ name }) => name);
    const values = names.map((name) => name === "window" ? "n.w" : `t.${name}`).join(", ");
    // A commit's number is the ledger's only one.
    const unique = values.replace("t.commit_seq", "n.w * 1000 + t.uid");
    db.exec(
      `${numbers(from, WINDOWS)} insert or replace into ${table} (${names.join(", ")})
       select ${unique} from n, ${table} as t where t.window = 1 ${where}`,
    );
  };
  const whole = WINDOWS - WHOLE;
  for (const table of ["windows", "snapshots"]) copy(table, 2);
  for (const table of ["reveals", "settled", "payouts"]) {
    copy(table, 2, "and t.uid % 16 = 0");
    copy(table, whole);
  }
  for (const table of ["reports", "outcomes"]) copy(table, whole);
  db.exec(
    `update windows set current_loss = 9000000 - 500 * window, merged_loss = 8999500 - 500 * window,
       status = 'closed' where window > 1;
     insert or replace into meta values ('rolled', ${WINDOWS}), ('window', ${WINDOWS}); commit`,
  );
  db.close();
}

/** The figures. */
export async function* explorer(): AsyncGenerator<Figure> {
  const dir = await Deno.makeTempDir({ prefix: "vramhub-bench-" });
  try {
    const network = await largeLedger(`${dir}/ledger.sqlite`);
    const { ledger } = network;
    try {
      const started = performance.now();
      await using site = await startExplorer({
        ledger,
        networkName: "dev",
        explorerUrl: null,
        receipt: () => Promise.resolve(null),
        proof: PROOF,
        port: 0,
        log: () => {},
      });
      yield ms("explorer: until it listens", performance.now() - started);
      const read = async (path: string) => {
        const response = await fetch(new URL(`/api/v1${path}`, site.url));
        const text = await response.text();
        if (!response.ok) throw new Error(`Cannot read ${path}: ${text}`);
        return JSON.parse(text);
      };
      while (!(await read("/health")).isWhole) await new Promise((done) => setTimeout(done, 20));
      await read("/validators"); // made beforehand, after the windows
      yield ms(`explorer: until it knows ${WINDOWS} windows`, performance.now() - started);
      for (const [name, path] of ASKED) {
        const first = performance.now();
        await read(path);
        yield ms(`explorer: ${name}, the first time`, performance.now() - first);
        yield ms(`explorer: ${name}`, await medianMs(() => read(path)));
      }
      yield* firstPage(site.url);
    } finally {
      ledger[Symbol.dispose]();
    }
    yield* peakMemory("explorer: peak memory");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** From the address to the table of the last windows, in a fresh browser context each time. */
async function* firstPage(url: string): AsyncGenerator<Figure> {
  const chromium = findChromium();
  if (chromium === null) return;
  const browser = await launch(chromium);
  try {
    let bytes = 0;
    const times: number[] = [];
    for (let run = -1; run < 5; run++) {
      const context = await browser.newContext();
      const page = await context.newPage();
      const session = await context.newCDPSession(page);
      await session.send("Network.enable");
      bytes = 0;
      session.on("Network.loadingFinished", ({ encodedDataLength }) => bytes += encodedDataLength);
      const started = performance.now();
      await page.goto(url);
      await page.getByRole("table").waitFor();
      if (run >= 0) times.push(performance.now() - started);
      await context.close();
    }
    const time = quantile(times, 0.5);
    yield ms("explorer: first page usable, in Chromium, nothing cached", time);
    yield {
      name: "explorer: first page transferred",
      value: bytes / 1000,
      unit: "KB",
      better: "less",
    };
  } finally {
    await browser.close();
  }
}
