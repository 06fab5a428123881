import assert from "node:assert/strict";
import { parquetWriteBuffer } from "hyparquet-writer";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { datasetRoot } from "../../enclave/protocol/dataset.ts";
import { leafHash, verifyMerkle } from "../../enclave/protocol/merkle.ts";
import { Pages } from "../store/pages.ts";
import { LocalStore } from "../store/local.ts";
import { buildDataset, type BuildPlan } from "./build.ts";
import { openFolder, readDatasetFile, verifyFolder } from "./folder.ts";
import { indexKey, openShared, pushDataset } from "./shared.ts";
import { DataError } from "./source_bytes.ts";

const TEXTS = Array.from(
  { length: 40 },
  (_, i) => `Document ${i}: ünïcode, 日本\nlines and "quotes" ${"x".repeat(i * 7)}`,
);

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function plan(sources: string[], out: string): BuildPlan {
  return { sources, field: "text", tokenizer: "bytes", pageTokens: 33, out };
}

const jsonl = (texts: readonly string[]) =>
  texts.map((text) => JSON.stringify({ id: 1, text }) + "\n").join("");

function parquet(texts: readonly string[], rowGroupSize = 7): Uint8Array<ArrayBuffer> {
  const columnData = [
    { name: "text", data: [...texts], type: "STRING" as const },
    { name: "score", data: texts.map((_, i) => i), type: "INT32" as const },
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize }));
}

async function build(sources: string[], out: string): Promise<string> {
  return toHex(datasetRoot((await buildDataset(plan(sources, out), () => {})).dataset));
}

/** Serves `files` by ranges; answers may be cut or changed by `bend`. */
function serve(
  files: Record<string, Uint8Array<ArrayBuffer>>,
  bend: (path: string, count: number) => Response | undefined = () => undefined,
) {
  let count = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    const bent = bend(pathname, ++count);
    if (bent !== undefined) return bent;
    const bytes = files[pathname.slice(1)];
    if (bytes === undefined) return new Response(null, { status: 404 });
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "")!;
    const part = bytes.slice(Number(range[1]), Number(range[2]) + 1);
    const end = Number(range[1]) + part.length - 1;
    return new Response(part, {
      status: 206,
      headers: { "content-range": `bytes ${range[1]}-${end}/${bytes.length}`, etag: '"1"' },
    });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  return { url, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("buildDataset: Parquet over HTTP, JSONL and text files of the same documents give one root", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/all.jsonl`, jsonl(TEXTS));
    const files = await Promise.all(TEXTS.map(async (text, i) => {
      const path = `${folder}/${i}.txt`;
      await Deno.writeTextFile(path, text);
      return path;
    }));
    await using server = serve({
      "shard.parquet": parquet(TEXTS),
      "all.jsonl": new TextEncoder().encode(jsonl(TEXTS)),
    });
    const roots = new Set([
      await build([`${folder}/all.jsonl`], `${folder}/a`),
      await build(files, `${folder}/b`),
      await build([`${server.url}/shard.parquet`], `${folder}/c`),
      await build([`${server.url}/all.jsonl`], `${folder}/d`),
    ]);
    assert.equal(roots.size, 1);
    const { origins, tokenizer } = await verifyFolder(`${folder}/c`);
    assert.equal(tokenizer, "bytes");
    assert.equal(origins![0]!.documents, 40);
    const pages = await Pages.open(`${folder}/a`);
    assert.equal(toHex(datasetRoot(pages.dataset)), [...roots][0]);
  }));

Deno.test("buildDataset: instructions become one text, with and without an input", () =>
  inFolder(async (folder) => {
    const rows = Array.from({ length: 20 }, (_, i) => ({
      instruction: `Add ${i}`,
      ...(i % 2 === 0 ? { input: "numbers" } : {}),
      output: "a sum",
    }));
    const texts = rows.map(({ instruction, input, output }) =>
      `### Instruction:\n${instruction}${
        input === undefined ? "" : `\n\n### Input:\n${input}`
      }\n\n### Response:\n${output}`
    );
    await Deno.writeTextFile(
      `${folder}/i.jsonl`,
      rows.map((row) => JSON.stringify(row) + "\n").join(""),
    );
    await Deno.writeTextFile(`${folder}/t.jsonl`, jsonl(texts));
    assert.equal(
      await build([`${folder}/i.jsonl`], `${folder}/a`),
      await build([`${folder}/t.jsonl`], `${folder}/b`),
    );
  }));

