/**
 * Who takes part in traces, on both sides by the same numbers.
 *
 * @module
 */
import type { Address } from "../../host/ledger/ledger.ts";
import { address, ADMIN, minerOf, validatorOf } from "../../host/ledger/testing.ts";
import { CUSTOMER, TREASURER, WHALE } from "../../host/ledger/testing_coins.ts";

/** Everybody, as `PEOPLE` in `contracts/conformance/conformance_world.move`. */
export const PEOPLE: readonly Address[] = [
  ADMIN,
  ...[0, 1, 2, 3, 4].map(minerOf),
  ...[0, 1, 2, 3, 4].map(validatorOf),
  WHALE,
  TREASURER,
  CUSTOMER,
  ...[11, 12, 13].map(address),
];

/** The number of somebody in {@link PEOPLE}. */
export function numberOf(who: Address): number {
  const number = PEOPLE.indexOf(who);
  if (number < 0) throw new RangeError(`Cannot number ${who}: nobody of the traces`);
  return number;
}
