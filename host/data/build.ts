/**
 * Building a data set: documents become tokens, tokens pages, pages a Merkle tree. What is done is on the disk after
 * every batch, and a build that was ended anywhere goes on from there to the same root.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { u32le } from "../../enclave/protocol/bytes.ts";
import type { Dataset } from "../../enclave/protocol/dataset.ts";
import { leafHash } from "../../enclave/protocol/merkle.ts";
import { loadTokenizer, type Tokenizer } from "../../enclave/model/tokenizer.ts";
import { LineLog } from "../store/line_log.ts";
import { documents, type Format, formatOf } from "./documents.ts";
import { type DatasetFile, encodeDatasetFile, type Origin } from "./manifest.ts";
import { DataError, openSource } from "./source_bytes.ts";
import { buildTree, HASH } from "./tree.ts";

/** What to build from what. */
export interface BuildPlan {
  /** Paths and URLs; their order is the documents'. */
  readonly sources: readonly string[];
  /** What they are; told from their names without it. */
  readonly format?: Format;
  /** Name of the text in a row. */
  readonly field: string;
  /** `cl100k_base` or `bytes`. */
  readonly tokenizer: string;
  /** Tokens of a page: the model's context plus one. */
  readonly pageTokens: number;
  /** The folder that it is built in. */
  readonly out: string;
}

/** How far a build is. */
export interface BuildProgress {
  /** Number of the source, from 0. */
  readonly source: number;
  /** How far through it, 0 to 1. */
  readonly share: number;
  /** Documents taken from all. */
  readonly documents: number;
  /** Whole pages so far. */
  readonly pages: number;
}

/** A line of `build.log`. The first holds the plan, the others how far the work was when it was on the disk. */
type Line =
  | { readonly plan: string }
  | {
    readonly source: number;
    readonly next: number;
    readonly version: string;
    readonly documents: number;
    /** Length of `pages.bin`. */
    readonly bytes: number;
    /** Nothing of this source is left. */
    readonly done: boolean;
  };
type Mark = Exclude<Line, { plan: string }>;

/**
 * Build, or go on building, the data set of `plan` in its folder: `pages.bin`, `tree.bin` and, last, `dataset.json`.
 *
 * @throws {DataError} where a source cannot be used, the folder holds something else, or there are fewer than ten pages.
 */
export async function buildDataset(
  plan: BuildPlan,
  progress: (progress: BuildProgress) => void,
  signal?: AbortSignal,
): Promise<DatasetFile> {
  const { out } = plan;
  await Deno.mkdir(out, { recursive: true });
  if (await isFile(`${out}/dataset.json`)) {
    throw new DataError(
      `Cannot build in ${out}: it holds a data set already. Check it with 'dataset verify', or name another --out`,
    );
  }
  const tokenizer = await loadTokenizer(plan.tokenizer);
  using log = await LineLog.open(`${out}/build.log`, (line) => line as Line);
  await begin(plan, log);
  const build = new Build(plan, tokenizer, log, progress);
  const origins = await build.run(signal);
  const dataset = await finish(plan, tokenizer, log);
  const file = { dataset, tokenizer: tokenizer.name, origins };
  await Deno.writeTextFile(`${out}/dataset.json.draft`, encodeDatasetFile(file));
  await Deno.rename(`${out}/dataset.json.draft`, `${out}/dataset.json`);
  await Deno.remove(`${out}/build.log`);
  await Deno.remove(`${out}/build.log.lock`);
  return file;
}

async function begin(plan: BuildPlan, log: LineLog<Line>): Promise<void> {
  const { out: _, ...what } = plan;
  const said = JSON.stringify(what);
  const first = log.entries[0];
  if (first === undefined) return await log.append({ plan: said });
  if (!("plan" in first) || first.plan !== said) {
    throw new DataError(
      `Cannot go on in ${plan.out}: another build was begun there; remove the folder, or name another`,
    );
  }
}

class Build {
  readonly #plan: BuildPlan;
  readonly #tokenizer: Tokenizer;
  readonly #separator: Bytes;
  readonly #log: LineLog<Line>;
  readonly #progress: (progress: BuildProgress) => void;

  constructor(
    plan: BuildPlan,
    tokenizer: Tokenizer,
    log: LineLog<Line>,
    progress: (progress: BuildProgress) => void,
  ) {
    this.#plan = plan;
    this.#tokenizer = tokenizer;
    this.#separator = u32le(separator(tokenizer));
    this.#log = log;
    this.#progress = progress;
  }

