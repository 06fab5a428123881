/**
 * `deno task dataset` as its user calls it: a Parquet file behind ranges, a build that is killed, `verify`, `register`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parquetWriteBuffer } from "hyparquet-writer";
import { fromHex, toHex } from "../../enclave/protocol/bytes.ts";
import { openStores } from "../../host/cli/open_store.ts";
import { Config } from "../../host/config/mod.ts";
import { openShared } from "../../host/data/shared.ts";
import { SYSTEM_CLOCK } from "../../host/ledger/clock.ts";
import { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import { address, ADMIN } from "../../host/ledger/testing.ts";
import { startCommand } from "../support/command.ts";
import { Folder } from "../support/vramhub.ts";
import { startWalrusStandIn } from "../support/walrus_standin.ts";

const TEXTS = Array.from(
  { length: 600 },
  (_, i) => `Document ${i}, of some length. ${"x".repeat(i % 37)}`,
);
/** What the tiny model is trained on: a page is 65 bytes of text. */
const BUILD = ["--model", "tiny", "--json", "--out"];

interface Printed {
  readonly code: number;
  readonly stderr: string;
  readonly last: Record<string, unknown>;
}

async function dataset(words: readonly string[], cwd?: string): Promise<Printed> {
  const { code, stderr, stdout } = await startCommand("dataset", words, cwd).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  const last = lines.at(-1)! === "" ? {} : JSON.parse(lines.at(-1)!);
  return { code, last, stderr: new TextDecoder().decode(stderr) };
}

/** Serves `bytes` by ranges, as public data sets are served; from `holdFrom` on it gives no answer. */
function serve(bytes: Uint8Array<ArrayBuffer>) {
  let asked = 0;
  const state = { holdFrom: Infinity, onHold: () => {} };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "")!;
    if (++asked > state.holdFrom) {
      state.onHold();
      await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
    }
    const part = bytes.slice(Number(from), Number(to) + 1);
    const end = Number(from) + part.length - 1;
    return new Response(part, {
      status: 206,
      headers: { "content-range": `bytes ${from}-${end}/${bytes.length}`, etag: '"1"' },
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/shard.parquet`,
    state,
    asked: () => asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("dataset: killed in mid-build over HTTP ranges it goes on to the root of the other formats; verify and register", async () => {
  await using folder = await Folder.found();
  const { dir } = folder;
  const jsonl = TEXTS.map((text) => JSON.stringify({ text }) + "\n").join("");
  await Deno.writeTextFile(`${dir}/all.jsonl`, jsonl);
  const whole = await dataset(["build", `${dir}/all.jsonl`, ...BUILD, `${dir}/a`]);
  assert.equal(whole.code, 0, whole.stderr);

  const columnData = [{ name: "text", data: TEXTS, type: "STRING" as const }];
  const parquet = new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 25 }));
  await using server = serve(parquet);
  const out = `${dir}/b`;
  const words = ["build", server.url, ...BUILD, out];
  const reached = new Promise<void>((resolve) => server.state.onHold = resolve);
  server.state.holdFrom = 12;
  const child = startCommand("dataset", words);
  const output = child.output();
  await Promise.race([reached, output]);
  child.kill("SIGKILL");
  assert.equal((await output).success, false);
  const half = (await Deno.stat(`${out}/pages.bin`)).size;
  assert(half > 0, "some of it is on the disk");
  const before = server.asked();
  server.state.holdFrom = Infinity;
  const resumed = await dataset(words);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.equal(resumed.last.root, whole.last.root);
  const groups = Math.ceil(TEXTS.length / 25);
  assert(server.asked() - before < groups, "what was done was not fetched again");

  const verified = await dataset(["verify", out, "--json"]);
  assert.deepEqual([verified.code, verified.last.root], [0, whole.last.root], verified.stderr);
  const registered = await dataset(
    ["register", `${out}/dataset.json`, "--json", "--data-dir", dir, "--as", ADMIN],
  );
  assert.equal(registered.code, 0, registered.stderr);
  const own = await dataset(
    ["register", out, "--for-jobs", "--json", "--data-dir", dir, "--as", "anna"],
  );
  assert.equal(own.code, 0, own.stderr);
  {
    using ledger = DevLedger.open(`${dir}/ledger.sqlite`, SYSTEM_CLOCK);
    const row = await ledger.dataset(Number(registered.last.id));
    assert.deepEqual([toHex(row!.root), row!.owner], [whole.last.root, null]);
    const job = await ledger.dataset(Number(own.last.id));
    assert.notEqual(job!.owner, null);
  }

  const stranger = ["register", out, "--data-dir", dir, "--as", address(0xbad)];
  const refused = await dataset(stranger);
  assert.deepEqual(
    [refused.code, /ENotAdmin.*--for-jobs/.test(refused.stderr)],
    [1, true],
    refused.stderr,
  );
  using file = await Deno.open(`${out}/pages.bin`, { read: true, write: true });
  await file.seek(half, Deno.SeekMode.Start);
  const byte = new Uint8Array(1);
  await file.read(byte);
  await file.seek(half, Deno.SeekMode.Start);
  await file.write(byte.map((value) => value ^ 4));
  for (const call of [["verify", out], stranger]) {
    const found = await dataset(call);
    assert.deepEqual([found.code, /wrong in page \d+/.test(found.stderr)], [1, true], found.stderr);
  }
  const nowhere = await dataset(["register", `${dir}/none`, "--data-dir", dir]);
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /^error: Cannot find .*none: build a data set with/);
  const unset = await dataset(["register", `${dir}/a`], dir);
  assert.equal(unset.code, 2);
  assert.match(unset.stderr, /^error: Cannot open a dev ledger: give --data-dir DIR/);
});

Deno.test("dataset push --store walrus: says by which catalog others find it (a stand-in), and they do", async () => {
  await using standIn = startWalrusStandIn();
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${dir}/all.jsonl`,
      TEXTS.map((text) => JSON.stringify({ text })).join("\n"),
    );
    const built = await dataset(["build", `${dir}/all.jsonl`, ...BUILD, `${dir}/built`]);
    assert.equal(built.code, 0, built.stderr);
    const env = {
      VRAMHUB_WALRUS_PUBLISHER: standIn.url,
      VRAMHUB_WALRUS_AGGREGATOR: standIn.url,
      VRAMHUB_DATA_DIR: `${dir}/home`,
    };
    const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
    await Deno.writeTextFile(`${dir}/.env`, lines.join(""));
    const pushed = await dataset(["push", `${dir}/built`, "--store", "walrus", "--json"], dir);
    assert.equal(pushed.code, 0, pushed.stderr);
    const { catalog, event, file } = pushed.last;
    assert.equal(event, "listed");
    assert.equal(await Deno.readTextFile(String(file)), `${catalog}\n`);
    const stores = { ...env, VRAMHUB_DATA_DIR: `${dir}/other`, VRAMHUB_STORAGE_BACKEND: "walrus" };
    const config = new Config([{
      name: "a test",
      values: { ...stores, VRAMHUB_WALRUS_CATALOG: String(catalog) },
    }]);
    using other = await openStores(config);
    const pages = await openShared(other.shared, fromHex(String(built.last.root)));
    await pages.load([0]);
    assert.equal(pages.dataset.pageCount, built.last.page_count);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
