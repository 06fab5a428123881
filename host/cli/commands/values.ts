/**
 * Values that commands take: amounts, addresses, hashes.
 *
 * @module
 */
import { message, text } from "@optique/core/message";
import type { ValueParser } from "@optique/core/valueparser";
import { type Bytes, fromHex, toHex } from "../../../enclave/protocol/bytes.ts";

/** Base units in one SUI or VRAM. */
const UNIT = 1_000_000_000n;

/** Most base units that Sui's u64 holds. */
const MAX_AMOUNT = (1n << 64n) - 1n;

/** An amount: base units (`1500000000`), or coins with their name (`1.5sui`). */
export function amount(coin: "sui" | "vram"): ValueParser<"sync", bigint> {
  const pattern = new RegExp(`^(\\d{1,20})(?:(?:\\.(\\d{1,9}))?(${coin}))?$`, "i");
  return {
    mode: "sync",
    metavar: "AMOUNT",
    placeholder: 0n,
    parse(input) {
      const [, whole, fraction = "", name] = pattern.exec(input.trim()) ?? [];
      const value = whole === undefined
        ? -1n
        : name === undefined
        ? BigInt(whole)
        : BigInt(whole) * UNIT + BigInt(fraction.padEnd(9, "0"));
      if (value >= 0n && value <= MAX_AMOUNT) return { success: true, value };
      const expected = text(
        `Expected an amount in 1e-9 ${coin.toUpperCase()}, or as in 1.5${coin}: `,
      );
      return {
        success: false,
        error: message`${expected}${input}`,
      };
    },
    format: (value) => String(value),
  };
}

/** A Sui address or object id in full: `0x` and 64 hexadecimal digits. */
export function address(metavar: "ADDRESS" | "ID" = "ADDRESS"): ValueParser<"sync", string> {
  return {
    mode: "sync",
    metavar,
    placeholder: `0x${"0".repeat(64)}`,
    parse(input) {
      // Never filled up with zeros: a wallet that cuts addresses would send coins to nobody.
      if (/^0x[0-9a-fA-F]{64}$/.test(input)) return { success: true, value: input.toLowerCase() };
      return { success: false, error: message`Expected 0x and 64 hexadecimal digits: ${input}` };
    },
    format: (value) => value,
  };
}

/** So many bytes in hexadecimal. */
export function hexBytes(
  length: number,
  metavar: "HEX" | "HASH" = "HEX",
): ValueParser<"sync", Bytes> {
  return {
    mode: "sync",
    metavar,
    placeholder: new Uint8Array(length),
    parse(input) {
      const digits = input.replace(/^0x/, "").toLowerCase();
      if (digits.length === 2 * length && /^[0-9a-f]*$/.test(digits)) {
        return { success: true, value: fromHex(digits) };
      }
      const expected = text(`Expected ${2 * length} hexadecimal digits, found ${digits.length}: `);
      return {
        success: false,
        error: message`${expected}${input}`,
      };
    },
    format: toHex,
  };
}
