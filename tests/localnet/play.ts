/**
 * Plays the script on two ledgers at the same moments: both must take and refuse the same, by constant name.
 *
 * @module
 */
import assert from "node:assert/strict";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import type { Address } from "../../host/ledger/ledger.ts";
import { PARTS, type Person, ROLL, type Side } from "./script.ts";

/** Milliseconds behind a deadline at which nobody's clock is before it. */
const MARGIN_MS = 1_000;

/** How the two are driven. */
export interface Play {
  /** The one whose time counts. */
  readonly first: Side;
  /** The one that follows. */
  readonly second: Side;
  /** Same on both sides. */
  readonly address: (person: Person) => Address;
  /** The window in which everything happens. */
  readonly window: number;
  /** Resolves once the first's time is `ms`. */
  readonly until: (ms: number) => Promise<void>;
  /** The first's time; the second is set to it. */
  readonly follow: () => Promise<number>;
  /** Hears of every step. */
  readonly said: (line: string) => void;
}

/** Play the script on both sides; returns how many steps were taken and refused alike. */
export async function playScript(play: Play): Promise<{ taken: number; refused: number }> {
  const { address, first, follow, said, second, until, window } = play;
  await follow();
  for (const side of [first, second]) await side.as("stranger").roll(address("stranger"));
  const { deadlines } = await first.as("stranger").window(window);
  const count = { taken: 0, refused: 0 };
  for (const { from, steps, until: end } of PARTS) {
    await until(from(deadlines) + MARGIN_MS);
    for (const [name, run] of [ROLL, ...steps]) {
      const one = await outcomeOf(() => run({ side: first, address, window, deadlines }));
      const at = await follow();
      assert.ok(at < end(deadlines), `${name}: the network is too slow for windows of this length`);
      const other = await outcomeOf(() => run({ side: second, address, window, deadlines }));
      assert.deepEqual(one, other, name);
      count["refused" in one ? "refused" : "taken"]++;
      said("refused" in one ? `${name}: refused, ${one.refused}` : name);
    }
  }
  return count;
}

type Outcome = { readonly taken: string } | { readonly refused: string };

/** What came of a call, to be compared: a refusal by its constant, else the value. */
async function outcomeOf(call: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { taken: JSON.stringify(await call(), plain) ?? "" };
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return { refused: `${error.module}::${error.constant}` };
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}`;
  return value instanceof Uint8Array ? toHex(value) : value;
}
