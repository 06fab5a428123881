/**
 * `NAME=VALUE …`: changes to a set of integers.
 *
 * @module
 */
import { message } from "@optique/core/message";
import { multiple } from "@optique/core/modifiers";
import { argument } from "@optique/core/primitives";
import type { ValueParser } from "@optique/core/valueparser";
import { ConfigError } from "../../config/mod.ts";

/** `NAME=VALUE` with an integer. */
const assignment: ValueParser<"sync", readonly [name: string, value: bigint]> = {
  mode: "sync",
  metavar: "NAME=VALUE",
  placeholder: ["", 0n],
  parse(input) {
    const [, name, value] = /^([A-Za-z_]+)=(\d{1,20})$/.exec(input) ?? [];
    return name === undefined || value === undefined
      ? { success: false, error: message`Expected NAME=INTEGER: ${input}` }
      : { success: true, value: [name, BigInt(value)] };
  },
  format: ([name, value]) => `${name}=${value}`,
};
/** Any number of them. */
export const assignments = multiple(argument(assignment, {
  description: message`What to change; shows the present values without any.`,
}));

/** `before` with `changes`, whose names must be its own. */
export function changed<T extends object>(
  before: T,
  changes: readonly (readonly [string, bigint])[],
  read: (value: bigint, name: string) => unknown,
): T {
  const after = { ...before } as Record<string, unknown>;
  for (const [name, value] of changes) {
    if (!Object.hasOwn(before, name)) {
      const near = Object.keys(before).filter((known) => known.startsWith(name.slice(0, 3)));
      const hint = near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`;
      throw new ConfigError("bad_value", `Cannot change ${name}: there is no such name${hint}`);
    }
    after[name] = read(value, name);
  }
  return after as T;
}
