/**
 * What an address holds and does.
 *
 * @module
 */
import type { ApiParts } from "./api.ts";
import { type Query, QueryError } from "./query.ts";
import { toWire } from "./wire.ts";

/** An address. */
export const ADDRESS: RegExp = /^0x[0-9a-f]{64}$/;
/** Rows of each list. */
const MAX_ROWS = 200;

/** `/wallets/{address}`. */
export async function wallet({ ledger }: ApiParts, query: Query) {
  const address = query.address!.toLowerCase();
  if (!ADDRESS.test(address)) {
    throw new QueryError("Cannot read 'address': expected 0x and 64 hexadecimal digits");
  }
  const [balance, miners, validators, tickets, vestings, jobs, info] = await Promise.all([
    ledger.balance(address),
    ledger.miners(),
    ledger.validators(),
    ledger.tickets(address),
    ledger.vestings(),
    ledger.jobs(undefined, MAX_ROWS),
    ledger.info(),
  ]);
  const own = <T extends { readonly owner: string }>(rows: readonly T[]) =>
    rows.filter(({ owner }) => owner === address);
  return toWire({
    address,
    balance,
    isAdmin: info.admin === address,
    miners: own(miners),
    validators: own(validators),
    tickets: tickets.slice(0, MAX_ROWS),
    vestings: vestings.filter(({ beneficiary }) => beneficiary === address).slice(0, MAX_ROWS),
    jobs: jobs.filter(({ customer, miner }) => customer === address || miner?.owner === address),
  });
}
