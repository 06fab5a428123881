/**
 * Documents of a source, in order, in batches that end where the reading can be taken up again.
 *
 * @module
 */
import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { DataError, type SourceBytes } from "./source_bytes.ts";

/** What a source is. */
export const FORMATS = ["parquet", "jsonl", "txt"] as const;
/** See {@link FORMATS}. */
export type Format = (typeof FORMATS)[number];

/** Some documents, and where the next ones begin. */
export interface Batch {
  /** In order. */
  readonly documents: readonly string[];
  /** The source's own measure: a byte of JSONL and text, a row group of Parquet. */
  readonly next: number;
  /** How far through the source that is, 0 to 1. */
  readonly share: number;
}

/** Bytes of JSONL read at once. */
const PIECE = 4 << 20;
/** The longest line, and the longest text: a document above it is none. */
const MAX_DOCUMENT = 64 << 20;

/** The format that a name ends in. */
export function formatOf(name: string): Format | undefined {
  const path = name.replace(/[?#].*$/, "");
  if (/\.parquet$/i.test(path)) return "parquet";
  if (/\.(jsonl|ndjson)$/i.test(path)) return "jsonl";
  return /\.(txt|md)$/i.test(path) ? "txt" : undefined;
}

/**
 * The documents of `source` from `start` on (0, or a batch's `next`). `field` names the text of a row; a row of
 * `instruction`, `input` and `output` without it is written as one text.
 *
 * @throws {DataError}
 */
export function documents(
  source: SourceBytes,
  format: Format,
  start: number,
  field: string,
): AsyncGenerator<Batch> {
  switch (format) {
    case "parquet":
      return rowGroups(source, start, field);
    case "jsonl":
      return lines(source, start, field);
    case "txt":
      return whole(source, start);
  }
}

/** A text file is one document. */
async function* whole(source: SourceBytes, start: number): AsyncGenerator<Batch> {
  if (start > 0) return;
  if (source.size > MAX_DOCUMENT) {
    throw new DataError(
      `Cannot read ${source.name}: a text of ${source.size} bytes is no document`,
    );
  }
  const text = utf8Text(await source.read(0, source.size), source.name);
  yield { documents: [text], next: Math.max(1, source.size), share: 1 };
}

async function* lines(source: SourceBytes, start: number, field: string): AsyncGenerator<Batch> {
  let at = start;
  let length = PIECE;
  while (at < source.size) {
    const piece = await source.read(at, length);
    const last = at + piece.length >= source.size;
    const end = last ? piece.length : piece.lastIndexOf(0x0a) + 1;
    if (end === 0) {
      length *= 2; // a line longer than the piece
      if (length > MAX_DOCUMENT) {
        throw new DataError(`Cannot read ${source.name}: the line at byte ${at} has no end`);
      }
      continue;
    }
    length = PIECE;
    const found: string[] = [];
    let place = at;
    for (const line of utf8Text(piece.subarray(0, end), source.name).split("\n")) {
      const bytes = new TextEncoder().encode(line).length + 1;
      if (line.trim() !== "") {
        found.push(rowText(parseLine(line, source.name, place), field, source));
      }
      place += bytes;
    }
    at += end;
    yield { documents: found, next: at, share: at / source.size };
  }
}

async function* rowGroups(
  source: SourceBytes,
  start: number,
  field: string,
): AsyncGenerator<Batch> {
  const file = {
    byteLength: source.size,
    slice: async (from: number, to = source.size) => (await source.read(from, to - from)).buffer,
  };
  const metadata = await orDataError(source, () => parquetMetadataAsync(file));
  const names = metadata.schema.map(({ name }) => name);
  const instruction = !names.includes(field) && names.includes("instruction");
  if (!names.includes(field) && !instruction) {
    throw new DataError(
      `Cannot read ${source.name}: it has no column ${field}; its columns are ${
        names.slice(1).join(", ")
      }`,
    );
  }
  const columns = instruction
    ? ["instruction", "input", "output"].filter((name) => names.includes(name))
    : [field];
  let rowStart = 0;
  for (const [index, group] of metadata.row_groups.entries()) {
    const rowEnd = rowStart + Number(group.num_rows);
    if (index >= start) {
      const rows = await orDataError(
        source,
        () => parquetReadObjects({ file, metadata, columns, rowStart, rowEnd, compressors }),
      );
      const next = index + 1;
      yield {
        documents: rows.map((row) => rowText(row, field, source)),
        next,
        share: next / metadata.row_groups.length,
      };
    }
    rowStart = rowEnd;
  }
}

async function orDataError<T>(source: SourceBytes, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof DataError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new DataError(`Cannot read ${source.name} as Parquet: ${why}`);
  }
}

function parseLine(line: string, name: string, at: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new DataError(`Cannot read ${name}: the line at byte ${at} is not JSON`);
  }
}

/** The text of a row: its `field`, or instruction, input and output under headings. */
function rowText(row: unknown, field: string, source: SourceBytes): string {
  const record = (typeof row === "object" && row !== null ? row : {}) as Record<string, unknown>;
  const own = record[field];
  if (typeof own === "string") return own;
  const { instruction, input, output } = record;
  if (typeof instruction !== "string" || typeof output !== "string") {
    throw new DataError(
      `Cannot read ${source.name}: a row has neither text in ${field} nor instruction and output`,
    );
  }
  const given = typeof input === "string" && input !== "" ? `\n\n### Input:\n${input}` : "";
  return `### Instruction:\n${instruction}${given}\n\n### Response:\n${output}`;
}

function utf8Text(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new DataError(`Cannot read ${name}: it is not UTF-8`);
  }
}
