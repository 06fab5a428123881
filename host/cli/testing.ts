/**
 * What the tests of the commands' arguments share.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ArgsIo } from "./args.ts";

/** What a command printed, line by line, and its status, where it ended instead of returning arguments. */
export function ending(
  parse: (argv: readonly string[], io: ArgsIo) => unknown,
  argv: readonly string[],
): { readonly status: number; readonly text: string } {
  const ended = { status: -1, text: "" };
  const io: ArgsIo = {
    stdout: (text) => ended.text += text + "\n",
    stderr: (text) => ended.text += text + "\n",
    exit: (status) => {
      ended.status = status;
      throw ended;
    },
    colors: false,
    columns: 1_000,
  };
  try {
    assert.fail(`returned ${JSON.stringify(parse(argv, io))}`);
  } catch (error) {
    if (error !== ended) throw error;
  }
  return ended;
}
