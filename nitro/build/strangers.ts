/**
 * What no production image may hold: the simulated security module, tests, and what only tests load.
 *
 * @module
 */

import type { CpioEntry } from "../cpio/mod.ts";
import { wholeOf } from "../source.ts";

/** Modules of ours that stay outside. */
export const BARRED = /(main_simulated|nsm\/simulated|judge_startup|_test|_bench)\.ts$/;
/** Files and packages by their paths. */
const PATHS =
  /[_.](test|bench|spec)\.[cm]?[jt]sx?$|(^|\/)(tests?|testdata|__tests__|fixtures)\/|node_modules\/(fast-check|openskill|@mysten\/bcs|@peculiar\/x509)\//;
/** Code that loads them, or is them. */
const CODE = /\.[cm]?[jt]s$/;
const TEXTS =
  /\bDeno\.(test|bench)\(|["'](node:assert|node:test|fast-check|openskill)\b|nsm\/simulated|["']\.\/simulated|\bclass SimulatedNsm\b/;

/** A file that must not be there. */
export interface Stranger {
  /** Its path in the ramdisk. */
  readonly path: string;
  /** What of its path or text gives it away. */
  readonly sign: string;
}

/** The most that a module weighs. */
const MAX_MODULE_BYTES = 1 << 25;

/** Those of a ramdisk's files that have no business in a production image. */
export function strangersIn(entries: Iterable<CpioEntry>): Stranger[] {
  const found: Stranger[] = [];
  for (const entry of entries) {
    const { path } = entry;
    const sign = BARRED.exec(path) ?? PATHS.exec(path) ?? TEXTS.exec(textOf(entry));
    if (sign !== null) found.push({ path, sign: sign[0] });
  }
  return found;
}

/** The text of a module, nothing of anything else. */
function textOf(entry: CpioEntry): string {
  if (entry.kind !== "file" || !CODE.test(entry.path)) return "";
  return new TextDecoder("latin1").decode(wholeOf(entry.content, MAX_MODULE_BYTES, "module"));
}
