/**
 * A judge's signed verdict on a job, as a file.
 *
 * @module
 */
import { type Bytes, fromHex } from "../../../enclave/protocol/bytes.ts";
import { ConfigError } from "../../config/mod.ts";
import { readInput } from "../audit/input.ts";

/** Most bytes of the file. */
const MAX_BYTES = 64 * 1024;

/**
 * The message and signature in the JSON file at `file`, both hex.
 *
 * @throws {ConfigError} `bad_file`.
 */
export async function readVerdict(file: string): Promise<{ message: Bytes; signature: Bytes }> {
  const bytes = await readInput(file, { maxBytes: MAX_BYTES });
  try {
    const { message, signature } = JSON.parse(new TextDecoder().decode(bytes));
    return { message: fromHex(String(message)), signature: fromHex(String(signature)) };
  } catch (error) {
    throw new ConfigError("bad_file", `Cannot read ${file}: ${(error as Error).message}`);
  }
}