  async run(signal?: AbortSignal): Promise<Origin[]> {
    const { sources, out } = this.#plan;
    const marks = this.#marks();
    const last = marks.at(-1);
    using pages = await Deno.open(`${out}/pages.bin`, { create: true, read: true, write: true });
    // What was written after the last line of the log is written again.
    await pages.truncate(last?.bytes ?? 0);
    await pages.seek(0, Deno.SeekMode.End);
    const from = last === undefined ? 0 : last.done ? last.source + 1 : last.source;
    for (let source = from; source < sources.length; source++) {
      await this.#take(source, pages, signal);
    }
    return this.#origins();
  }

  async #take(number: number, pages: Deno.FsFile, signal?: AbortSignal): Promise<void> {
    const { sources, format, field } = this.#plan;
    const name = sources[number]!;
    const is = format ?? formatOf(name);
    if (is === undefined) {
      throw new DataError(`Cannot tell what ${name} is: say --from parquet, jsonl or txt`);
    }
    await using source = await openSource(name, signal);
    const before = this.#marks().at(-1);
    const mark = before?.source === number ? before : undefined;
    if (mark !== undefined && mark.version !== source.version) {
      throw new DataError(
        `Cannot go on with ${name}: it is another file than when the build began`,
      );
    }
    let { bytes = 0, documents: count = 0 } = before ?? {};
    const append = (line: Omit<Mark, "source" | "version" | "bytes" | "documents">) =>
      this.#log.append({
        source: number,
        version: source.version,
        documents: count,
        bytes,
        ...line,
      });
    let next = mark?.next ?? 0;
    for await (const batch of documents(source, is, next, field)) {
      signal?.throwIfAborted();
      for (const text of batch.documents) bytes += await this.#write(pages, text);
      count += batch.documents.length;
      next = batch.next;
      await pages.sync();
      await append({ next, done: false });
      const whole = Math.floor(bytes / (4 * this.#plan.pageTokens));
      this.#progress({ source: number, share: batch.share, documents: count, pages: whole });
    }
    await append({ next, done: true });
  }

  async #write(pages: Deno.FsFile, text: string): Promise<number> {
    const tokens = this.#tokenizer.encode(text);
    const bytes = new Uint8Array(4 * tokens.length + 4);
    const view = new DataView(bytes.buffer);
    tokens.forEach((token, i) => view.setUint32(4 * i, token, true));
    bytes.set(this.#separator, 4 * tokens.length);
    for (let at = 0; at < bytes.length;) at += await pages.write(bytes.subarray(at));
    return bytes.length;
  }

  #marks(): Mark[] {
    return this.#log.entries.flatMap((line) => "plan" in line ? [] : [line]);
  }

  #origins(): Origin[] {
    let before = 0;
    return this.#marks().filter(({ done }) => done).map(({ source, version, documents }) => {
      const origin = { name: this.#plan.sources[source]!, version, documents: documents - before };
      before = documents;
      return origin;
    });
  }
}

/** Ends each document: cl100k's `<|endoftext|>`, or the byte 0, which no text has. */
function separator(tokenizer: Tokenizer): number {
  return tokenizer.name === "bytes" ? 0 : 100_257;
}

async function finish(plan: BuildPlan, tokenizer: Tokenizer, log: LineLog<Line>): Promise<Dataset> {
  const { out, pageTokens } = plan;
  const size = 4 * pageTokens;
  const last = log.entries.at(-1);
  const bytes = last === undefined || "plan" in last ? 0 : last.bytes;
  const pageCount = Math.floor(bytes / size);
  if (pageCount < 10) {
    throw new DataError(
      `Cannot make a data set of ${pageCount} pages: it needs at least 10, of ${pageTokens} tokens each`,
    );
  }
  const leaves = await hashPages(`${out}/pages.bin`, pageCount, size);
  const tree = buildTree(leaves);
  await Deno.writeFile(`${out}/tree.bin`, tree);
  // The rest that is no whole page stays until here: a build that ends before goes on from it.
  await Deno.truncate(`${out}/pages.bin`, pageCount * size);
  return {
    pageCount,
    pageTokens,
    tokenizerHash: tokenizer.hash,
    merkleRoot: tree.slice(-HASH),
  };
}

/** The leaves of the first `count` pages of `size` bytes in the file at `path`, one after another. */
export async function hashPages(path: string, count: number, size: number): Promise<Bytes> {
  const leaves = new Uint8Array(HASH * count);
  const atOnce = Math.max(1, Math.floor((1 << 22) / size));
  using file = await Deno.open(path, { read: true });
  for (let page = 0; page < count; page += atOnce) {
    const piece = new Uint8Array(size * Math.min(atOnce, count - page));
    for (let at = 0; at < piece.length;) {
      const read = await file.read(piece.subarray(at));
      if (read === null) throw new DataError(`Cannot read ${path}: it ends before page ${count}`);
      at += read;
    }
    for (let i = 0; i * size < piece.length; i++) {
      leaves.set(leafHash(piece.subarray(i * size, (i + 1) * size)), HASH * (page + i));
    }
  }
  return leaves;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
