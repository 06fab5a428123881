/**
 * One transaction of an address is under way at a time in this process. Each takes all of the wallet's coins as gas:
 * two at once would lock them until the epoch ends.
 *
 * @module
 */
import type { Address } from "../ledger.ts";

const last = new Map<Address, Promise<unknown>>();

/** Do `work` when all that was begun before for `address` is done. */
export function inTurn<T>(address: Address, work: () => Promise<T>): Promise<T> {
  const result = (last.get(address) ?? Promise.resolve()).then(work);
  last.set(address, result.catch(() => {}));
  return result;
}