Deno.test("buildDataset: ended after any batch, it goes on to the same root", () =>
  inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/1.parquet`, parquet(TEXTS.slice(0, 20), 5));
    await Deno.writeFile(`${folder}/2.parquet`, parquet(TEXTS.slice(20), 5));
    const sources = [`${folder}/1.parquet`, `${folder}/2.parquet`];
    const whole = await build(sources, `${folder}/whole`);
    for (let after = 1; after <= 8; after++) {
      const out = `${folder}/cut-${after}`;
      let batches = 0;
      const ended = buildDataset(plan(sources, out), () => {
        if (++batches === after) throw new Error("ended");
      });
      await assert.rejects(ended, /^Error: ended$/);
      // A crash may leave more in the file than the log knows of.
      using file = await Deno.open(`${out}/pages.bin`, { append: true });
      await file.write(new Uint8Array(50).fill(9));
      let taken = 0;
      const { dataset } = await buildDataset(plan(sources, out), () => taken++);
      assert.equal(toHex(datasetRoot(dataset)), whole);
      assert.equal(taken, 8 - after);
      await verifyFolder(out);
    }
  }));

Deno.test("buildDataset: refuses to go on with another plan, another file, or over a data set", () =>
  inFolder(async (folder) => {
    const path = `${folder}/a.jsonl`;
    await Deno.writeFile(`${folder}/a.parquet`, parquet(TEXTS, 5));
    await Deno.writeTextFile(path, jsonl(TEXTS));
    const out = `${folder}/out`;
    const stop = () => {
      throw new Error("ended");
    };
    await assert.rejects(buildDataset(plan([`${folder}/a.parquet`], out), stop), /ended/);
    await assert.rejects(build([path], out), { name: "DataError", message: /another build/ });
    await Deno.writeFile(`${folder}/a.parquet`, parquet(TEXTS.slice(1), 5));
    await assert.rejects(build([`${folder}/a.parquet`], out), { message: /another file than/ });
    await build([path], `${folder}/done`);
    await assert.rejects(build([path], `${folder}/done`), { message: /holds a data set already/ });
  }));

Deno.test("buildDataset: what cannot be used is named", () =>
  inFolder(async (folder) => {
    const cases: [string, string, RegExp][] = [
      ["a.jsonl", "{", /the line at byte 0 is not JSON/],
      ["b.jsonl", '{"text":"x"}\n\n{"other":1}\n', /neither text in text nor instruction/],
      ["c.parquet", "PAR1 but no more", /as Parquet/],
      ["d.bin", "x", /Cannot tell what .*d\.bin is/],
      ["e.txt", "too short", /of 0 pages/],
    ];
    for (const [name, content, message] of cases) {
      await Deno.writeTextFile(`${folder}/${name}`, content);
      const built = build([`${folder}/${name}`], `${folder}/out-${name}`);
      await assert.rejects(built, { name: "DataError", message }, name);
    }
    await assert.rejects(build([`${folder}/none.txt`], `${folder}/o`), DataError);
    await Deno.writeFile(`${folder}/u.txt`, Uint8Array.of(0xff, 0xfe));
    await assert.rejects(build([`${folder}/u.txt`], `${folder}/utf8`), /not UTF-8/);
    await Deno.writeFile(`${folder}/w.parquet`, parquet(TEXTS));
    const other = buildDataset(
      { ...plan([`${folder}/w.parquet`], `${folder}/w`), field: "body" },
      () => {},
    );
    await assert.rejects(other, /no column body; its columns are text, score/);
  }));

Deno.test("buildDataset: a server without ranges, a changed file and an error are told apart; a hiccup is not", () =>
  inFolder(async (folder) => {
    const file = new TextEncoder().encode(jsonl(TEXTS));
    const cases: [(path: string, count: number) => Response | undefined, RegExp][] = [
      [() => new Response(file), /gives no ranges/],
      [() => new Response(null, { status: 403 }), /status 403/],
      [
        (_, count) =>
          count === 2
            ? new Response(file, {
              status: 206,
              headers: {
                "content-range": `bytes 0-${file.length - 1}/${file.length}`,
                etag: '"2"',
              },
            })
            : undefined,
        /changed while it was read/,
      ],
    ];
    for (const [i, [bend, message]] of cases.entries()) {
      await using server = serve({ "a.jsonl": file }, bend);
      await assert.rejects(build([`${server.url}/a.jsonl`], `${folder}/${i}`), { message });
    }
    await using server = serve(
      { "a.jsonl": file },
      (_, count) => count === 2 ? new Response(null, { status: 503 }) : undefined,
    );
    await build([`${server.url}/a.jsonl`], `${folder}/hiccup`);
  }));

Deno.test("verifyFolder: finds one changed byte anywhere", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.jsonl`, jsonl(TEXTS));
    const out = `${folder}/out`;
    await build([`${folder}/a.jsonl`], out);
    await verifyFolder(out);
    const { dataset } = await readDatasetFile(out);
    for (const name of ["pages.bin", "tree.bin"]) {
      const bytes = await Deno.readFile(`${out}/${name}`);
      const step = name === "tree.bin" ? 31 : 67;
      for (let at = 0; at < bytes.length; at += step) {
        const changed = bytes.slice();
        changed[at]! ^= 1;
        await Deno.writeFile(`${out}/${name}`, changed);
        const message = name === "pages.bin"
          ? new RegExp(`pages.bin is wrong in page ${Math.floor(at / 132)}$`)
          : at < 32 * dataset.pageCount
          ? /pages.bin is wrong in page|tree.bin is wrong/
          : new RegExp(`tree.bin is wrong at byte ${at}$`);
        await assert.rejects(verifyFolder(out), { name: "DataError", message }, `${name} ${at}`);
      }
      await Deno.writeFile(`${out}/${name}`, bytes.slice(0, -1));
      await assert.rejects(verifyFolder(out), { message: /bytes instead of/ });
      await Deno.writeFile(`${out}/${name}`, bytes);
    }
    const about = await Deno.readFile(`${out}/dataset.json`);
    for (let at = 0; at < about.length; at++) {
      const changed = about.slice();
      changed[at]! ^= 1;
      await Deno.writeFile(`${out}/dataset.json`, changed);
      const message = /^(Cannot use )?\S*dataset.json(:| is not as 'dataset build' wrote it)/;
      await assert.rejects(verifyFolder(out), { name: "DataError", message }, `manifest ${at}`);
    }
    const bent = new TextDecoder().decode(about).replace('"page_count": ', '"page_count": 1');
    await Deno.writeTextFile(`${out}/dataset.json`, bent);
    await assert.rejects(verifyFolder(out), { message: /contradict/ });
  }));

