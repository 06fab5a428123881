/**
 * The plan of the token generation event, as a file.
 *
 * @module
 */
import { type Bytes, fromHex } from "../../../enclave/protocol/bytes.ts";
import { ConfigError } from "../../config/mod.ts";
import type { Share, TokenGeneration } from "../../ledger/token.ts";
import { readInput } from "../audit/input.ts";

/** Most bytes of a plan. */
const MAX_BYTES = 1 << 20;

/**
 * Read a plan: a JSON object with the fields of {@link TokenGeneration}, amounts as decimal strings of 1e-9 VRAM,
 * `airdropRoot` as hex.
 *
 * @throws {ConfigError} `bad_file` with the field.
 */
export async function readGeneration(file: string): Promise<TokenGeneration> {
  const bytes = await readInput(file, { maxBytes: MAX_BYTES });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new ConfigError("bad_file", `Cannot read ${file}: ${(error as Error).message}`);
  }
  const plan = new Reader(json, file);
  return {
    treasury: plan.address("treasury"),
    investors: plan.shares("investors"),
    investorsCliffMs: plan.integer("investorsCliffMs"),
    investorsDurationMs: plan.integer("investorsDurationMs"),
    team: plan.shares("team"),
    liquidity: plan.address("liquidity"),
    airdropRoot: plan.hash("airdropRoot"),
    airdropLeaves: plan.integer("airdropLeaves"),
    airdropDeadlineMs: plan.integer("airdropDeadlineMs"),
  };
}

/** Fields of an object, checked. */
class Reader {
  readonly #json: Readonly<Record<string, unknown>>;
  readonly #file: string;

  constructor(json: unknown, file: string) {
    this.#file = file;
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw this.#bad("it", "an object");
    }
    this.#json = json as Readonly<Record<string, unknown>>;
  }

  address(field: string): string {
    const value = this.#json[field];
    if (typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value)) return value;
    throw this.#bad(field, "0x and 64 hexadecimal digits");
  }

  integer(field: string): number {
    const value = this.#json[field];
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#bad(field, "an integer that is not negative");
  }

  hash(field: string): Bytes {
    const value = this.#json[field];
    if (typeof value === "string" && /^[0-9a-f]{64}$/.test(value)) return fromHex(value);
    throw this.#bad(field, "64 hexadecimal digits");
  }

  shares(field: string): Share[] {
    const rows = this.#json[field];
    if (!Array.isArray(rows)) throw this.#bad(field, "a list of shares");
    return rows.map((row, i) => {
      const share = new Reader(row, `${this.#file}, ${field}[${i}]`);
      return { to: share.address("to"), amount: share.amount("amount") };
    });
  }

  amount(field: string): bigint {
    const value = this.#json[field];
    if (typeof value === "string" && /^\d{1,20}$/.test(value)) return BigInt(value);
    throw this.#bad(field, "a decimal string of 1e-9 VRAM");
  }

  #bad(field: string, expected: string): ConfigError {
    return new ConfigError(
      "bad_file",
      `Cannot read ${this.#file} as ${field} must be ${expected}`,
    );
  }
}
