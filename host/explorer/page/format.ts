/**
 * Numbers for people.
 *
 * @module
 */

/** What stands where there is nothing. */
export const NONE = "–";

/** A loss of 1e-6 nats with 4 decimals. */
export function nats(units: number | null): string {
  return units === null ? NONE : (units / 1e6).toFixed(4);
}

/** A difference of losses, signed, with all 6 decimals. */
export function signed(units: number | null): string {
  if (units === null) return NONE;
  const text = (Math.abs(units) / 1e6).toFixed(6);
  return units === 0 ? text : `${units > 0 ? "+" : "−"}${text}`;
}

/** An amount of 1e-9 coins. */
export function coins(units: string | null, name: string): string {
  if (units === null) return NONE;
  const digits = units.padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "");
  const whole = digits.slice(0, -9).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${whole}${fraction === "" ? "" : `.${fraction}`} ${name}`;
}

/** A count with thousands apart. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** The ends of a hash or an address. */
export function short(text: string): string {
  return text.length <= 16 ? text : `${text.slice(0, 10)}…${text.slice(-4)}`;
}

/** A moment, UTC. */
export function moment(ms: number | null): string {
  return ms === null ? NONE : new Date(ms).toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");
}

/** A duration in its largest units. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d`;
}

/** A rating, e.g. `27.31 ± 7.90`. */
export function rating(mu: number | null, sigma: number | null): string {
  if (mu === null || sigma === null) return NONE;
  return `${(mu / 1e6).toFixed(2)} ± ${(sigma / 1e6).toFixed(2)}`;
}

/** The own-versus-random average, −1 to 1. */
export function average(stored: number | null): string {
  return stored === null ? NONE : ((stored - 1_000_000) / 1e6).toFixed(3);
}
