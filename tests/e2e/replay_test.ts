import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { decodeHparams, encodeHparams, type Hparams } from "../../enclave/protocol/hparams.ts";
import { decodeReport, encodeReport } from "../../enclave/protocol/report.ts";
import { SETTLED } from "../../enclave/protocol/verdict.ts";
import {
  Missing,
  modelOf,
  openBeacon,
  openLedgerCopy,
  openPages,
  openStore,
} from "../../host/cli/replay/data_dir.ts";
import { replayBases } from "../../host/cli/replay/inputs.ts";
import { replay } from "../../host/cli/replay/replay.ts";
import type { Checked } from "../../host/cli/report/verify.ts";
import { useNativeSha256 } from "../../host/cli/native.ts";
import { collectReceipt, encodeReceipt, receiptPath } from "../../host/receipt/mod.ts";
import { ended, startCommand } from "../support/command.ts";

const WINDOW = 3;
let original: string;

Deno.test.beforeAll(async () => {
  useNativeSha256();
  original = await Deno.makeTempDir({ prefix: "vramhub-replay-" });
  const args = ["--test-mode", "--model", "tiny", "--json", "--window-seconds", "6"];
  const { code, stderr } = await ended(
    startCommand("validator", [...args, "--windows", `${WINDOW}`, "--data-dir", original]),
  );
  assert.equal(code, 0, stderr);
});

Deno.test.afterAll(() => Deno.remove(original, { recursive: true }));

