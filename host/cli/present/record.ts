/**
 * Facts, one a line, and values for programs.
 *
 * @module
 */
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { vram } from "./format.ts";
import type { Paint } from "./style.ts";

/** A name and what it is; undefined leaves the line out. */
export type Fact = readonly [name: string, value: string | undefined];

/** Facts in two columns. */
export function factLines(facts: readonly Fact[], paint: Paint): string[] {
  const shown = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${paint("dim", name.padEnd(width))}  ${value}`);
}

/** Base units of 1e-9 with their coin: `1.5 SUI`. */
export function coins(units: bigint, coin: "SUI" | "VRAM"): string {
  return `${vram(String(units))} ${coin}`;
}

/** A moment in ISO 8601, to the second. */
export function moment(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** `value` as one line of JSON: bigint as decimal strings, bytes as hex. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(
    value,
    (_, inner) =>
      typeof inner === "bigint"
        ? String(inner)
        : inner instanceof Uint8Array
        ? toHex(inner)
        : inner,
  );
}
