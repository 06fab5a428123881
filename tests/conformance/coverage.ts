/**
 * What a run of traces has shown: how often each call was taken and each constant was refused with, and what is missing.
 *
 * @module
 */
import { LEDGER_ERRORS } from "../../enclave/protocol/errors.ts";
import { CALLS } from "./codes.ts";
import { DEV_ONLY, KNOWN, UNREACHABLE } from "./known.ts";
import type { Step } from "./player.ts";

/** All constants, as `module::EConstant`. */
export const CONSTANTS: readonly string[] = Object.entries(LEDGER_ERRORS)
  .flatMap(([module, codes]) => Object.keys(codes).map((name) => `${module}::${name}`));

/** Counts of calls taken, and of refusals. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  /** Count what `steps` show: calls that were taken by name, refusals by constant. */
  add(steps: readonly Step[]): void {
    for (const shown of shownBy(steps)) this.#counts.set(shown, this.count(shown) + 1);
  }

  /** How often `what` was shown. */
  count(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** Calls that were never taken, constants that were never refused with although they can be. */
  missing(): string[] {
    const wanted = [...Object.keys(CALLS), ...CONSTANTS.filter((name) => !(name in UNREACHABLE))];
    return wanted.filter((name) => this.count(name) === 0);
  }

  /** Constants in the table of the unreachable that were reached. */
  reached(): string[] {
    return Object.keys(UNREACHABLE).filter((name) => this.count(name) > 0);
  }

  /** The table, for people. */
  table(): string {
    const cells = (names: readonly string[]) => {
      const widest = Math.max(...names.map(({ length }) => length));
      const lines: string[] = [];
      for (let i = 0; i < names.length; i += 3) {
        lines.push(
          names.slice(i, i + 3).map((name) =>
            `${name.padEnd(widest)} ${`${this.count(name)}`.padStart(6)}`
          ).join("   "),
        );
      }
      return lines;
    };
    const open = CONSTANTS.filter((name) => !(name in UNREACHABLE));
    return [
      "Calls taken",
      ...cells(Object.keys(CALLS)),
      "",
      "Refusals",
      ...cells(open.filter((name) => !DEV_ONLY.includes(name))),
      "",
      "Refusals of the dev ledger alone",
      ...cells(DEV_ONLY),
      "",
      "Out of reach",
      ...Object.entries(UNREACHABLE).map(([name, why]) => `${name}: ${why}`),
      "",
      "Treated as the same",
      ...KNOWN.map(({ what, why }) => `${what}: ${why}`),
    ].join("\n");
  }
}

/** What `steps` show. A refusal that is not played on the chain shows only what the dev ledger alone can. */
export function shownBy(steps: readonly Step[]): string[] {
  return steps.map(({ name, refusal, devOnly }) => {
    if (refusal === null) return name;
    return devOnly && !DEV_ONLY.includes(refusal) ? "not on the chain" : refusal;
  });
}