Deno.test("openShared: a window's pages come from a store by ranges, proven", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.jsonl`, jsonl(TEXTS));
    await build([`${folder}/a.jsonl`], `${folder}/out`);
    const store = await LocalStore.open(`${folder}/store`);
    await pushDataset(`${folder}/out`, store, () => {});
    const { dataset } = await readDatasetFile(`${folder}/out`);
    const root = datasetRoot(dataset);
    const pages = await openShared(store, root);
    const all = await Pages.open(`${folder}/out`);
    assert.throws(() => pages.bytes(3), /not loaded/);
    const indices = [0, 3, dataset.pageCount - 1];
    await pages.load(indices);
    for (const index of indices) {
      assert.deepEqual(pages.bytes(index), all.bytes(index));
      assert.deepEqual(pages.tokens(index), all.tokens(index));
      assert.deepEqual(pages.proof(index), all.proof(index));
      const leaf = leafHash(pages.bytes(index));
      assert(verifyMerkle(dataset.merkleRoot, dataset.pageCount, index, leaf, pages.proof(index)));
    }
    await assert.rejects(pages.load([dataset.pageCount]), RangeError);
    using local = await openFolder(`${folder}/out`);
    await local.pages.load(indices);
    assert.deepEqual(local.pages.proof(3), all.proof(3));
  }));

Deno.test("openShared: refuses another data set, a bent tree, and a page that is not the root's", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.jsonl`, jsonl(TEXTS));
    await build([`${folder}/a.jsonl`], `${folder}/out`);
    const store = await LocalStore.open(`${folder}/store`);
    await pushDataset(`${folder}/out`, store, () => {});
    const root = datasetRoot((await readDatasetFile(`${folder}/out`)).dataset);
    const hex = toHex(root);
    const bend = async (name: string, at: number) => {
      const key = `dataset/${hex}/${name}`;
      const bytes = await store.get(key, { maxBytes: 1 << 20 });
      bytes[at]! ^= 1;
      await store.put(key, bytes);
    };
    await bend("pages-0.bin", 400);
    const pages = await openShared(store, root);
    await pages.load([2]);
    await assert.rejects(pages.load([3]), {
      name: "DataError",
      message: /page 3: it is not the page/,
    });
    await bend("tree-0.bin", 5);
    await assert.rejects(openShared(store, root), { message: /does not lead to its root/ });
    const other = new Uint8Array(32);
    await store.put(indexKey(other), await store.get(indexKey(root), { maxBytes: 1 << 20 }));
    await assert.rejects(openShared(store, other), { message: /another data set/ });
    for (const text of ["", "{}", '{"pages":{"bytes":1,"refs":[]},"tree":{"bytes":1,"refs":[]}}']) {
      await store.put(indexKey(root), new TextEncoder().encode(text));
      await assert.rejects(openShared(store, root), DataError);
    }
  }));