/** Every file below `dir` with its size and time of change. */
async function listing(dir: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = `${dir}/${name}`;
    if (isDirectory) found.push(...await listing(path));
    const { size, mtime } = await Deno.stat(path);
    found.push(`${path} ${size} ${mtime?.getTime()}`);
  }
  return found.sort();
}

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyTree(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** A copy of the network in which `plant` changed something, audited. */
async function planted(
  plant: (dir: string) => unknown,
  window = WINDOW,
  tolerance = 0,
): Promise<{ ok: boolean; failed: Map<string, string>; checks: Checked[] }> {
  const dir = await Deno.makeTempDir({ prefix: "vramhub-planted-" });
  try {
    await copyTree(original, dir);
    await plant(dir);
    const checks: Checked[] = [];
    const ok = await replay({ dataDir: dir, window, tolerance, json: false }, {
      show: (checked) => checks.push(checked),
      progress: () => {},
      signal: new AbortController().signal,
    });
    const failed = checks.filter((check) => !check.ok);
    return { ok, checks, failed: new Map(failed.map(({ name, detail }) => [name, detail])) };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Plant something and expect that it is found under this name. */
async function finds(
  plant: (dir: string) => unknown,
  name: string,
  detail: RegExp,
  window = WINDOW,
): Promise<Map<string, string>> {
  const { ok, failed } = await planted(plant, window);
  assert.equal(ok, false, `${name} was not found`);
  assert.match(failed.get(name) ?? `no ${name} among ${[...failed]}`, detail);
  return failed;
}

async function flip(path: string, at = 100): Promise<void> {
  const bytes = await Deno.readFile(path);
  bytes[at % bytes.length]! ^= 1;
  await Deno.writeFile(path, bytes);
}

function sql<T>(dir: string, run: (db: DatabaseSync) => T): T {
  using db = new DatabaseSync(`${dir}/ledger.sqlite`);
  return run(db);
}

/** The first accepted miner of a window, and its gradient's hash. A slow machine can lose one of them. */
const accepted = (dir: string, window: number): { uid: number; hash: Uint8Array } =>
  sql(dir, (db) => {
    const row = db.prepare(
      `select uid, content_hash from reveals join settled using (window, uid)
       where window = ? and verdict = ${SETTLED.accepted} order by uid`,
    ).get(window)!;
    return { uid: row.uid as number, hash: new Uint8Array(row.content_hash as Uint8Array) };
  });

const blob = (dir: string, window: number): string =>
  `${dir}/store/blobs%${toHex(accepted(dir, window).hash)}`;
const reference = (dir: string): string =>
  `${dir}/store/gradient-${WINDOW}-${accepted(dir, WINDOW).uid}-v1.pt`;

Deno.test("audit replay: the judge says the same bytes again, and the directory stays as it is", async () => {
  const before = await listing(original);
  for (const window of [1, WINDOW]) {
    const child = startCommand("audit", [
      ...["replay", "--json", "--data-dir", original],
      ...["--window", `${window}`, "--tolerance", "0"],
    ]);
    const { code, stdout, stderr } = await child.output();
    const text = new TextDecoder().decode(stdout);
    assert.equal(code, 0, text + new TextDecoder().decode(stderr));
    const { ok, simulated, checks } = JSON.parse(text);
    assert.deepEqual([ok, simulated], [true, true]);
    for (const kind of ["report", "outcome"]) {
      const { detail } = checks.find(({ name }: Checked) => name === kind);
      assert.equal(detail, "validator 0: the same bytes but for key, uid and timestamp");
    }
  }
  assert.deepEqual(await listing(original), before);
});

Deno.test("audit replay: without the beacon's key the window's receipt gives the signatures", async () => {
  const { ok, checks } = await planted((dir) => Deno.remove(`${dir}/keys`, { recursive: true }));
  assert.equal(ok, true);
  assert.match(checks.find(({ name }) => name === "read beacon")!.detail, /receipt/);
});

Deno.test("audit replay: a changed gradient is found, by hash and by name, with its uid", async () => {
  const { uid } = accepted(original, WINDOW);
  const name = new RegExp(`^the gradient of uid ${uid}, (blobs|gradient-3)`);
  await finds((dir) => flip(blob(dir, WINDOW)), "gradients", name);
  await finds((dir) => flip(reference(dir)), "gradients", name);
});

Deno.test("audit replay: a changed gradient of an earlier merge is found", async () => {
  await finds((dir) => flip(blob(dir, 1)), "merges", /^a merge's input blobs/);
});

Deno.test("audit replay: a changed page is found", async () => {
  await finds(
    (dir) => flip(`${dir}/dataset/pages.bin`, 123_456),
    "read data",
    /its pages do not give its root/,
  );
});

Deno.test("audit replay: another key of the beacon is found", async () => {
  await finds(
    (dir) => Deno.writeTextFile(`${dir}/keys/simulated-beacon.key`, "01".repeat(32)),
    "read beacon",
    /not that of the ledger's chain/,
  );
});

Deno.test("audit replay: another reveal's hash is found", async () => {
  const failed = await finds(
    (dir) =>
      sql(dir, (db) => {
        const { uid, hash } = accepted(dir, WINDOW);
        hash[0]! ^= 1;
        db.prepare("update reveals set content_hash = ? where window = ? and uid = ?")
          .run(hash, WINDOW, uid);
      }),
    "reveals",
    /the fold of the reveals/,
  );
  assert.match(failed.get("gradients")!, /^the gradient of uid \d/);
});

Deno.test("audit replay: a settled row that no report gives is found", async () => {
  const failed = await finds(
    (dir) =>
      sql(dir, (db) =>
        db.prepare(
          "update settled set random_after = random_after - 7 where window = ? and uid = ?",
        ).run(WINDOW, accepted(dir, WINDOW).uid)),
    "settlement",
    /^randomAfter of uid \d is \d+, the reports give \d+/,
  );
  assert.match(failed.get("outcome")!, /differs at settled_digest/);
});

Deno.test("audit replay: changed bytes of a report are found, and the uid and field that differ", async () => {
  const failed = await finds(
    (dir) =>
      sql(dir, (db) => {
        const row = db.prepare("select message from reports where window = ?").get(WINDOW)!;
        const report = decodeReport(new Uint8Array(row.message as Uint8Array));
        const { uid } = accepted(dir, WINDOW);
        const entries = report.entries.map((entry) =>
          entry.uid === uid ? { ...entry, ownAfter: entry.ownAfter! - 1 } : entry
        );
        db.prepare("update reports set message = ? where window = ?")
          .run(encodeReport({ ...report, entries }), WINDOW);
      }),
    "reports",
    /wrong signature/,
  );
  assert.match(failed.get("report")!, /^validator 0: differs at uid \d, own_after: signed \d+/);
});

Deno.test("audit replay: other hparams are found, where they change a merge and where they do not", async () => {
  const plant = (change: Partial<Hparams>) => (dir: string) =>
    sql(dir, (db) => {
      const row = db.prepare("select hparams from windows where window = ?").get(WINDOW)!;
      const hparams = decodeHparams(new Uint8Array(row.hparams as Uint8Array));
      db.prepare("update windows set hparams = ? where window = ?")
        .run(encodeHparams({ ...hparams, ...change }), WINDOW);
    });
  const digest = /the digest that validator 0 judged/;
  const merged = await finds(plant({ top_g: 1 }), "reports", digest);
  assert.match(merged.get("merges")!, /the ledger anchored/);
  const paid = await finds(plant({ emission: 1 }), "reports", digest);
  assert.match(paid.get("pay")!, /is paid/);
  assert.match(paid.get("report")!, /differs at window_digest/);
});

Deno.test("audit replay: what else the ledger holds of the window is found where it is changed", async () => {
  const cases: [statement: string, check: string, detail: RegExp][] = [
    ["update windows set base = zeroblob(32)", "merges", /^Base 0+ of window 3/],
    ["update windows set acc = zeroblob(32)", "reveals", /the fold of the reveals/],
    ["update outcomes set signature = zeroblob(64)", "outcomes", /wrong signature/],
    ["update payouts set reward = '1'", "pay", /is paid 1, not/],
    ["update settled set average = 0", "settlement", /the average of uid/],
    ["update snapshots set stake = '5'", "events", /snapshot/],
    ["delete from events", "events", /there are 0 events/],
  ];
  for (const [statement, check, detail] of cases) {
    const plant = (dir: string) =>
      sql(dir, (db) => db.exec(`${statement} where window = ${WINDOW}`));
    await finds(plant, check, detail);
  }
  const document = (dir: string) =>
    sql(dir, (db) => db.exec("update enclaves set document = x'00'"));
  await finds(document, "attestation", /the document of validator 0/);
});

Deno.test("audit replay: what is missing is no verdict, and status 3", async () => {
  await assert.rejects(
    planted(async (dir) => {
      await Deno.remove(blob(dir, WINDOW));
      await Deno.remove(reference(dir));
    }),
    (error) => error instanceof Missing && /gradient of uid \d is not kept/.test(error.message),
  );
  const child = startCommand("audit", ["replay", "--data-dir", original, "--window", "99"]);
  const { code, stderr } = await child.output();
  assert.equal(code, 3);
  assert.match(new TextDecoder().decode(stderr), /Cannot replay window 99: it has no row/);
});

Deno.test("collectReceipt: a stranger collects the very bytes that the validator kept", async () => {
  const scratch = await Deno.makeTempDir({ prefix: "vramhub-collect-" });
  try {
    using ledger = await openLedgerCopy(original, scratch);
    const info = await ledger.info();
    const view = await ledger.window(WINDOW);
    const { randomness } = view.context;
    assert(randomness.kind === "drand");
    const rounds = [randomness.assignRound, randomness.judgeRound] as const;
    const { source: beacon } = await openBeacon(original, scratch, info, WINDOW, rounds);
    const pages = await openPages(original, info);
    const model = modelOf(info);
    const store = await openStore(original);
    const { bases } = await replayBases(view, ledger, store, model, () => {});
    const manifest = (hash: Uint8Array) => bases.manifest(hash);
    const receipt = await collectReceipt({ ledger, pages, beacon, model, manifest }, WINDOW);
    const kept = await Deno.readFile(receiptPath(original, WINDOW));
    assert.deepEqual(encodeReceipt(receipt), kept);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
});

Deno.test("audit replay: three validators, one of whom abstains, all say the same again", async () => {
  const dir = await Deno.makeTempDir({ prefix: "vramhub-replay-" });
  try {
    const args = ["--test-mode", "--model", "tiny", "--json", "--windows", "1"];
    const more = ["--window-seconds", "12", "--validators", "3", "--liar", "abstain"];
    const run = await ended(startCommand("validator", [...args, ...more, "--data-dir", dir]));
    assert.equal(run.code, 0, run.stderr);
    const sent = (table: string) =>
      sql(dir, (db) => db.prepare(`select * from ${table} where window = 1`).all().length);
    const checks: Checked[] = [];
    const ok = await replay({ dataDir: dir, window: 1, tolerance: 0, json: false }, {
      show: (checked) => checks.push(checked),
      progress: () => {},
      signal: new AbortController().signal,
    });
    assert.equal(ok, true, JSON.stringify(checks.filter((check) => !check.ok)));
    const again = checks.filter(({ detail }) => detail.includes("the same bytes"));
    assert.equal(again.length, sent("reports") + sent("outcomes"));
    assert(sent("reports") > 1, "more than one validator reported");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
