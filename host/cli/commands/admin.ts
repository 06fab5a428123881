/**
 * `admin …`: what the holder of the admin's right may do. None of it decides who is paid.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import type { MeasurementRow } from "../../ledger/ledger.ts";
import { printable, short } from "../present/format.ts";
import { coins, factLines, moment } from "../present/record.ts";
import { type Column, table } from "../present/table.ts";
import { defineCommand, type Entry } from "./command.ts";
import { readGeneration } from "./token_generation.ts";
import { address, hexBytes } from "./values.ts";

const pcr = (i: number) =>
  option(`--pcr${i}`, hexBytes(48), {
    description: message`PCR${text(String(i))}, 96 hexadecimal digits.`,
  });
const exampleOf = (i: number) => `--pcr${i} ${String(i + 1).repeat(96)}`;

const setExpectedPcrs = defineCommand(
  "set-expected-pcrs",
  message`Approve a build; its judges count after the unbonding period, beside those approved before.`,
  [
    "the build of a release",
    `admin set-expected-pcrs --name v0.2.0 ${[0, 1, 2].map(exampleOf).join(" ")}`,
  ],
  object({
    name: option("--name", string({ metavar: "NAME" }), {
      description: message`Name of the build: 1 to 64 of a-z 0-9 . _ -; never used twice.`,
    }),
    pcr0: pcr(0),
    pcr1: pcr(1),
    pcr2: pcr(2),
  }),
  async (context, { name, pcr0, pcr1, pcr2 }) => {
    using opened = await context.open();
    const { ledger } = opened;
    await ledger.approveMeasurement(await opened.caller(), name, [pcr0, pcr1, pcr2]);
    const row = (await ledger.measurements()).find((one) => one.name === name);
    const from = row === undefined ? "" : ` from ${moment(row.activeFrom)} on`;
    return { json: row ?? { name }, text: () => [`${name} is approved${from}`] };
  },
);

const remove = defineCommand(
  "remove",
  message`Remove an approved build at once; the keys of its judges stop counting.`,
  ["a build that was found wanting", "admin remove v0.1.0"],
  object({ name: argument(string({ metavar: "NAME" })) }),
  async (context, { name }) => {
    using opened = await context.open();
    await opened.ledger.removeMeasurement(await opened.caller(), name);
    return {
      json: { removed: name },
      text: () => [`${name} is removed; its judges' keys count no more`],
    };
  },
);

const measurements = defineCommand(
  "measurements",
  message`List the approved builds.`,
  ["on testnet", "admin measurements --network testnet"],
  object({}),
  async (context) => {
    using opened = await context.open();
    const rows = await opened.ledger.measurements();
    const now = opened.ledger.now();
    const columns: Column<MeasurementRow>[] = [
      { name: "build", rank: 0, align: "left", text: ({ name }) => printable(name) },
      {
        name: "counts",
        rank: 0,
        align: "left",
        text: ({ activeFrom }) => activeFrom <= now ? "now" : `from ${moment(activeFrom)}`,
      },
      ...[0, 1, 2].map((i): Column<MeasurementRow> => ({
        name: `PCR${i}`,
        rank: 1 + i,
        align: "left",
        text: ({ pcrs }) => short(toHex(pcrs[i]!)),
      })),
    ];
    return {
      json: { measurements: rows },
      text: (paint, width) =>
        rows.length === 0 ? ["no build is approved"] : table(columns, rows, width, paint),
    };
  },
);

const offer = defineCommand(
  "offer",
  message`Offer the admin's right to an address, which must accept it; until then it stays yours.`,
  ["to a new wallet", `admin offer 0x${"7".repeat(64)}`],
  object({ to: argument(address()) }),
  async (context, { to }) => {
    using opened = await context.open();
    await opened.ledger.offerAdmin(await opened.caller(), to);
    return { json: { offered: to }, text: () => [`offered to ${to}, who calls: admin accept`] };
  },
);

const withdrawOffer = defineCommand(
  "withdraw-offer",
  message`Take the offer of the admin's right back.`,
  ["before it is accepted", "admin withdraw-offer"],
  object({}),
  async (context) => {
    using opened = await context.open();
    await opened.ledger.withdrawAdminOffer(await opened.caller());
    return { json: { offered: null }, text: () => ["the offer is withdrawn"] };
  },
);

const accept = defineCommand(
  "accept",
  message`Accept the admin's right that was offered to the caller.`,
  ["as the new wallet", "admin accept"],
  object({}),
  async (context) => {
    using opened = await context.open();
    const admin = await opened.caller();
    await opened.ledger.acceptAdmin(admin);
    return { json: { admin }, text: () => [`${admin} is the admin now`] };
  },
);

const SOURCES = ["miner", "validator", "jobs", "mining"] as const;

const sweep = defineCommand(
  "sweep",
  message`Take what belongs to the treasury: fees of miners or validators, of jobs, or its share of mining.`,
  ["what evictions and slashing of miners brought", "admin sweep miner"],
  object({ source: argument(choice(SOURCES, { metavar: "SOURCE", suggest: "nearest" })) }),
  async (context, { source }) => {
    using opened = await context.open();
    const { ledger } = opened;
    const caller = await opened.caller();
    const amount = source === "mining"
      ? await ledger.claimTreasury(caller)
      : source === "jobs"
      ? await ledger.sweepJobFees(caller)
      : await ledger.sweepTreasury(caller, source);
    const coin = source === "mining" ? "VRAM" : "SUI";
    return {
      json: { source, coin, amount },
      text: () => [`${coins(amount, coin)} of ${source} to ${caller}`],
    };
  },
);

const treasury = defineCommand(
  "treasury",
  message`Show what the treasury could take.`,
  ["before a sweep", "admin treasury"],
  object({}),
  async (context) => {
    using opened = await context.open();
    const { ledger } = opened;
    const [info, miner, validator, jobs, owed] = await Promise.all([
      ledger.info(),
      ledger.treasury("miner"),
      ledger.treasury("validator"),
      ledger.jobBoard(),
      ledger.owed(),
    ]);
    return {
      json: { admin: info.admin, miner, validator, jobs: jobs.fees, mining: owed.treasury },
      text: (paint) =>
        factLines([
          ["admin", info.admin],
          ["miner", coins(miner, "SUI")],
          ["validator", coins(validator, "SUI")],
          ["jobs", coins(jobs.fees, "SUI")],
          ["mining", coins(owed.treasury, "VRAM")],
        ], paint),
    };
  },
);

const createPool = defineCommand(
  "create-pool",
  message`Create a staking pool of VRAM.`,
  ["the first one", "admin create-pool"],
  object({}),
  async (context) => {
    using opened = await context.open();
    const pool = await opened.ledger.createPool(await opened.caller());
    return { json: { pool }, text: () => [`pool ${pool}`] };
  },
);

const tge = defineCommand(
  "tge",
  message`The token generation event, once: mint and lock everything but mining's half.`,
  ["look at it first, then do it", "admin tge --plan tge.json --confirm 10500000"],
  object({
    plan: option("--plan", path({ metavar: "FILE" }), {
      description: message`JSON: treasury, investors, team, liquidity, airdrop; see the README.`,
    }),
    confirm: optional(option("--confirm", string({ metavar: "VRAM" }), {
      description: message`The VRAM to be minted, as the command says it without this.`,
    })),
  }),
  async (context, { confirm, plan }) => {
    const generation = await readGeneration(plan);
    const asked = "10500000";
    if (confirm !== asked) {
      return {
        json: { done: false, confirm: asked, generation },
        status: 1,
        text: () => [
          `${plan} is in order. It happens once and cannot be undone: to do it, add --confirm ${asked}`,
        ],
      };
    }
    using opened = await context.open();
    const airdrop = await opened.ledger.generateTokens(await opened.caller(), generation);
    return { json: { done: true, airdrop }, text: () => [`minted; the airdrop is ${airdrop}`] };
  },
);

/** All but those of hparams and data sets. */
export const ADMIN_COMMANDS: readonly Entry[] = [
  setExpectedPcrs,
  remove,
  measurements,
  offer,
  withdrawOffer,
  accept,
  sweep,
  treasury,
  createPool,
  tge,
];
