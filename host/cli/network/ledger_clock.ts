/**
 * Time as the ledger counts it. Deadlines are the ledger's; a machine whose clock is a minute ahead would reveal before
 * reveals are taken, and one that is behind would come too late.
 *
 * @module
 */
import type { Clock } from "../../ledger/clock.ts";
import type { Ledger } from "../../ledger/ledger.ts";

/** No longer is waited without a look at the ledger's time: the machine's clock may be set meanwhile. */
const LOOK_MS = 30_000;

/**
 * The time of `ledger`, waited for by the machine's clock.
 *
 * @param marginMs How much later everybody is woken: a chain's clock moves by commits of its consensus.
 */
export function ledgerClock(ledger: Pick<Ledger, "now">, machine: Clock, marginMs = 0): Clock {
  return {
    now: () => ledger.now(),
    async until(ms, signal) {
      const due = ms + marginMs;
      signal?.throwIfAborted();
      if (ledger.now() >= ms) return;
      for (let left = due - ledger.now(); left > 0; left = due - ledger.now()) {
        await machine.until(machine.now() + Math.min(left, LOOK_MS), signal);
      }
    },
  };
}
