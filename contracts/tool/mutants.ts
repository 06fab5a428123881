/**
 * Small changes to Move sources that a good test suite notices: one guard gone, one comparison, constant or sum off.
 *
 * @module
 */
import { lineOf, mask } from "./move_source.ts";

/** What a mutant changes. */
export type Kind = "assert" | "compare" | "constant" | "sum";

/** All kinds. */
export const KINDS: readonly Kind[] = ["assert", "compare", "constant", "sum"];

/** One change of one file. */
export interface Mutant {
  /** What kind of change. */
  kind: Kind;
  /** Line of the change, from 1. */
  line: number;
  /** What stood there, whitespace collapsed. */
  before: string;
  /** What stands there now. */
  after: string;
  /** The whole file, changed. */
  source: string;
}

const COMPARISONS: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "==": "!=",
  "!=": "==",
};
const SUMS: Readonly<Record<string, string>> = { "+": "-", "-": "+", "+=": "-=", "-=": "+=" };

/** Every mutant of `source` of the kinds asked for, in the order of the file; code that is for tests alone is left out. */
export function mutantsOf(source: string, kinds: readonly Kind[] = KINDS): Mutant[] {
  const text = blankTestCode(mask(source));
  const found: (Mutant & { at: number })[] = [];
  const add = (kind: Kind, at: number, end: number, after: string) => {
    if (!kinds.includes(kind)) return;
    const before = source.slice(at, end);
    found.push({
      at,
      kind,
      line: lineOf(source, at),
      before: before.replaceAll(/\s+/g, " "),
      after,
      source: replace(source, at, end, after),
    });
  };
  for (
    const { 0: opened, index } of text.matchAll(/\bassert!\(|(?<=[;{}]\s*)[\w.:]*assert_\w+\(/g)
  ) {
    add("assert", index, closing(text, index + opened.length), "()");
  }
  // A binary operator has spaces around it; the brackets of type arguments have none.
  for (const { 1: operator, index } of text.matchAll(/(?<=\s)(<=|>=|==|!=|<|>)(?=\s)/g)) {
    add("compare", index, index + operator!.length, COMPARISONS[operator!]!);
  }
  for (const { 1: operator, index } of text.matchAll(/(?<=\s)(\+=|-=|\+|-)(?=\s)/g)) {
    add("sum", index, index + operator!.length, SUMS[operator!]!);
  }
  const number = /(?<![\w@])(0x[\da-fA-F_]+|\d[\d_]*)(?=(?:u\d+)?\b)/g;
  for (const { 1: digits, index } of text.matchAll(number)) {
    const value = BigInt(digits!.replaceAll("_", ""));
    add("constant", index, index + digits!.length, `${value + 1n}`);
  }
  return found.sort((a, b) => a.at - b.at).map(({ at: _, ...mutant }) => mutant);
}

/** `source` with `after` for what lies between `at` and `end`, and as many lines as before. */
export function replace(source: string, at: number, end: number, after: string): string {
  const lines = source.slice(at, end).replaceAll(/[^\n]/g, "");
  return source.slice(0, at) + after + lines + source.slice(end);
}

/** Where the bracket that was opened before `from` closes: the offset after it. */
export function closing(text: string, from: number): number {
  let depth = 1;
  let i = from;
  for (; depth > 0 && i < text.length; i++) {
    if ("({[".includes(text[i]!)) depth++;
    else if (")}]".includes(text[i]!)) depth--;
  }
  return i;
}

/** Attributes, error messages' codes and what is for tests alone, blanked. */
function blankTestCode(text: string): string {
  const blank = (from: string) => from.replaceAll(/[^\n]/g, " ");
  let out = text;
  for (const found of text.matchAll(/#\[[^\]]*\btest(?:_only)?\b[^\]]*\](?:\s*#\[[^\]]*\])*/g)) {
    const opened = text.slice(found.index + found[0].length).search(/[{;]/);
    if (opened < 0) continue;
    const at = found.index + found[0].length + opened;
    const end = text[at] === ";" ? at + 1 : closing(text, at + 1);
    out = out.slice(0, found.index) + blank(out.slice(found.index, end)) + out.slice(end);
  }
  return out.replaceAll(/#\[[^\]]*\]/g, blank);
}
