/**
 * A passphrase: the first line of a file, or what somebody types, unseen. Never an argument, which others could see.
 *
 * @module
 */
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { path } from "@optique/run";
import { ConfigError } from "../../config/mod.ts";
import { readInput } from "../audit/input.ts";

const MAX_BYTES = 4_096;
/** What a terminal sends for Backspace, and for Ctrl-U. */
const ERASE = "\x7f";
const KILL_LINE = "\x15";

/** The option that names the file. */
export const passphraseFile = optional(option("--passphrase-file", path({ metavar: "FILE" }), {
  description:
    message`Take the passphrase from the first line of this file, - is standard input. Without it, a terminal asks.`,
}));

/**
 * The passphrase out of `file`, or typed at the terminal; `twice` asks again. `signal` ends the asking.
 *
 * @throws {ConfigError} where there is neither, or both times differ.
 */
export async function passphrase(
  file: string | undefined,
  twice: boolean,
  signal: AbortSignal,
): Promise<string> {
  if (file !== undefined) {
    const bytes = await readInput(file, { maxBytes: MAX_BYTES });
    return new TextDecoder().decode(bytes).split(/\r?\n/, 1)[0]!;
  }
  if (!Deno.stdin.isTerminal()) {
    throw new ConfigError(
      "missing",
      "Cannot ask for a passphrase here: give --passphrase-file FILE",
    );
  }
  const first = await typed("Passphrase: ", signal);
  if (twice && await typed("The same again: ", signal) !== first) {
    throw new ConfigError("bad_value", "Cannot use the passphrase: the two differ");
  }
  return first;
}

/** What is typed until Enter, unseen. */
async function typed(prompt: string, signal: AbortSignal): Promise<string> {
  // Before the prompt: what is typed at once is not seen either.
  Deno.stdin.setRaw(true, { cbreak: true });
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  );
  aborted.catch(() => {}); // long after it mattered
  try {
    await say(prompt);
    const decoder = new TextDecoder();
    const piece = new Uint8Array(256);
    let text = "";
    for (;;) {
      const read = await Promise.race([Deno.stdin.read(piece), aborted]);
      if (read === null) return text;
      for (const char of decoder.decode(piece.subarray(0, read), { stream: true })) {
        if (char === "\r" || char === "\n") return text;
        if (char === ERASE || char === "\b") text = [...text].slice(0, -1).join("");
        else if (char === KILL_LINE) text = "";
        else text += char;
        if (text.length > MAX_BYTES) throw new RangeError("Cannot use so long a passphrase");
      }
    }
  } finally {
    Deno.stdin.setRaw(false);
    await say("\n");
  }
}

async function say(text: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(text));
}
