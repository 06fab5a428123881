/**
 * `rewards show` and `rewards claim`: what an address has coming, of mining, pools, vesting and the airdrop.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import { argument, constant, option } from "@optique/core/primitives";
import { path } from "@optique/run";
import { type Bytes, fromHex } from "../../../enclave/protocol/bytes.ts";
import { ConfigError } from "../../config/mod.ts";
import type { Address, Ledger } from "../../ledger/ledger.ts";
import { readInput } from "../audit/input.ts";
import { short } from "../present/format.ts";
import { coins, factLines, moment } from "../present/record.ts";
import { defineCommand, type Entry } from "./command.ts";
import { address } from "./values.ts";

/** Most bytes of a leaf with its proof. */
const MAX_LEAF_BYTES = 64 * 1024;

/** Show what can be claimed. */
export const showRewards: Entry = defineCommand(
  "show",
  message`Show what an address can claim; the caller's without one.`,
  ["of the caller", "rewards show"],
  object({ address: optional(argument(address())) }),
  async (context, args) => {
    using opened = await context.open();
    const { ledger } = opened;
    const who = args.address ?? await opened.caller();
    const [held, tickets, vestings, airdrop] = await Promise.all([
      ledger.balance(who),
      ledger.tickets(who),
      ledger.vestings(),
      ledger.airdrop(),
    ]);
    const mine = vestings.filter(({ beneficiary, offered }) =>
      [beneficiary, offered].includes(who)
    );
    return {
      json: { address: who, ...held, tickets, vestings: mine, airdrop },
      text: (paint) =>
        factLines([
          ["address", who],
          ["wallet", `${coins(held.sui, "SUI")}, ${coins(held.vram, "VRAM")}`],
          ["claimable", `${coins(held.claimable, "VRAM")} of mining and judging`],
          ...tickets.map(({ amount, earned, id, unlockMs }) =>
            [
              `ticket ${short(id)}`,
              `${coins(earned, "VRAM")} on ${coins(amount, "VRAM")} until ${
                moment(unlockMs)
              }: ${id}`,
            ] as const
          ),
          ...mine.map(({ beneficiary, claimed, id, total, vested }) =>
            [
              `vesting ${short(id)}`,
              beneficiary === who
                ? `${coins(vested - claimed, "VRAM")} of ${coins(total, "VRAM")}: ${id}`
                : `${coins(total, "VRAM")} offered to you: ${id}`,
            ] as const
          ),
          [
            "airdrop",
            airdrop === null
              ? undefined
              : `${coins(airdrop.unclaimed, "VRAM")} unclaimed until ${moment(airdrop.deadlineMs)}`,
          ],
        ], paint),
    };
  },
);

type What =
  | { readonly kind: "mining" }
  | { readonly kind: "ticket" | "vesting"; readonly id: string }
  | { readonly kind: "airdrop"; readonly file: string };

const what = or(
  map(
    object({
      id: option("--ticket", address("ID"), {
        description: message`The rewards of a pool's ticket.`,
      }),
    }),
    ({ id }): What => ({ kind: "ticket", id }),
  ),
  map(
    object({
      id: option("--vesting", address("ID"), {
        description: message`What a vesting has unlocked.`,
      }),
    }),
    ({ id }): What => ({ kind: "vesting", id }),
  ),
  map(
    object({
      file: option("--airdrop", path({ metavar: "FILE" }), {
        description: message`A leaf of the airdrop: JSON of index, amount and proof (hex).`,
      }),
    }),
    ({ file }): What => ({ kind: "airdrop", file }),
  ),
  map(object({ kind: constant("mining") }), (): What => ({ kind: "mining" })),
);

/** Claim. */
export const claimRewards: Entry = defineCommand(
  "claim",
  message`Take what was earned by mining and judging, or one of the other sources.`,
  ["everything that windows paid", "rewards claim"],
  what,
  async (context, what) => {
    using opened = await context.open();
    const caller = await opened.caller();
    const amount = await claim(opened.ledger, caller, what);
    return {
      json: { address: caller, source: what.kind, amount },
      text: () => [`${coins(amount, "VRAM")} claimed to ${caller}`],
    };
  },
);

async function claim(ledger: Ledger, caller: Address, what: What): Promise<bigint> {
  switch (what.kind) {
    case "mining":
      return await ledger.claim(caller);
    case "ticket":
      return await ledger.claimPoolRewards(caller, what.id);
    case "vesting":
      return await ledger.claimVested(caller, what.id);
    case "airdrop": {
      const { amount, index, proof } = await readLeaf(what.file);
      return await ledger.claimAirdrop(caller, index, amount, proof);
    }
  }
}

async function readLeaf(file: string): Promise<{ index: number; amount: bigint; proof: Bytes[] }> {
  const bytes = await readInput(file, { maxBytes: MAX_LEAF_BYTES });
  try {
    const { amount, index, proof } = JSON.parse(new TextDecoder().decode(bytes));
    if (!Number.isSafeInteger(index) || !/^\d{1,20}$/.test(amount) || !Array.isArray(proof)) {
      throw new SyntaxError("expected index (integer), amount (decimal string) and proof (list)");
    }
    return { index, amount: BigInt(amount), proof: proof.map((node) => fromHex(String(node))) };
  } catch (error) {
    throw new ConfigError("bad_file", `Cannot read ${file}: ${(error as Error).message}`);
  }
}
