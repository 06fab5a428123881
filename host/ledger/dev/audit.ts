/**
 * Where every coin of the ledger lies, for conservation checks.
 *
 * @module
 */
import type { State } from "./state.ts";

/** What was made of each coin, and where it is. The two of each coin are equal. */
export interface Audit {
  /** SUI (MIST) that the founding and the faucet made. */
  readonly minted: bigint;
  /** SUI in accounts, at stake, unbonding, in escrow, and in treasuries. */
  readonly held: bigint;
  /** VRAM that was minted, or is owed and will be when it is claimed. */
  readonly issued: bigint;
  /** VRAM in accounts, claimable, deposited, locked, staked, and burned. */
  readonly vramHeld: bigint;
}

/** Count every coin. */
export function audit(state: State): Audit {
  const sum = (table: string, ...columns: readonly string[]) =>
    state.all(`select ${columns.join(", ")} from ${table}`).reduce(
      (total, row) =>
        columns.reduce((part, name) => part + BigInt(row[name] as string ?? 0), total),
      0n,
    );
  const held = sum("accounts", "sui") + sum("unbonding", "amount") + sum("miners", "stake") +
    sum("validators", "stake") + sum("pending_slots", "stake") +
    sum("jobs", "escrow", "claim_bond", "dispute_bond") + state.total("job_fees") +
    state.total("treasury/miner") + state.total("treasury/validator");
  const vramHeld = sum("accounts", "vram", "claimable") + state.total("treasury_vram") +
    state.total("deposited") + sum("vestings", "total") - sum("vestings", "claimed") +
    sum("airdrops", "balance") + sum("pools", "stake", "rewards") + state.total("burned");
  return {
    minted: state.total("minted_sui"),
    held,
    issued: state.total("supply") + state.total("owed") + state.total("treasury_vram"),
    vramHeld,
  };
}
