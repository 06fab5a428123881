/**
 * Numbers and hashes for people.
 *
 * @module
 */

/** What stands where nothing was measured. */
export const NONE = "–";

/** Base units in one VRAM. */
const UNIT = 1_000_000_000n;

/** A loss in nats with 4 decimals. */
export function loss(nats: number | null): string {
  return nats === null ? NONE : nats.toFixed(4);
}

/** A loss before and after, e.g. `10.8231 → 10.7904`. */
export function change(before: number | null, after: number | null): string {
  return before === null && after === null ? NONE : `${loss(before)} → ${loss(after)}`;
}

/** A difference of losses in nats, signed, with the 6 decimals that the ledger settles. */
export function signed(nats: number | null): string {
  if (nats === null) return NONE;
  const text = Math.abs(nats).toFixed(6);
  if (Number(text) === 0) return text;
  return (nats > 0 ? "+" : "−") + text;
}

/** A skill rating, e.g. `27.31 ± 7.90`. */
export function rating(mu: number, sigma: number): string {
  return `${mu.toFixed(2)} ± ${sigma.toFixed(2)}`;
}

/** `part` of `whole` in per cent; zero of zero is zero. */
export function percent(part: number, whole: number): string {
  return `${(whole > 0 ? 100 * part / whole : 0).toFixed(1)} %`;
}

/**
 * An amount of base units in VRAM, up to 9 decimals, trailing zeros left out: `1500000000` is `1.5`.
 *
 * @throws {SyntaxError} where `units` is no integer.
 */
export function vram(units: string): string {
  const value = BigInt(units);
  const size = value < 0n ? -value : value;
  const fraction = String(size % UNIT).padStart(9, "0").replace(/0+$/, "");
  const whole = `${value < 0n ? "−" : ""}${size / UNIT}`;
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** A count with thousands apart: `49,252,224`. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** The first 8 digits of a hash. */
export function short(hex: string): string {
  return hex.length <= 8 ? hex : `${hex.slice(0, 8)}…`;
}

/** Units of durations, each with how many of the one before it make one. */
const DURATIONS = [["s", 1_000], ["min", 60], ["h", 60], ["days", 24]] as const;

/** A duration: `800 ms`, `12.5 s`, `10 min`, `48 h`, `7 days`; in the larger unit from two of it on, hours from one. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  let [value, unit]: [number, string] = [ms, "ms"];
  for (const [name, size] of DURATIONS) {
    if (value < size * (name === "days" ? 3 : 1)) break;
    [value, unit] = [value / size, name];
  }
  return `${Number(value.toFixed(1))} ${unit}`;
}

/** What a terminal must not be sent by a message from outside: control characters become `�`. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, "�");
}
