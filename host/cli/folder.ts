/**
 * A data directory belongs to one ledger: journals, slots and checkpoints of another network, or of an earlier one in
 * the same place, would be taken for this one's.
 *
 * @module
 */
import { type Bytes, toHex } from "../../enclave/protocol/bytes.ts";
import { ConfigError } from "../config/mod.ts";

const nameOf = (dir: string) => `${dir}/ledger.id`;

/** The ledger that `dir` belongs to, as 0x and hexadecimal digits, or undefined. */
export function boundTo(dir: string): string | undefined {
  try {
    return Deno.readTextFileSync(nameOf(dir)).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Say that `dir` belongs to the ledger `id`, once.
 *
 * @throws {ConfigError} `bad_value` where it belongs to another one.
 */
export async function bindFolder(dir: string, id: Bytes): Promise<void> {
  const own = `0x${toHex(id)}`;
  await Deno.mkdir(dir, { recursive: true });
  try {
    await Deno.writeTextFile(nameOf(dir), `${own}\n`, { createNew: true });
    return;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const other = boundTo(dir);
  if (other === own) return;
  throw new ConfigError(
    "bad_value",
    `Cannot use ${dir} on ledger ${own}: it holds journals of ledger ${other}. Name another folder by --data-dir`,
  );
}
