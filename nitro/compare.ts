/**
 * Two images held side by side: which sections differ, and in which files of a ramdisk.
 *
 * @module
 */
import { equal } from "../enclave/protocol/bytes.ts";
import { Refusal } from "../enclave/protocol/refusal.ts";
import { type Contents, contentsOf, type Inside } from "./contents.ts";
import type { Eif, EifSection } from "./eif/mod.ts";
import { CHUNK_BYTES, type Source } from "./source.ts";

/** One difference between two images. */
export interface Difference {
  /** `header`, or the section's name: `kernel`, `cmdline`, `metadata`, `ramdisk 0`, `signature`. */
  readonly section: string;
  /** The file in a ramdisk; undefined where the section as such differs. */
  readonly path?: string;
  /** `missing` is only in the first image, `added` only in the second. */
  readonly change:
    | "missing"
    | "added"
    | "content"
    | "kind"
    | "mode"
    | "target"
    | "architecture"
    | "memory"
    | "cpus";
  /** What the first has; undefined where it has nothing. */
  readonly first?: string;
  /** What the second has; undefined where it has nothing. */
  readonly second?: string;
}

/**
 * The differences between two images in the order of their sections; none where their bytes are the same. A ramdisk
 * that is no archive of ours is compared as a whole.
 */
export function compareEifs(first: Eif, second: Eif): Difference[] {
  const found = [...headers(first, second)];
  const names = new Set([...first.sections, ...second.sections].map(({ name }) => name));
  for (const name of names) {
    const [a, b] = [first, second].map(({ sections }) =>
      sections.find((section) => section.name === name)
    );
    if (a === undefined) found.push({ section: name, change: "added", second: size(b!.content) });
    else if (b === undefined) {
      found.push({ section: name, change: "missing", first: size(a.content) });
    } else if (!same(a.content, b.content)) found.push(...inSection(a, b));
  }
  return found;
}

/** The PCRs that a difference in `section` moves. */
export function movedPcrs(section: string): readonly number[] {
  if (section === "kernel" || section === "cmdline" || section === "ramdisk 0") return [0, 1];
  return section.startsWith("ramdisk ") ? [0, 2] : [];
}

/**
 * The sections that can have moved where just the PCRs `moved` of 0, 1 and 2 differ: what can be said of an image
 * of which only the measurements are known. Empty where no change of one image can do that.
 */
export function suspects(moved: readonly number[]): readonly string[] {
  const [image, platform, program] = [0, 1, 2].map((index) => moved.includes(index));
  // PCR0 is over all that the other two are over.
  if (!image || !(platform || program)) return [];
  return [
    ...(platform ? ["kernel", "cmdline", "ramdisk 0"] : []),
    ...(program ? ["ramdisk 1 and up"] : []),
  ];
}

function* headers(first: Eif, second: Eif): Generator<Difference> {
  const rows: readonly (readonly [Difference["change"], unknown, unknown])[] = [
    ["architecture", first.architecture, second.architecture],
    ["memory", first.defaultMemory, second.defaultMemory],
    ["cpus", first.defaultCpus, second.defaultCpus],
  ];
  for (const [change, a, b] of rows) {
    if (a !== b) yield { section: "header", change, first: String(a), second: String(b) };
  }
}

function* inSection(a: EifSection, b: EifSection): Generator<Difference> {
  const [first, second] = a.type === "ramdisk" ? [inside(a.content), inside(b.content)] : [];
  if (first === undefined || second === undefined) {
    const said = a.type === "cmdline" || a.type === "metadata" ? text : size;
    yield { section: a.name, change: "content", first: said(a.content), second: said(b.content) };
    return;
  }
  // An archive is the one of its entries: where the bytes differ, an entry does.
  const others = new Map(second.entries.map((entry) => [entry.path, entry]));
  for (const entry of first.entries) {
    const other = others.get(entry.path);
    others.delete(entry.path);
    const { path } = entry;
    if (other === undefined) {
      yield { section: a.name, path, change: "missing", first: summary(entry) };
    } else yield* inFile(a.name, entry, other);
  }
  for (const [path, entry] of others) {
    yield { section: a.name, path, change: "added", second: summary(entry) };
  }
}

function* inFile(section: string, a: Inside, b: Inside): Generator<Difference> {
  const { path } = a;
  const changed = (change: Difference["change"], first: string, second: string) => ({
    section,
    path,
    change,
    first,
    second,
  });
  if (a.kind !== b.kind) {
    yield changed("kind", a.kind, b.kind);
    return;
  }
  if (a.mode !== b.mode) yield changed("mode", octal(a.mode), octal(b.mode));
  if (a.target !== b.target) yield changed("target", a.target!, b.target!);
  else if (a.sha256 !== b.sha256) yield changed("content", summary(a), summary(b));
}

/** Undefined where `ramdisk` is no archive of ours. */
function inside(ramdisk: Source): Contents | undefined {
  try {
    return contentsOf(ramdisk);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function same(a: Source, b: Source): boolean {
  if (a.size !== b.size) return false;
  for (let at = 0; at < a.size; at += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES, a.size - at);
    if (!equal(a.read(at, length), b.read(at, length))) return false;
  }
  return true;
}

function summary({ kind, size, sha256, target }: Inside): string {
  if (kind === "file") return `${size} bytes, SHA-256 ${sha256}`;
  return target === undefined ? kind : `${kind} ${target}`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function size(content: Source): string {
  return `${content.size} bytes`;
}

/** Sections that are texts are short; the reader of an image has bounded them. */
function text(content: Source): string {
  return new TextDecoder().decode(content.read(0, Math.min(content.size, 4_096)));
}
