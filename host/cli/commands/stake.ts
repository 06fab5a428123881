/**
 * `stake`, `unstake` and `pools`: VRAM locked for a time in a pool that shares what is deposited as rewards.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { ConfigError } from "../../config/mod.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { LOCK_DAYS, type LockTier, type PoolRow } from "../../ledger/staking.ts";
import type { ObjectId } from "../../ledger/token.ts";
import { short } from "../present/format.ts";
import { coins, factLines, moment } from "../present/record.ts";
import { type Column, table } from "../present/table.ts";
import { defineCommand, type Entry } from "./command.ts";
import { address, amount } from "./values.ts";

const pool = optional(option("--pool", address("ID"), {
  description: message`The pool; not needed where there is one only.`,
}));

/** The pool that is named, or the only one. */
async function poolOf(ledger: Ledger, named: ObjectId | undefined): Promise<ObjectId> {
  if (named !== undefined) return named;
  const [only, ...others] = await ledger.pools();
  if (only !== undefined && others.length === 0) return only.id;
  throw new ConfigError(
    "missing",
    only === undefined
      ? "Cannot choose a pool: there is none; the admin makes one with 'admin create-pool'"
      : "Cannot choose a pool: there are several; name one with --pool ('pools' lists them)",
  );
}

/** Lock VRAM. */
export const stake: Entry = defineCommand(
  "stake",
  message`Lock VRAM in a pool: longer locks weigh more, leaving early costs a part of the stake.`,
  ["100 VRAM for 90 days", "stake 100vram --days 90"],
  object({
    amount: argument(amount("vram"), {
      description: message`In 1e-9 VRAM, or as in 1.5vram.`,
    }),
    days: withDefault(
      option("--days", choice(LOCK_DAYS, { metavar: "DAYS" }), {
        description: message`Length of the lock: 30, 90, 180 or 365.`,
      }),
      30 as const,
    ),
    pool,
  }),
  async (context, args) => {
    using opened = await context.open();
    const { ledger } = opened;
    const owner = await opened.caller();
    const pool = await poolOf(ledger, args.pool);
    const tier = LOCK_DAYS.indexOf(args.days as typeof LOCK_DAYS[number]) as LockTier;
    const id = await ledger.stake(owner, pool, args.amount, tier);
    const ticket = (await ledger.tickets(owner)).find((row) => row.id === id);
    return {
      json: { pool, ticket: ticket ?? { id } },
      text: (paint) =>
        factLines([
          ["ticket", id],
          ["staked", coins(args.amount, "VRAM")],
          ["unlocks", ticket === undefined ? undefined : moment(ticket.unlockMs)],
          ["then", `deno task vramhub unstake ${id}`],
        ], paint),
    };
  },
);

/** Take a stake back. */
export const unstake: Entry = defineCommand(
  "unstake",
  message`Take a stake and its rewards back, less the penalty where its lock still runs.`,
  ["a ticket that 'stake' printed", `unstake 0x${"a".repeat(64)}`],
  object({ ticket: argument(address("ID")), pool }),
  async (context, { pool, ticket }) => {
    using opened = await context.open();
    const owner = await opened.caller();
    const amount = await opened.ledger.unstake(owner, ticket, pool);
    return {
      json: { ticket, amount },
      text: () => [`${coins(amount, "VRAM")} to ${owner}`],
    };
  },
);

/** All pools. */
export const pools: Entry = defineCommand(
  "list",
  message`List the pools.`,
  ["on testnet", "pools list --network testnet"],
  object({}),
  async (context) => {
    using opened = await context.open();
    const rows = await opened.ledger.pools();
    const columns: Column<PoolRow>[] = [
      { name: "pool", rank: 0, align: "left", text: ({ id }) => id },
      {
        name: "staked",
        rank: 0,
        align: "right",
        text: ({ staked }) => coins(staked, "VRAM"),
      },
      {
        name: "rewards",
        rank: 1,
        align: "right",
        text: ({ rewards }) => coins(rewards, "VRAM"),
      },
    ];
    return {
      json: { pools: rows },
      text: (paint, width) =>
        rows.length === 0 ? ["there is no pool"] : table(columns, rows, width, paint),
    };
  },
);

/** Deposit rewards. */
export const deposit: Entry = defineCommand(
  "deposit",
  message`Deposit VRAM as a pool's rewards, released over a week.`,
  ["7 VRAM", "pools deposit 7vram"],
  object({ amount: argument(amount("vram")), pool }),
  async (context, args) => {
    using opened = await context.open();
    const { ledger } = opened;
    const pool = await poolOf(ledger, args.pool);
    await ledger.depositPoolRewards(await opened.caller(), pool, args.amount);
    return {
      json: { pool, amount: args.amount },
      text: () => [`${coins(args.amount, "VRAM")} deposited in pool ${short(pool)}`],
    };
  },
);
