/**
 * What the tool must know of Move's text: where comments and strings lie, which modules a file names, which functions
 * are tests. Not a parser: the compiler decides what is Move.
 *
 * @module
 */

/** `source` with comments and the contents of strings blanked, every character else at its place. */
export function mask(source: string): string {
  let out = "";
  for (let i = 0; i < source.length;) {
    const end = tokenEnd(source, i);
    if (end === undefined) out += source[i++];
    else {
      out += source.slice(i, end).replaceAll(/[^\n]/g, " ");
      i = end;
    }
  }
  return out;
}

/** Where the comment or string that starts at `i` ends; nothing where neither does. */
function tokenEnd(source: string, i: number): number | undefined {
  if (source.startsWith("//", i)) {
    const end = source.indexOf("\n", i);
    return end < 0 ? source.length : end;
  }
  if (source.startsWith("/*", i)) {
    let depth = 0;
    for (let j = i; j < source.length; j++) {
      if (source.startsWith("/*", j)) depth++, j++;
      else if (source.startsWith("*/", j)) {
        j++;
        if (--depth === 0) return j + 1;
      }
    }
    return source.length;
  }
  if (source[i] !== '"') return undefined;
  for (let j = i + 1; j < source.length; j++) {
    if (source[j] === "\\") j++;
    else if (source[j] === '"') return j + 1;
  }
  return source.length;
}

/** The line of offset `at` in `source`, from 1. */
export function lineOf(source: string, at: number): number {
  return source.slice(0, at).split("\n").length;
}

/** The name of the module that the file declares, without its address; nothing where it declares none. */
export function moduleOf(source: string): string | undefined {
  return /(?<!extend\s+)\bmodule\s+\w+::(\w+)/.exec(mask(source))?.[1];
}

/** Names of the modules of the package `address` that the file names anywhere, sorted. */
export function modulesNamed(source: string, address: string): string[] {
  const text = mask(source);
  const names = new Set<string>();
  for (const [, name] of text.matchAll(new RegExp(`\\b${address}::(\\w+)`, "g"))) names.add(name!);
  // use vramhub::{a, b::{Self, C}};
  for (const found of text.matchAll(new RegExp(`\\b${address}::\\{`, "g"))) {
    let depth = 1;
    let item = "";
    for (let i = found.index + found[0].length; depth > 0 && i < text.length; i++) {
      if (text[i] === "{") depth++;
      else if (text[i] === "}") depth--;
      if (depth === 1 && text[i] !== "}") item += text[i];
    }
    for (const part of item.split(",")) {
      const name = /^\s*(\w+)/.exec(part)?.[1];
      if (name !== undefined) names.add(name);
    }
  }
  return [...names].sort();
}

/** A function with its attributes, and where those lie. */
const WITH_ATTRIBUTES =
  /((?:#\[(?:[^\[\]]|\[[^\[\]]*\])*\]\s*)+)(?:(?:public(?:\(\w+\))?|entry|native)\s+)*fun\s+(\w+)/g;
const IS_TEST = /#\[(?:[^\[\]]*,)?\s*(?:random_)?test\s*[,\]]/;

/** Names of the file's tests, as they stand in it. */
export function testsIn(source: string): string[] {
  return [...mask(source).matchAll(WITH_ATTRIBUTES)]
    .filter(([, attributes]) => IS_TEST.test(attributes!))
    .map(([, , name]) => name!);
}

/** `source` in which only the tests that `keep` names are tests; the others stay as helpers of tests. */
export function keepTests(source: string, keep: (name: string) => boolean): string {
  let out = "";
  let done = 0;
  for (const { 1: attributes, 2: name, index } of mask(source).matchAll(WITH_ATTRIBUTES)) {
    if (!IS_TEST.test(attributes!) || keep(name!)) continue;
    // Lines stay as they are, so that errors name the right ones.
    const lines = attributes!.replaceAll(/[^\n]/g, "");
    out += `${source.slice(done, index)}#[test_only, allow(unused)] ${lines}`;
    done = index + attributes!.length;
  }
  return out + source.slice(done);
}
